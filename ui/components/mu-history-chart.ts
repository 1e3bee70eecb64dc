import { css, html, LitElement, nothing, svg, unsafeCSS, type PropertyValues } from 'lit';
import uPlot from 'uplot';
import chartStyles from 'uplot/dist/uPlot.min.css?inline';
import { readout, type Marker, type Span, type Timeline, type TimelineLine } from '../data/agentHistory.ts';
import { timeAtTick, timeText } from '../data/times.ts';
import { base } from '../styles/base.ts';

/** Dashes of the lines, in px, so that they differ without colour. */
const DASHES: Readonly<Record<TimelineLine['kind'], readonly number[]>> = {
  used: [],
  lowest: [],
  highest: [],
  allocated: [7, 3],
  capacity: [2, 3],
};
const NAMES = [
  ['used', 'used (mean, shaded from lowest to highest)'],
  ['allocated', 'allocated'],
  ['capacity', 'capacity'],
] as const;
const HEIGHT = 180;
/** A shorter drag is a click. */
const LEAST_DRAG = 6;

/**
 * Lines over time. All charts of a page share one cursor, and dragging across one dispatches `zoomed` with the time that was
 * marked. Loaded only when somebody looks at a history.
 */
export class MuHistoryChart extends LitElement {
  static override properties = {
    timeline: { attribute: false },
    span: { attribute: false },
    markers: { attribute: false },
    place: { state: true },
  };
  declare timeline: Timeline | null;
  declare span: Span;
  declare markers: readonly Marker[];
  /** Where the cursor is, as a place in `timeline.times`. */
  declare place: number | null;
  #chart: uPlot | null = null;
  readonly #resize = new ResizeObserver(() => this.#fit());
  /** A canvas keeps the colours it was drawn with, so another colour scheme means another drawing. */
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = (): void => this.#draw();

  static override styles = [
    base,
    unsafeCSS(chartStyles),
    css`
      h3 {
        margin: 0;
        font-size: var(--text-m);
        font-weight: 550;
      }
      .readout,
      .key {
        font-size: var(--text-s);
        color: var(--muted);
      }
      .readout {
        display: block;
        min-height: 1.45em;
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .plot {
        height: ${HEIGHT}px;
        overflow: hidden;
        cursor: crosshair;
      }
      .u-select {
        background: color-mix(in srgb, var(--accent) 18%, transparent);
      }
      .key {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-4);
      }
      .key span {
        display: inline-flex;
        gap: 0.5em;
        align-items: center;
      }
      svg {
        width: 22px;
        height: 8px;
      }
      .used {
        color: var(--used);
      }
      .allocated {
        color: var(--allocated-line);
      }
      .capacity {
        color: var(--text);
      }
    `,
  ];

  constructor() {
    super();
    this.timeline = null;
    this.span = { from: 0, to: 0 };
    this.markers = [];
    this.place = null;
  }

  override render(): unknown {
    const { timeline, place } = this;
    if (timeline === null) return nothing;
    const kinds = new Set(timeline.lines.map(({ kind }) => kind));
    const at = place === null ? undefined : timeline.times[place];
    return html`<figure>
      <figcaption>
        <h3>${timeline.label}, ${timeline.unit}</h3>
        <span class="readout"
          >${at === undefined || place === null ? nothing : `${timeText(at * 1000)}: ${readout(timeline, place) ?? 'no data'}`}</span
        >
      </figcaption>
      <div class="plot" role="img" aria-label="Chart: ${timeline.label}. The table below has the numbers."></div>
      <p class="key" aria-hidden="true">
        ${NAMES.filter(([kind]) => kinds.has(kind)).map(([kind, name]) => html`<span class=${kind}>${swatch(kind)}<span class="muted">${kind === 'used' && !kinds.has('lowest') ? 'used' : name}</span></span>`)}
      </p>
    </figure>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('timeline') || changed.has('span') || changed.has('markers')) this.#draw();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#scheme.addEventListener('change', this.#redraw);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scheme.removeEventListener('change', this.#redraw);
    this.#resize.disconnect();
    this.#chart?.destroy();
    this.#chart = null;
  }

  #draw(): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.plot');
    const { timeline } = this;
    if (place === null || timeline === null) return;
    this.#chart?.destroy();
    const columns = [[...timeline.times], ...timeline.lines.map(({ values }) => [...values])] as uPlot.AlignedData;
    this.#chart = new uPlot(this.#options(place.clientWidth, timeline), columns, place);
    this.#resize.observe(place);
  }

  #fit(): void {
    const width = this.renderRoot.querySelector('.plot')?.clientWidth ?? 0;
    if (this.#chart !== null && width > 0 && width !== this.#chart.width) {
      this.#chart.setSize({ width, height: HEIGHT });
    }
  }

  #options(width: number, { lines }: Timeline): uPlot.Options {
    const token = this.#token;
    const { from, to } = this.span;
    const axis: uPlot.Axis = {
      stroke: token('--muted'),
      font: `11px ${getComputedStyle(this).fontFamily}`,
      grid: { stroke: token('--line'), width: 1 },
      ticks: { show: false },
    };
    const [highest, lowest] = ['highest', 'lowest'].map((kind) => lines.findIndex((line) => line.kind === kind) + 1);
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        // Only where the cursor is: what is dragged on one chart is not dragged on the others.
        sync: { key: 'timelines', filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
      },
      scales: {
        x: { range: () => [from / 1000, to / 1000] },
        y: { range: (_chart, _low, high) => [0, Math.max(high * 1.2, 0.1)] },
      },
      axes: [
        {
          ...axis,
          size: 28,
          values: (_chart, times, _axis, _space, step) => times.map((at) => timeAtTick(at * 1000, step)),
        },
        { ...axis, size: 48, values: (_chart, values) => values.map((value) => String(Number(value.toFixed(2)))) },
      ],
      bands:
        highest && lowest
          ? [{ series: [highest, lowest], fill: token('color-mix(in srgb, var(--used) 22%, transparent)') }]
          : [],
      series: [{}, ...lines.map((line) => this.#series(line))],
      hooks: {
        setCursor: [({ cursor }) => (this.place = cursor.idx ?? null)],
        setSelect: [(chart) => this.#selected(chart)],
        draw: [(chart) => this.#drawMarkers(chart)],
      },
    };
  }

  #series({ kind, values }: TimelineLine): uPlot.Series {
    const stepped = kind === 'allocated' || kind === 'capacity';
    const colour = { used: '--used', allocated: '--allocated-line', capacity: '--text', lowest: null, highest: null }[
      kind
    ];
    const alone = kind === 'used' ? alonePlaces(values) : [];
    const paths = stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
    return {
      stroke: colour === null ? 'transparent' : this.#token(colour),
      width: 1.5,
      dash: [...DASHES[kind]],
      spanGaps: false,
      points: { show: alone.length > 0, size: 4, filter: () => [...alone] },
      ...(paths === undefined ? {} : { paths }),
    };
  }

  #selected(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width < LEAST_DRAG) return;
    const [from, to] = [chart.posToVal(left, 'x') * 1000, chart.posToVal(left + width, 'x') * 1000];
    chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.dispatchEvent(new CustomEvent<Span>('zoomed', { detail: { from, to } }));
  }

  /** A dashed line with a numbered flag for each change of settings; what the number means stands below the charts. */
  #drawMarkers(chart: uPlot): void {
    const { ctx, bbox } = chart;
    const ratio = devicePixelRatio;
    const [line, flag, text] = [this.#token('--warn'), this.#token('--warn'), this.#token('--page')];
    ctx.save();
    ctx.font = `600 ${10 * ratio}px ${getComputedStyle(this).fontFamily}`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (const { at, number } of this.markers) {
      const x = Math.round(chart.valToPos(at, 'x', true));
      ctx.strokeStyle = line;
      ctx.lineWidth = ratio;
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const [wide, high] = [(number > 9 ? 18 : 13) * ratio, 13 * ratio];
      ctx.fillStyle = flag;
      ctx.fillRect(x - wide / 2, bbox.top, wide, high);
      ctx.fillStyle = text;
      ctx.fillText(String(number), x, bbox.top + high / 2 + ratio / 2);
    }
    ctx.restore();
  }

  /** A token may be a `light-dark()` pair, which a canvas does not understand: an element resolves it first. */
  readonly #token = (name: string): string => {
    const probe = document.createElement('i');
    probe.style.setProperty('color', name.startsWith('--') ? `var(${name})` : name);
    this.renderRoot.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}

/** Places between two gaps: there a line has no length, so they get a point. */
function alonePlaces(values: TimelineLine['values']): readonly number[] {
  const told = values.flatMap((value, place) => (value === undefined ? [] : [{ place, value }]));
  return told.flatMap(({ place, value }, index) => {
    const [before, after] = [told[index - 1]?.value ?? null, told[index + 1]?.value ?? null];
    return value !== null && before === null && after === null ? [place] : [];
  });
}

function swatch(kind: TimelineLine['kind']): unknown {
  return svg`<svg viewBox="0 0 22 8"><line x1="0" y1="4" x2="22" y2="4" stroke="currentColor" stroke-width="2" stroke-dasharray=${DASHES[kind].join(' ') || 'none'} /></svg>`;
}

customElements.define('mu-history-chart', MuHistoryChart);
