import { css, html, LitElement, nothing } from 'lit';
import type { ChangedField } from '../data/fieldChanges.ts';
import { base } from '../styles/base.ts';
import './mu-field-changes.ts';

/** Somebody else has saved meanwhile: what they changed, and the two ways on. Dispatches `keep-mine` and `take-theirs`. */
export class MuConflict extends LitElement {
  static override properties = { heading: {}, changes: { attribute: false } };
  /** That it happened, as a sentence. */
  declare heading: string;
  declare changes: readonly ChangedField[];

  static override styles = [
    base,
    css`
      .conflict {
        display: grid;
        gap: var(--space-3);
        padding: var(--space-3) var(--space-4);
        border: 1px solid var(--warn);
        border-radius: var(--radius-l);
        background: var(--warn-soft);
      }
      .do {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
    `,
  ];

  constructor() {
    super();
    this.heading = '';
    this.changes = [];
  }

  override render(): unknown {
    return html`<div class="conflict" role="alert">
      <p>
        <strong>${this.heading}</strong>
        ${this.changes.length === 0 ? 'It differs in nothing that is shown here.' : 'It changed:'}
      </p>
      ${this.changes.length === 0 ? nothing : html`<mu-field-changes .changes=${this.changes}></mu-field-changes>`}
      <p>Keeping yours puts what you typed on top of it; nothing is saved before you say so.</p>
      <div class="do">
        <button type="button" @click=${() => this.dispatchEvent(new CustomEvent('keep-mine'))}>
          Keep what I typed
        </button>
        <button type="button" @click=${() => this.dispatchEvent(new CustomEvent('take-theirs'))}>Take theirs</button>
      </div>
    </div>`;
  }
}

customElements.define('mu-conflict', MuConflict);
