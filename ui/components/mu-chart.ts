import { css, html, LitElement, unsafeCSS } from 'lit';
import uPlot from 'uplot';
import chartStyles from 'uplot/dist/uPlot.min.css?inline';
import { base } from '../styles/base.ts';

/** One line over time. A null is a gap and stays one. Loaded only when somebody looks at a history. */
export class MuChart extends LitElement {
  static override properties = {
    label: {},
    unit: {},
    times: { attribute: false },
    values: { attribute: false },
  };
  declare label: string;
  declare unit: string;
  /** Seconds since the epoch, one per bucket. */
  declare times: readonly number[];
  declare values: readonly (number | null)[];
  #chart: uPlot | null = null;
  readonly #resize = new ResizeObserver(() => this.#fit());
  /** A canvas keeps the colours it was drawn with, so another colour scheme means another drawing. */
  readonly #scheme = matchMedia('(prefers-color-scheme: dark)');
  readonly #redraw = (): void => this.requestUpdate();

  static override styles = [
    base,
    unsafeCSS(chartStyles),
    css`
      figcaption {
        font-weight: 550;
        margin-bottom: var(--space-1);
      }
      .plot {
        height: 170px;
        overflow: hidden;
      }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.unit = '';
    this.times = [];
    this.values = [];
  }

  override render(): unknown {
    return html`<figure>
      <figcaption>${this.label}</figcaption>
      <div class="plot" role="img" aria-label="Line chart: ${this.label}. The table below has the numbers."></div>
    </figure>`;
  }

  protected override updated(): void {
    const place = this.renderRoot.querySelector<HTMLElement>('.plot');
    if (place === null) return;
    this.#chart?.destroy();
    this.#chart = new uPlot(this.#options(place.clientWidth), [[...this.times], [...this.values]], place);
    this.#resize.observe(place);
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

  #fit(): void {
    const width = this.renderRoot.querySelector('.plot')?.clientWidth ?? 0;
    if (this.#chart !== null && width > 0 && width !== this.#chart.width) this.#chart.setSize({ width, height: 170 });
  }

  #options(width: number): uPlot.Options {
    const token = this.#token;
    const axis: uPlot.Axis = {
      stroke: token('--muted'),
      font: `11px ${token('font-family')}`,
      grid: { stroke: token('--line'), width: 1 },
      ticks: { show: false },
    };
    return {
      width,
      height: 170,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_chart, _low, high) => [0, Math.max(high * 1.1, 0.1)] } },
      axes: [
        { ...axis, size: 28, values: (_chart, times) => times.map((time) => hourMinute(time)) },
        {
          ...axis,
          size: 56,
          values: (_chart, values) => values.map((value) => `${Number(value.toFixed(2))} ${this.unit}`),
        },
      ],
      series: [{}, { stroke: token('--used'), width: 1.5, spanGaps: false, points: { show: false } }],
    };
  }

  /** A token may be a `light-dark()` pair, which a canvas does not understand: an element resolves it first. */
  readonly #token = (name: string): string => {
    if (name === 'font-family') return getComputedStyle(this).fontFamily;
    const probe = document.createElement('i');
    probe.style.setProperty('color', `var(${name})`);
    this.renderRoot.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };
}

/** Local time of day, 24 hours. */
function hourMinute(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

customElements.define('mu-chart', MuChart);
