import { css, html, LitElement, nothing } from 'lit';
import type { AgentView, UtilizationView } from '../../projections/views.ts';
import { formatBytes } from '../../domain/units.ts';
import { Action } from '../components/action.ts';
import '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { measuredCores } from '../data/amounts.ts';
import { utilizationOf } from '../data/gateway.ts';
import { historyColumns, historyHours, type HistoryHour } from '../data/history.ts';
import { base } from '../styles/base.ts';

/** What one agent used in the last 24 hours: two charts, and the same by the hour in a table. */
export class MuHistoryDialog extends LitElement {
  static override properties = { agent: { attribute: false }, view: { state: true } };
  declare agent: AgentView | null;
  declare view: UtilizationView | null;
  readonly #load = new Action(this);

  static override styles = [
    base,
    css`
      .content {
        display: grid;
        gap: var(--space-5);
        min-height: 26rem;
        align-content: start;
      }
      summary {
        width: fit-content;
        color: var(--accent);
        font-weight: 500;
      }
      .scroll {
        max-height: 18rem;
        overflow: auto;
        margin-top: var(--space-2);
      }
      table {
        border-collapse: collapse;
        width: 100%;
      }
      th,
      td {
        text-align: right;
        font-weight: 400;
        padding: var(--space-1) var(--space-2);
        border-top: 1px solid var(--line);
      }
      th:first-child {
        text-align: left;
      }
      thead th {
        color: var(--muted);
        font-size: var(--text-s);
        border-top: 0;
      }
      caption {
        text-align: left;
        color: var(--muted);
        font-size: var(--text-s);
        padding-bottom: var(--space-1);
      }
    `,
  ];

  constructor() {
    super();
    this.agent = null;
    this.view = null;
  }

  override render(): unknown {
    const { agent } = this;
    if (agent === null) return nothing;
    return html`<mu-dialog wide heading="Last 24 hours of ${agent.hostname}">
      <div class="content" aria-busy=${this.#load.busy}>
        <mu-refusal .refusal=${this.#load.refusal}></mu-refusal>
        ${this.#load.busy ? html`<p class="muted" role="status">Loading</p>` : nothing}
        ${this.view === null ? nothing : content(this.view)}
      </div>
    </mu-dialog>`;
  }

  protected override firstUpdated(): void {
    void this.#load.run(async () => {
      const { agent } = this;
      if (agent === null) return;
      const [view] = await Promise.all([utilizationOf(agent.agentId), import('../components/mu-chart.ts')]);
      this.view = view;
    });
  }
}

function content(view: UtilizationView): unknown {
  const { times, cores, gibibytes } = historyColumns(view);
  if (times.length === 0) {
    return html`<p>Nothing was received from this agent in the last 24 hours, so there is nothing to draw.</p>`;
  }
  return html`<mu-chart label="CPU used, cores" unit="" .times=${times} .values=${cores}></mu-chart>
    <mu-chart label="Memory used, GiB" unit="" .times=${times} .values=${gibibytes}></mu-chart>
    <p class="small muted">A break in a line: nothing was received then.</p>
    <details>
      <summary>The same as a table</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Use by the hour">
        <table>
          <caption>
            Use by the hour, local time, newest first
          </caption>
          <thead>
            <tr>
              ${['Hour', 'CPU cores, mean', 'CPU cores, highest', 'Memory, mean', 'Received'].map((name) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${historyHours(view).map(hourRow)}
          </tbody>
        </table>
      </div>
    </details>`;
}

function hourRow(hour: HistoryHour): unknown {
  const at = new Date(hour.at).toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' });
  return html`<tr>
    <th scope="row">${at}</th>
    <td>${hour.cores === null ? 'no data' : measuredCores(hour.cores)}</td>
    <td>${hour.peakCores === null ? 'no data' : measuredCores(hour.peakCores)}</td>
    <td>${hour.memoryBytes === null ? 'no data' : formatBytes(hour.memoryBytes)}</td>
    <td>${hour.coveredPercent} %</td>
  </tr>`;
}

customElements.define('mu-history-dialog', MuHistoryDialog);
