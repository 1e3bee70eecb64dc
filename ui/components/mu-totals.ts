import { css, html, LitElement, nothing } from 'lit';
import type { FleetTotals } from '../../projections/views.ts';
import { agentCounts, closedText, sessionCounts, totalBars } from '../data/totals.ts';
import { base } from '../styles/base.ts';
import './mu-bar.ts';
import './mu-counts.ts';

/** What the whole fleet has, holds and uses, and its agents and sessions by state. */
export class MuTotals extends LitElement {
  static override properties = { totals: { attribute: false }, now: { attribute: false } };
  declare totals: FleetTotals | null;
  /** The server's time, in milliseconds. */
  declare now: number;

  static override styles = [
    base,
    css`
      .panel {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: var(--space-4) var(--space-5);
        padding: var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        background: var(--surface);
      }
      .wide {
        grid-column: 1 / -1;
      }
      .counts {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--space-3) var(--space-5);
      }
      h3 {
        margin-bottom: var(--space-1);
        font-size: var(--text-s);
        font-weight: 400;
        color: var(--muted);
      }
      @media (max-width: 45rem) {
        .panel,
        .counts {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.totals = null;
    this.now = 0;
  }

  override render(): unknown {
    const { totals } = this;
    if (totals === null) return nothing;
    const bars = totalBars(totals, this.now);
    const closed = closedText(totals);
    return html`<div class="panel">
      ${
        bars.length === 0
          ? html`<p class="wide muted">What the fleet has is known once an agent is approved and has checked in.</p>`
          : bars.map((bar) => html`<mu-bar .bar=${bar}></mu-bar>`)
      }
      ${closed === null ? nothing : html`<p class="wide small muted">${closed}</p>`}
      <div class="wide counts">
        <div>
          <h3>Agents</h3>
          <mu-counts label="Agents by state" .counts=${agentCounts(totals)}></mu-counts>
        </div>
        <div>
          <h3>Sessions</h3>
          <mu-counts label="Sessions by phase" .counts=${sessionCounts(totals)}></mu-counts>
        </div>
      </div>
    </div>`;
  }
}

customElements.define('mu-totals', MuTotals);
