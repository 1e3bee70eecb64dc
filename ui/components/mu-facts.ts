import { css, html, LitElement } from 'lit';
import type { Fact } from '../data/agentPage.ts';
import { base } from '../styles/base.ts';

/** Names and what they are, aligned. */
export class MuFacts extends LitElement {
  static override properties = { facts: { attribute: false } };
  declare facts: readonly Fact[];

  static override styles = [
    base,
    css`
      dl {
        display: grid;
        grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr);
        gap: var(--space-1) var(--space-4);
      }
      dt {
        color: var(--muted);
      }
      dd {
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.facts = [];
  }

  override render(): unknown {
    return html`<dl>
      ${this.facts.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${value}</dd>`,
      )}
    </dl>`;
  }
}

customElements.define('mu-facts', MuFacts);
