import { css, html, LitElement, nothing } from 'lit';
import type { Statistic } from '../data/agentPage.ts';
import { base } from '../styles/base.ts';
import './mu-bar.ts';

/** One resource with its two statistics: allocated of capacity, and utilisation at the last check-in. */
export class MuStatistic extends LitElement {
  static override properties = { statistic: { attribute: false } };
  declare statistic: Statistic | null;

  static override styles = [
    base,
    css`
      div {
        height: 100%;
        padding: var(--space-3) var(--space-4) var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        background: var(--surface);
      }
      h3 {
        margin: 0;
        font-size: var(--text-l);
        font-weight: 600;
      }
      p {
        margin-bottom: var(--space-3);
      }
      .stale p {
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.statistic = null;
  }

  override render(): unknown {
    const { statistic } = this;
    if (statistic === null) return nothing;
    const { allocated, used, bar, stale } = statistic;
    return html`<div class=${stale ? 'stale' : ''}>
      <h3>${allocated}</h3>
      <p>${used}</p>
      <mu-bar .bar=${bar}></mu-bar>
    </div>`;
  }
}

customElements.define('mu-statistic', MuStatistic);
