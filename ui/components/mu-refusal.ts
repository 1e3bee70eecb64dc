import { css, html, LitElement, nothing } from 'lit';
import { asSentence } from '../data/explain.ts';
import { Problem, type GatewayUnreachable } from '../data/problem.ts';
import { base } from '../styles/base.ts';

/** What was refused and why, shown right where it was asked for. Takes no room while there is nothing. */
export class MuRefusal extends LitElement {
  static override properties = { refusal: { attribute: false } };
  declare refusal: Problem | GatewayUnreachable | null;

  static override styles = [
    base,
    css`
      div {
        padding: var(--space-2) var(--space-3);
        border-left: 3px solid var(--danger);
        border-radius: var(--radius);
        background: var(--danger-soft);
        overflow-wrap: anywhere;
      }
      li {
        margin-top: var(--space-1);
      }
    `,
  ];

  constructor() {
    super();
    this.refusal = null;
  }

  /** Hidden, so that the gap of a grid around it is not drawn twice. */
  protected override willUpdate(): void {
    this.hidden = this.refusal === null;
  }

  /** In a long dialog it may stand beyond the edge, while whoever asked looks at the button. */
  protected override updated(): void {
    if (this.refusal !== null && this.closest('mu-dialog') !== null) this.scrollIntoView({ block: 'nearest' });
  }

  override render(): unknown {
    const { refusal } = this;
    if (refusal === null) return nothing;
    const errors = refusal instanceof Problem ? (refusal.details.errors ?? []) : [];
    return html`<div role="alert">
      ${asSentence(refusal.message)} <code>${refusal.code}</code>
      ${
        errors.length === 0
          ? nothing
          : html`<ul>
              ${errors.map((error) => html`<li>${error.path}: ${error.message}</li>`)}
            </ul>`
      }
    </div>`;
  }
}

customElements.define('mu-refusal', MuRefusal);
