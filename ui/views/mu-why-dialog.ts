import { css, html, LitElement, nothing } from 'lit';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { SessionView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-dialog.ts';
import '../components/mu-explanation.ts';
import '../components/mu-refusal.ts';
import { placementOf } from '../data/gateway.ts';
import { base } from '../styles/base.ts';

/** Why a session is where it is: the decision as it was made, for every agent. */
export class MuWhyDialog extends LitElement {
  static override properties = { session: { attribute: false }, explanation: { state: true } };
  declare session: SessionView | null;
  declare explanation: Explanation | null;
  readonly #load = new Action(this);

  static override styles = [
    base,
    css`
      .content {
        min-height: 10rem;
        display: grid;
        gap: var(--space-3);
        align-content: start;
      }
      .digest {
        font-size: var(--text-s);
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.session = null;
    this.explanation = null;
  }

  override render(): unknown {
    const { session } = this;
    if (session === null) return nothing;
    return html`<mu-dialog wide heading="Why ${session.sessionId} is where it is">
      <div class="content" aria-busy=${this.#load.busy}>
        <p>${session.sentence}</p>
        ${session.imageDigest === null ? nothing : html`<p class="muted digest">Image ${session.imageDigest}</p>`}
        ${this.#load.busy ? html`<p class="muted" role="status">Computing it again from the log</p>` : nothing}
        <mu-refusal .refusal=${this.#load.refusal}></mu-refusal>
        <mu-explanation tense="result" .explanation=${this.explanation}></mu-explanation>
      </div>
    </mu-dialog>`;
  }

  protected override firstUpdated(): void {
    void this.#load.run(async () => {
      if (this.session !== null) this.explanation = await placementOf(this.session.sessionId);
    });
  }
}

customElements.define('mu-why-dialog', MuWhyDialog);
