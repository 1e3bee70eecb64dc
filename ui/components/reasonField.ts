import { html, nothing, type TemplateResult } from 'lit';

/**
 * The field in which somebody says why, the same in every dialog that asks. `onInput` gets the native input event;
 * `needed` lets no form be sent without it.
 */
export function reasonField(
  reason: string,
  onInput: (event: InputEvent) => void,
  { needed = false }: { readonly needed?: boolean } = {},
): TemplateResult {
  return html`<div class="field">
    <label for="reason">Reason${needed ? '' : ' (optional)'}</label>
    <input
      id="reason"
      maxlength="500"
      pattern=${needed ? '.*\\S.*' : nothing}
      title=${needed ? 'Say why in a few words.' : nothing}
      ?required=${needed}
      .value=${reason}
      aria-describedby="reason-help"
      @input=${onInput}
    />
    <span class="help" id="reason-help">Kept in the log for ever: no personal data.</span>
  </div>`;
}
