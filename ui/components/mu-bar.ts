import { css, html, LitElement, nothing } from 'lit';
import { classMap } from 'lit/directives/class-map.js';
import type { Bar } from '../data/bars.ts';
import { base } from '../styles/base.ts';

/**
 * Allocated against used in one bar. Allocated is hatched over the full height, used is a solid stripe inside, so the
 * two differ without colour; the text below says both, and is all that a screen reader needs.
 */
export class MuBar extends LitElement {
  static override properties = {
    bar: { attribute: false },
    brief: { type: Boolean, reflect: true },
    unlabelled: { type: Boolean },
  };
  declare bar: Bar | null;
  /** In a list: one line each, and nothing moves by itself. */
  declare brief: boolean;
  /** The head of its column says what it is. */
  declare unlabelled: boolean;

  static override styles = [
    base,
    css`
      .track {
        position: relative;
        height: 14px;
        border-radius: 3px;
        background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line);
        overflow: hidden;
        margin-bottom: var(--space-1);
      }
      .allocated,
      .used,
      .over {
        position: absolute;
        left: 0;
        transition: width 300ms ease;
      }
      .allocated {
        inset-block: 0;
        width: var(--allocated-width);
        background: repeating-linear-gradient(135deg, var(--allocated) 0 4px, var(--allocated-line) 4px 5px);
      }
      .over {
        inset-block: 0;
        left: var(--capacity-at);
        width: var(--over-width);
        background: repeating-linear-gradient(45deg, var(--danger) 0 3px, var(--danger-soft) 3px 6px);
      }
      .used {
        inset-block: 4px;
        width: var(--used-width);
        background: var(--used);
        border-radius: 0 2px 2px 0;
      }
      .mark {
        position: absolute;
        inset-block: 0;
        width: 2px;
        left: calc(var(--capacity-at) - 1px);
        background: var(--text);
      }
      .mark[hidden] {
        display: none;
      }
      .mark.physical {
        left: calc(var(--physical-at) - 1px);
        background: repeating-linear-gradient(var(--muted) 0 3px, transparent 3px 5px);
      }
      .stale .track {
        filter: grayscale(1);
        opacity: 0.6;
      }
      .none .track {
        visibility: hidden;
      }
      .none .line {
        color: var(--muted);
      }
      .line {
        display: block;
        font-size: var(--text-s);
        line-height: 1.45;
      }
      .stale .line {
        color: var(--muted);
      }
      .line.use {
        color: var(--muted);
        min-height: 1.45em;
      }
      @media (max-width: 45rem) {
        .none .track,
        .none .use {
          display: none;
        }
      }
      .line.beyond {
        color: var(--danger);
      }
      :host([brief]) .line {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        min-height: 0;
      }
      :host([brief]) .none :is(.track, .use) {
        display: none;
      }
      :host([brief]) .allocated,
      :host([brief]) .used,
      :host([brief]) .over {
        transition: none;
      }
    `,
  ];

  constructor() {
    super();
    this.bar = null;
    this.brief = false;
    this.unlabelled = false;
  }

  override render(): unknown {
    const { bar } = this;
    if (bar === null) return nothing;
    return html`<div class=${classMap({ stale: bar.stale, none: bar.none })}>
      <div class="track" aria-hidden="true">
        <div class="allocated"></div>
        <div class="over"></div>
        <div class="used"></div>
        <div class="mark capacity" ?hidden=${bar.capacity >= 1}></div>
        <div class="mark physical" ?hidden=${bar.physical === null || bar.physical >= 1}></div>
      </div>
      <p>
        <span class="line" title=${this.brief ? bar.allocatedText : nothing}>${this.#allocated(bar)} </span
        ><span class="line use" title=${this.brief ? bar.usedText : nothing}>${bar.usedText}</span>
        ${bar.overAllocated === null ? nothing : html`<span class="line beyond">${bar.overAllocated}</span>`}
      </p>
    </div>`;
  }

  #allocated({ label, allocatedText }: Bar): unknown {
    const text = this.brief ? allocatedText.replace(/,$/, '') : allocatedText;
    if (!this.unlabelled) return text;
    return html`<span class="visually-hidden">${label}</span>${text.slice(label.length)}`;
  }

  /** Through the CSSOM: a style attribute in a template breaks the content security policy, and so does `styleMap`. */
  protected override updated(): void {
    const { bar } = this;
    if (bar === null) return;
    const { style } = this;
    style.setProperty('--allocated-width', length(Math.min(bar.allocated, bar.capacity)));
    style.setProperty('--over-width', length(Math.max(0, bar.allocated - bar.capacity)));
    style.setProperty('--used-width', length(bar.used));
    style.setProperty('--capacity-at', length(bar.capacity));
    style.setProperty('--physical-at', length(bar.physical ?? 1));
  }
}

function length(fraction: number): string {
  return `${(Math.min(1, fraction) * 100).toFixed(2)}%`;
}

customElements.define('mu-bar', MuBar);
