import { css, html, LitElement } from 'lit';
import { base } from '../styles/base.ts';

/** What stands where nothing is yet: what it would be, and how to get the first one. */
export class MuEmpty extends LitElement {
  static override properties = { heading: {} };
  declare heading: string;

  static override styles = [
    base,
    css`
      div {
        padding: var(--space-5);
        border: 1px dashed var(--line-strong);
        border-radius: var(--radius-l);
        display: grid;
        gap: var(--space-2);
        justify-items: start;
        max-width: 44rem;
      }
      h3 {
        font-size: var(--text-m);
        font-weight: 600;
      }
    `,
  ];

  constructor() {
    super();
    this.heading = '';
  }

  override render(): unknown {
    return html`<div>
      <h3>${this.heading}</h3>
      <slot></slot>
    </div>`;
  }
}

customElements.define('mu-empty', MuEmpty);
