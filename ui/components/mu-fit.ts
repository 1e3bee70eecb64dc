import { css, html, LitElement, nothing } from 'lit';
import type { Explanation } from '../../domain/placement/explanation.ts';
import { REASON_TEXTS } from '../data/reasons.ts';
import { counted } from '../data/amounts.ts';
import { asSentence } from '../data/explain.ts';
import { addressOf } from '../data/page.ts';
import { base } from '../styles/base.ts';
import './mu-state.ts';

/** Agents named at once. */
const NAMED = 6;

/** Where an image could run right now: how many agents fit, and how many of the others say which no. */
export class MuFit extends LitElement {
  static override properties = { explanation: { attribute: false } };
  /** With `fits`. */
  declare explanation: Explanation | null;

  static override styles = [
    base,
    css`
      .fit {
        display: grid;
        gap: var(--space-3);
      }
      .headline mu-state {
        font-weight: 600;
      }
      .label {
        font-size: var(--text-s);
        font-weight: 400;
        color: var(--muted);
      }
      li {
        display: grid;
        grid-template-columns: minmax(3rem, auto) minmax(0, 1fr);
        gap: 0 var(--space-3);
        padding: var(--space-1) 0;
        overflow-wrap: anywhere;
      }
      .agents li {
        grid-template-columns: minmax(0, 1fr) auto;
      }
      .number {
        text-align: right;
        font-weight: 550;
      }
      .fix {
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.explanation = null;
  }

  override render(): unknown {
    const { explanation } = this;
    if (explanation === null) return nothing;
    const { fits = 0, agents, codes } = explanation;
    return html`<div class="fit">
      <p class="headline">
        <mu-state tone=${fits > 0 ? 'ok' : 'warn'} text=${headline(fits, agents)}></mu-state>
      </p>
      ${fits === 0 ? nearest(explanation) : fitting(explanation)}
      ${
        Object.keys(codes).length === 0
          ? nothing
          : html`<div>
              <p class="label">Why not the others (an agent may give several reasons)</p>
              <ul aria-label="Why not the others">
                ${Object.entries(codes).map(
                  ([code, count]) =>
                    html`<li>
                      <span class="number">${count}</span><span>${REASON_TEXTS[code] ?? ''} <code>${code}</code></span>
                    </li>`,
                )}
              </ul>
            </div>`
      }
    </div>`;
  }
}

function headline(fits: number, agents: number): string {
  if (agents === 0) return 'No agent has joined yet';
  if (fits === 0) return `None of ${counted(agents, 'agent', 'agents')} has room now`;
  return `Fits on ${fits} of ${counted(agents, 'agent', 'agents')} now`;
}

/** The next session goes to the first of them. */
function fitting({ candidates }: Explanation): unknown {
  const named = candidates.filter(({ outcome }) => outcome !== 'refused').slice(0, NAMED);
  if (named.length === 0) return nothing;
  return html`<div class="agents">
    <p class="label">The next session goes to the first of them; loads are those with it</p>
    <ol aria-label="Agents that fit best">
      ${named.map(
        ({ agentId, load }) =>
          html`<li>
            <a href=${addressOf({ page: 'agents', id: agentId })}>${agentId}</a>
            <span>${load === null ? nothing : `${Math.round(load * 100)} % loaded`}</span>
          </li>`,
      )}
    </ol>
  </div>`;
}

/** What would make it fit, on the agents that are nearest to it. */
function nearest({ candidates }: Explanation): unknown {
  const near = candidates.filter(({ reasons }) => reasons.every(({ fix }) => fix !== null)).slice(0, 3);
  if (near.length === 0) return nothing;
  return html`<div class="agents">
    <p class="label">What would make it fit</p>
    <ul aria-label="What would make it fit">
      ${near.map(
        ({ agentId, reasons }) =>
          html`<li>
            <span
              ><a href=${addressOf({ page: 'agents', id: agentId })}>${agentId}</a>
              <span class="fix">${asSentence(reasons.map(({ fix }) => fix).join('; '))}</span></span
            >
          </li>`,
      )}
    </ul>
  </div>`;
}

customElements.define('mu-fit', MuFit);
