import { html, type TemplateResult } from 'lit';

/** The field in which somebody says why, the same in every dialog that asks. `onInput` gets the native input event. */
export function reasonField(reason: string, onInput: (event: InputEvent) => void): TemplateResult {
  return html`<div class="field">
    <label for="reason">Reason (optional)</label>
    <input id="reason" maxlength="500" .value=${reason} aria-describedby="reason-help" @input=${onInput} />
    <span class="help" id="reason-help">Kept in the log for ever: no personal data.</span>
  </div>`;
}
