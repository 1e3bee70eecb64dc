import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { clockText, dayText } from '../data/times.ts';
import type { Step } from '../data/timeline.ts';
import { base } from '../styles/base.ts';
import './mu-state.ts';

/** What happened to one thing, step by step, oldest first. */
export class MuTimeline extends LitElement {
  static override properties = { steps: { attribute: false }, label: {} };
  declare steps: readonly Step[];
  declare label: string;

  static override styles = [
    base,
    css`
      li {
        display: grid;
        grid-template-columns: 8.5rem minmax(0, 1fr);
        gap: 0 var(--space-4);
      }
      .when {
        text-align: right;
        color: var(--muted);
        font-size: var(--text-s);
        padding-top: 0.1rem;
      }
      .what {
        position: relative;
        padding: 0 0 var(--space-4) var(--space-4);
        border-left: 2px solid var(--line);
        min-width: 0;
        overflow-wrap: anywhere;
      }
      li:last-child .what {
        padding-bottom: 0;
      }
      /* The shape of the state stands on the line. */
      mu-state {
        margin-left: calc(-1 * var(--space-4) - 0.45rem);
        gap: var(--space-3);
        font-weight: 550;
      }
      .detail,
      .who {
        display: block;
        color: var(--muted);
      }
      @media (max-width: 40rem) {
        li {
          grid-template-columns: minmax(0, 1fr);
        }
        .when {
          display: flex;
          flex-wrap: wrap;
          gap: 0 var(--space-2);
          padding-left: var(--space-4);
          border-left: 2px solid var(--line);
        }
      }
      @media (min-width: 40.01rem) {
        .when span {
          display: block;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.steps = [];
    this.label = 'What happened';
  }

  override render(): unknown {
    return html`<ol aria-label=${this.label}>
      ${repeat(
        this.steps,
        ({ id }) => id,
        (step, index) => stepItem(step, this.steps[index - 1]?.at ?? null),
      )}
    </ol>`;
  }
}

/** The day is said where it is another than that of the step before. */
function stepItem({ at, after, title, details, by, reason, tone }: Step, before: string | null): unknown {
  const day = at === null ? '' : dayOf(at);
  return html`<li>
    <div class="when">
      ${day === '' || (before !== null && dayOf(before) === day) ? nothing : html`<span>${day}</span>`}
      <span>${at === null ? 'now' : html`<time datetime=${at} title=${at}>${clockText(Date.parse(at))}</time>`}</span>
      ${after === null ? nothing : html`<span>${at === null ? `for ${after}` : `after ${after}`}</span>`}
    </div>
    <div class="what">
      <mu-state tone=${tone} text=${title}></mu-state>
      ${details.map((detail) => html`<span class="detail">${detail}</span>`)}
      ${by === null ? nothing : html`<span class="who">${by}${reason === null ? nothing : html`: “${reason}”`}</span>`}
    </div>
  </li>`;
}

/** In the reader's own time; the exact one is in the title. */
function dayOf(at: string): string {
  return dayText(Date.parse(at));
}

customElements.define('mu-timeline', MuTimeline);
