import { html, nothing, type TemplateResult } from 'lit';

export interface FormField {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly type?: 'text' | 'password';
  /** What browsers and password managers fill in. */
  readonly autocomplete: string;
  readonly help?: string;
  /** What is wrong with it, as a sentence; null: nothing that is known. */
  readonly problem: string | null;
  readonly onInput: (value: string) => void;
}

/** A line of text or a password with its help below, or in its place what is wrong. */
export function formField({
  id,
  label,
  value,
  type = 'text',
  autocomplete,
  help,
  problem,
  onInput,
}: FormField): TemplateResult {
  return html`<div class="field">
    <label for=${id}>${label}</label>
    <input
      id=${id}
      name=${id}
      type=${type}
      autocomplete=${autocomplete}
      autocapitalize="none"
      spellcheck="false"
      maxlength="200"
      .value=${value}
      aria-invalid=${problem !== null}
      aria-describedby=${problem === null && help === undefined ? nothing : `${id}-said`}
      @input=${(event: InputEvent) => {
        if (event.target instanceof HTMLInputElement) onInput(event.target.value);
      }}
    />
    ${
      problem === null
        ? help === undefined
          ? nothing
          : html`<span class="help" id="${id}-said">${help}</span>`
        : html`<span class="error" id="${id}-said" role="alert">${problem}</span>`
    }
  </div>`;
}
