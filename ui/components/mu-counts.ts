import { css, html, LitElement } from 'lit';
import { whole } from '../data/amounts.ts';
import type { CountLink } from '../data/totals.ts';
import { base } from '../styles/base.ts';
import './mu-state.ts';

/** Counts in a row, each a link to what it counts. `label` names them for who does not see where they stand. */
export class MuCounts extends LitElement {
  static override properties = { counts: { attribute: false }, label: {} };
  declare counts: readonly CountLink[];
  declare label: string;

  static override styles = [
    base,
    css`
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      a {
        display: flex;
        gap: 0.4em;
        align-items: baseline;
        padding: var(--space-1) var(--space-3);
        border: 1px solid var(--line);
        border-radius: 999px;
        background: var(--surface);
        color: var(--text);
        text-decoration: none;
      }
      a:hover {
        border-color: var(--line-strong);
        background: var(--sunken);
      }
    `,
  ];

  constructor() {
    super();
    this.counts = [];
    this.label = '';
  }

  override render(): unknown {
    return html`<ul aria-label=${this.label}>
      ${this.counts.map(
        ({ count, text, href, tone }) =>
          html`<li>
            <a href=${href}><mu-state tone=${tone} text="${whole(count)} ${text}"></mu-state></a>
          </li>`,
      )}
    </ul>`;
  }
}

customElements.define('mu-counts', MuCounts);
