import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { formatBytes } from '../../domain/units.ts';
import type { UtilizationView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-refusal.ts';
import { measuredCores } from '../data/amounts.ts';
import { capacityIn, utilizationIn } from '../data/gateway.ts';
import { exactTime, timeText } from '../data/times.ts';
import {
  LEAST_MS,
  lookIn,
  markersOf,
  moved,
  queryOf,
  RANGES,
  rowsOf,
  spanOf,
  timelinesOf,
  type CapacityView,
  type Look,
  type Marker,
  type Span,
  type Timeline,
  type TimelineRow,
} from '../data/agentHistory.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { changeQuery } from './events.ts';
import { historyStyles } from './historyStyles.ts';

/** What is on screen: drawn once for each answer. */
interface Drawn {
  readonly span: Span;
  readonly view: UtilizationView;
  readonly capacity: CapacityView;
  readonly timelines: readonly Timeline[];
  readonly markers: readonly Marker[];
}

const MOVES = [
  ['in', 'Zoom in'],
  ['out', 'Zoom out'],
  ['earlier', 'Earlier'],
  ['later', 'Later'],
] as const;
/** What shows the time up to now is asked for again so often at most. */
const FRESH_MS = 10_000;

/** The history of one agent: what was used, capacity and allocated, and who changed its settings. */
export class MuAgentHistory extends LitElement {
  static override properties = {
    agentId: { attribute: false },
    now: { attribute: false },
    query: { attribute: false },
    drawn: { state: true },
  };
  declare agentId: string;
  /** The server's time, in milliseconds. */
  declare now: number;
  /** What stands in the address: range and zoom. */
  declare query: string;
  declare drawn: Drawn | null;
  readonly #load = new Action(this);
  /** What is shown or on its way, and when that was asked for. */
  #asked = '';
  #askedAt = 0;

  static override styles = [base, section, historyStyles];

  constructor() {
    super();
    this.agentId = '';
    this.now = 0;
    this.query = '';
    this.drawn = null;
  }

  override render(): unknown {
    const look = lookIn(this.query);
    const { drawn } = this;
    return html`<section aria-labelledby="history">
      <div class="top">
        <h3 id="history">History</h3>
        ${this.#controls(look)}
      </div>
      <mu-refusal .refusal=${this.#load.refusal}></mu-refusal>
      ${this.#load.refusal === null ? nothing : html`<button type="button" @click=${this.#again}>Try again</button>`}
      <div class="content" aria-busy=${this.#load.busy}>
        ${drawn === null ? html`<p class="muted waiting" role="status">Loading</p>` : this.#content(drawn)}
      </div>
    </section>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const look = lookIn(this.query);
    const asked = `${this.agentId}?${queryOf(look)}`;
    if (changed.has('agentId') && changed.get('agentId') !== undefined) this.drawn = null;
    const span = spanOf(look, this.now);
    const isOld = look.zoom === null && this.now - this.#askedAt > Math.max(FRESH_MS, (span.to - span.from) / 1000);
    if (this.now === 0 || (asked === this.#asked && (!isOld || this.#load.refusal !== null))) return;
    this.#asked = asked;
    this.#askedAt = this.now;
    void this.#ask(asked, span);
  }

  async #ask(asked: string, span: Span): Promise<void> {
    await this.#load.run(async () => {
      const { agentId } = this;
      const [view, capacity] = await Promise.all([
        utilizationIn(agentId, span),
        capacityIn(agentId, span),
        import('../components/mu-history-chart.ts'),
      ]);
      if (asked !== this.#asked) return;
      const markers = markersOf(capacity, span);
      this.drawn = { span, view, capacity, markers, timelines: timelinesOf(view, capacity, span) };
    });
    // Something else was asked for meanwhile.
    if (asked !== this.#asked) await this.#ask(this.#asked, spanOf(lookIn(this.query), this.now));
  }

  readonly #again = (): void => {
    this.#asked = '';
    this.requestUpdate();
  };

  #controls({ range, zoom }: Look): unknown {
    const span = spanOf({ range, zoom }, this.now);
    const cannot = { in: span.to - span.from <= LEAST_MS, out: false, earlier: false, later: span.to >= this.now };
    return html`<div class="controls">
      <div class="ranges" role="group" aria-label="Time shown">
        ${RANGES.map(
          ({ id, text }) =>
            html`<button
              type="button"
              aria-pressed=${zoom === null && id === range}
              @click=${() => this.#show({ range: id, zoom: null })}
            >
              ${text}
            </button>`,
        )}
      </div>
      <div class="moves" role="group" aria-label="Move and zoom">
        ${MOVES.map(
          ([how, text]) =>
            html`<button
              class="quiet"
              type="button"
              ?disabled=${cannot[how]}
              @click=${() => this.#show({ range, zoom: moved(span, how, this.now) })}
            >
              ${text}
            </button>`,
        )}
        ${zoom === null ? nothing : html`<button type="button" @click=${() => this.#show({ range, zoom: null })}>Back to ${RANGES.find(({ id }) => id === range)?.text}</button>`}
      </div>
    </div>`;
  }

  #show(look: Look): void {
    changeQuery(this, queryOf(look));
  }

  #content({ span, view, capacity, timelines, markers }: Drawn): unknown {
    const dated = { withYear: new Date(span.from).getFullYear() !== new Date(span.to).getFullYear() };
    return html`<p class="small muted">
        ${timeText(span.from, dated)} to ${timeText(span.to, dated)}, a point every ${stepText(view.stepSeconds)}. Drag
        across a chart to zoom. A break in a line: nothing was received then.
        ${capacity.since > span.from ? `Capacity and allocated are known since ${timeText(capacity.since, dated)}.` : nothing}
        ${capacity.thinnedToSeconds === null ? nothing : `Where capacity and allocated changed very often, the ends, the lowest and the highest of every ${stepText(capacity.thinnedToSeconds)} are drawn.`}
      </p>
      ${view.samples.length === 0 ? html`<p>Nothing was received from this agent in this time.</p>` : nothing}
      <div class="charts">
        ${timelines.map(
          (timeline) =>
            html`<mu-history-chart
              .timeline=${timeline}
              .span=${span}
              .markers=${markers}
              @zoomed=${(event: CustomEvent<Span>) => this.#show({ ...lookIn(this.query), zoom: event.detail })}
            ></mu-history-chart>`,
        )}
      </div>
      ${markers.length === 0 ? nothing : changes(markers)}
      <details>
        <summary>The same as a table</summary>
        <div class="scroll" tabindex="0" role="region" aria-label="Use through time">${table(rowsOf(view, span))}</div>
      </details>`;
  }
}

function changes(markers: readonly Marker[]): unknown {
  return html`<h4 id="changes">Changes of settings in this time</h4>
    <ol class="changes" aria-labelledby="changes">
      ${markers.map(
        ({ at, number, sentence, by }) =>
          html`<li>
            <span class="flag">${number}</span
            ><span
              ><time class="muted">${exactTime(at * 1000)}</time> ${sentence} <span class="muted">${by}</span></span
            >
          </li>`,
      )}
    </ol>`;
}

function table(rows: readonly TimelineRow[]): unknown {
  return html`<table>
    <caption>
      Local time, newest first
    </caption>
    <thead>
      <tr>
        ${['From', 'CPU cores, mean', 'CPU cores, highest', 'Memory, mean', 'Received'].map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            <th scope="row">${timeText(row.at)}</th>
            <td>${row.millicores === null ? 'no data' : measuredCores(row.millicores)}</td>
            <td>${row.mostMillicores === null ? 'no data' : measuredCores(row.mostMillicores)}</td>
            <td>${row.memoryMib === null ? 'no data' : formatBytes(row.memoryMib * 1024 ** 2)}</td>
            <td>${row.receivedPercent} %</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function stepText(seconds: number): string {
  return seconds >= 3600 ? `${seconds / 3600} h` : seconds >= 60 ? `${seconds / 60} min` : `${seconds} s`;
}

customElements.define('mu-agent-history', MuAgentHistory);
