import { html, type TemplateResult } from 'lit';
import type { Asked } from '../components/asked.ts';
import '../components/mu-refusal.ts';

interface Shown<Row> {
  /** What stands there while there is none. */
  readonly empty: () => TemplateResult;
  readonly rows: (rows: readonly Row[]) => TemplateResult;
}

/** A list that was asked for: its rows, or that there are none, or what is in the way of knowing, with another try. */
export function listed<Row>(asked: Asked<readonly Row[]>, shown: Shown<Row>): TemplateResult {
  return html`<mu-refusal .refusal=${asked.refusal}></mu-refusal> ${contentOf(asked, shown)}`;
}

function contentOf<Row>(asked: Asked<readonly Row[]>, { empty, rows }: Shown<Row>): TemplateResult {
  const { value, refusal } = asked;
  if (value !== null) return value.length === 0 ? empty() : html`<div class="panel">${rows(value)}</div>`;
  if (refusal === null) return html`<p class="muted" role="status">Loading</p>`;
  return html`<button class="again" type="button" @click=${asked.again}>Try again</button>`;
}
