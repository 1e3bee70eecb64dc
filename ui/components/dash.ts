import { html, type TemplateResult } from 'lit';

/** Stands where a table has nothing to say; `meaning` is what a screen reader says in its place. */
export function dash(meaning: string): TemplateResult {
  return html`<span class="muted"
    ><span aria-hidden="true">–</span><span class="visually-hidden">${meaning}</span></span
  >`;
}
