import { css, html, LitElement } from 'lit';
import { base } from '../styles/base.ts';

/** A line across the page that stays as long as it is true. The slot holds its words and buttons. */
export class MuBanner extends LitElement {
  static override properties = { tone: { reflect: true } };
  declare tone: 'info' | 'warn';

  static override styles = [
    base,
    css`
      div {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2) var(--space-4);
        align-items: center;
        justify-content: space-between;
        padding: var(--space-2) var(--space-4);
        border-radius: var(--radius-l);
        border: 1px solid var(--accent);
        background: var(--accent-soft);
      }
      :host([tone='warn']) div {
        border-color: var(--warn);
        background: var(--warn-soft);
      }
    `,
  ];

  constructor() {
    super();
    this.tone = 'info';
  }

  override render(): unknown {
    return html`<div role="status"><slot></slot></div>`;
  }
}

customElements.define('mu-banner', MuBanner);
