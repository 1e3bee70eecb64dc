import { css, html, LitElement, nothing } from 'lit';
import { asSentence } from '../data/explain.ts';
import type { NotReady } from '../data/readiness.ts';
import { base } from '../styles/base.ts';
import './mu-banner.ts';

/** That nothing can be changed just now, why, and who writes the logs. Nothing while all is well. */
export class MuNotReady extends LitElement {
  static override properties = { notReady: { attribute: false } };
  declare notReady: NotReady | null;

  static override styles = [
    base,
    css`
      li {
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.notReady = null;
  }

  override render(): unknown {
    const { notReady } = this;
    if (notReady === null) return nothing;
    return html`<mu-banner tone="warn">
      <div>
        <p><strong>Nothing can be changed just now.</strong> ${asSentence(notReady.why)}</p>
        ${
          notReady.logs.length === 0
            ? nothing
            : html`<ul aria-label="Who writes the logs">
                ${notReady.logs.map((sentence) => html`<li>${sentence}</li>`)}
              </ul>`
        }
      </div>
    </mu-banner>`;
  }
}

customElements.define('mu-not-ready', MuNotReady);
