import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import { KEPT_LINES, NO_OUTPUT, type Output, type ShownLine } from '../data/output.ts';
import { base, form } from '../styles/base.ts';

/** Lines that are drawn as one: of a long output only the last such block changes. */
const BLOCK = 200;
/** Distance from the end, in pixels, at which the newest line is still followed. */
const NEAR_END = 24;

/** What a program has printed. Dispatches `pause-wish`, with whether to pause. */
export class MuOutput extends LitElement {
  static override properties = {
    output: { attribute: false },
    paused: { type: Boolean },
    status: {},
    over: { type: Boolean },
    wrap: { state: true },
    search: { state: true },
    copied: { state: true },
  };
  declare output: Output;
  declare paused: boolean;
  /** Where it stands, in a sentence. */
  declare status: string;
  /** Nothing more comes, so there is nothing to pause. */
  declare over: boolean;
  declare wrap: boolean;
  declare search: string;
  declare copied: string;
  #follows = true;

  static override styles = [
    base,
    form,
    css`
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2) var(--space-3);
        align-items: center;
        padding: var(--space-2) var(--space-3);
        border-bottom: 1px solid var(--line);
      }
      .bar input[type='search'] {
        width: 14rem;
        flex: 0 1 14rem;
        min-height: 2.125rem;
      }
      .count {
        color: var(--muted);
        font-size: var(--text-s);
      }
      .push {
        margin-left: auto;
      }
      .lines {
        height: min(28rem, 60vh);
        overflow: auto;
        padding: var(--space-2) var(--space-3);
        background: var(--sunken);
        font: var(--text-s) / 1.5 var(--font-mono);
        tab-size: 4;
      }
      .lines:focus-visible {
        outline-offset: -2px;
      }
      .block {
        content-visibility: auto;
        contain-intrinsic-height: auto ${BLOCK * 18}px;
      }
      .line {
        white-space: pre;
        min-height: 1.5em;
      }
      .wrap .line {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .complaint::before {
        content: 'err ';
        color: var(--danger);
        font-weight: 600;
      }
      mark {
        color: var(--text);
        background: var(--warn-soft);
        outline: 1px solid var(--warn);
      }
      .status {
        padding: var(--space-2) var(--space-3);
        border-top: 1px solid var(--line);
        color: var(--muted);
        font-size: var(--text-s);
      }
    `,
  ];

  constructor() {
    super();
    this.output = NO_OUTPUT;
    this.paused = false;
    this.status = '';
    this.over = false;
    this.wrap = true;
    this.search = '';
    this.copied = '';
  }

  override render(): unknown {
    const { lines, dropped } = this.output;
    const found = this.#found();
    return html`<div class="bar">
        ${
          this.over
            ? nothing
            : html`<button type="button" aria-pressed=${this.paused} @click=${this.#pause}>
                ${this.paused ? 'Go on' : 'Pause'}
              </button>`
        }
        <label class="choice"
          ><input
            type="checkbox"
            .checked=${this.wrap}
            @change=${() => {
              this.wrap = !this.wrap;
            }}
          />Wrap lines</label
        >
        <input
          type="search"
          aria-label="Search in the output"
          placeholder="Search"
          .value=${this.search}
          @input=${this.#searched}
        />
        <span class="count" role="status">${this.search === '' ? '' : `${found.length} of ${lines.length} lines`}</span>
        <span class="count push" role="status">${this.copied}</span>
        <button type="button" ?disabled=${found.length === 0} @click=${this.#copy}>Copy</button>
      </div>
      <div
        class="lines ${this.wrap ? 'wrap' : ''}"
        role="log"
        aria-live="off"
        aria-label="Output"
        tabindex="0"
        @scroll=${this.#scrolled}
      >
        ${dropped === 0 ? nothing : html`<p class="muted">The newest ${KEPT_LINES} lines; ${dropped} older ones were let go.</p>`}
        ${this.#blocks(found)}
      </div>
      <p class="status" role="status">${this.status}</p>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (!changed.has('output') || !this.#follows || this.search !== '') return;
    const lines = this.renderRoot.querySelector('.lines');
    if (lines !== null) lines.scrollTop = lines.scrollHeight;
  }

  #found(): readonly ShownLine[] {
    const { lines } = this.output;
    const wanted = this.search.toLowerCase();
    return wanted === '' ? lines : lines.filter(({ text }) => text.toLowerCase().includes(wanted));
  }

  /** By number, so that a block keeps its lines, and its place in the page, as older ones are let go. */
  #blocks(lines: readonly ShownLine[]): unknown {
    const blocks = new Map<number, ShownLine[]>();
    for (const line of lines) {
      const block = Math.floor(line.number / BLOCK);
      const before = blocks.get(block);
      if (before === undefined) blocks.set(block, [line]);
      else before.push(line);
    }
    return repeat(
      blocks,
      ([block]) => block,
      ([, own]) =>
        html`<div class="block">
          ${guard([own[0]?.number, own.at(-1)?.number, own.length, this.search], () => own.map((line) => this.#line(line)))}
        </div>`,
    );
  }

  #line({ at, text, isError }: ShownLine): unknown {
    return html`<div class="line ${isError ? 'complaint' : ''}" title=${at ?? nothing}>${this.#marked(text)}</div>`;
  }

  #marked(text: string): unknown {
    if (this.search === '') return text;
    const at = text.toLowerCase().indexOf(this.search.toLowerCase());
    if (at < 0) return text;
    const end = at + this.search.length;
    return html`${text.slice(0, at)}<mark>${text.slice(at, end)}</mark>${text.slice(end)}`;
  }

  readonly #pause = (): void => {
    this.dispatchEvent(new CustomEvent<boolean>('pause-wish', { detail: !this.paused }));
  };

  readonly #searched = (event: InputEvent): void => {
    if (event.target instanceof HTMLInputElement) this.search = event.target.value;
  };

  /** Whoever scrolls up wants to read there; back at the end the newest is followed again. */
  readonly #scrolled = (event: Event): void => {
    if (!(event.target instanceof HTMLElement)) return;
    const { scrollTop, scrollHeight, clientHeight } = event.target;
    this.#follows = scrollHeight - scrollTop - clientHeight < NEAR_END;
  };

  readonly #copy = async (): Promise<void> => {
    const found = this.#found();
    const text = found.map((line) => `${line.text}\n`).join('');
    try {
      await navigator.clipboard.writeText(text);
      this.copied = `${found.length} lines copied`;
    } catch (error) {
      // Browsers refuse it on a page that came by plain HTTP, or when the reader does.
      if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error;
      this.copied = 'This browser does not let the page copy; select the lines instead.';
    }
  };
}

customElements.define('mu-output', MuOutput);
