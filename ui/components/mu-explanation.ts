import { css, html, LitElement, nothing } from 'lit';
import type { Candidate, Explanation, Reason } from '../../domain/placement/explanation.ts';
import { otherRulesSentence, restSentence } from '../../domain/placement/restSentence.ts';
import { asSentence, headline, outcomeText, splitReasons, type Tense } from '../data/explain.ts';
import { base } from '../styles/base.ts';
import './mu-state.ts';
import type { Tone } from './mu-state.ts';

/** Candidates shown at once; the rest is one step away. */
const SHOWN = 6;

const TONES: Readonly<Record<Candidate['outcome'], Tone>> = { chosen: 'ok', fits: 'idle', refused: 'warn' };

/** Why a session went, goes or would go where it does: agents with what every rule said about them, and how many more. */
export class MuExplanation extends LitElement {
  static override properties = { explanation: { attribute: false }, tense: {} };
  declare explanation: Explanation | null;
  declare tense: Tense;

  static override styles = [
    base,
    css`
      .headline {
        font-weight: 600;
        margin-bottom: var(--space-2);
      }
      li.candidate {
        display: grid;
        grid-template-columns: minmax(7rem, 11rem) 1fr;
        gap: var(--space-1) var(--space-4);
        padding: var(--space-2) 0;
        border-top: 1px solid var(--line);
      }
      .who strong {
        display: block;
        font-weight: 550;
        overflow-wrap: anywhere;
      }
      .group {
        font-size: var(--text-s);
        color: var(--muted);
      }
      .reason + .reason,
      .group + .reasons + .group {
        margin-top: var(--space-1);
      }
      .fix {
        display: block;
        color: var(--muted);
      }
      .none,
      .rest {
        color: var(--muted);
      }
      .rest {
        margin-top: var(--space-2);
        overflow-wrap: anywhere;
      }
      @media (max-width: 40rem) {
        li.candidate {
          grid-template-columns: 1fr;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.explanation = null;
    this.tense = 'result';
  }

  override render(): unknown {
    const { explanation } = this;
    if (explanation === null) return nothing;
    const { candidates } = explanation;
    return html`<p class="headline">${headline(explanation, this.tense)}</p>
      ${candidates.length === 0 ? html`<p class="none">There is no agent yet. The first one appears as soon as it connects.</p>` : nothing}
      <ul>
        ${candidates.slice(0, SHOWN).map(candidateItem)}
      </ul>
      ${
        candidates.length > SHOWN
          ? html`<details>
              <summary>${candidates.length - SHOWN} more agents</summary>
              <ul>
                ${candidates.slice(SHOWN).map(candidateItem)}
              </ul>
            </details>`
          : nothing
      }
      ${restItem(explanation)}`;
  }
}

function restItem(explanation: Explanation): unknown {
  return [restSentence(explanation), otherRulesSentence(explanation)].map((sentence) =>
    sentence === null ? nothing : html`<p class="rest">${asSentence(sentence)}</p>`,
  );
}

function candidateItem(candidate: Candidate): unknown {
  const { never, notNow } = splitReasons(candidate.reasons);
  const refused = candidate.outcome === 'refused';
  return html`<li class="candidate">
    <div class="who">
      <strong>${candidate.agentId}</strong>
      <mu-state class="small" tone=${TONES[candidate.outcome]} text=${outcomeText(candidate)}></mu-state>
    </div>
    <div>
      ${refused ? group('Never: edit the image or the agent', never) : nothing}
      ${refused ? group('Not now: waiting or a change helps', notNow) : candidate.reasons.map(reasonItem)}
      ${
        candidate.reasons.length > 0
          ? nothing
          : html`<p class="none">
              ${candidate.outcome === 'chosen' ? 'Every rule holds, and it comes first in the order.' : 'Every rule holds.'}
            </p>`
      }
    </div>
  </li>`;
}

function group(title: string, reasons: readonly Reason[]): unknown {
  if (reasons.length === 0) return nothing;
  return html`<p class="group">${title}</p>
    <div class="reasons">${reasons.map(reasonItem)}</div>`;
}

function reasonItem(reason: Reason): unknown {
  return html`<p class="reason">
    ${asSentence(reason.sentence)} <code>${reason.code}</code>
    ${reason.fix === null ? nothing : html`<span class="fix">To mend: ${asSentence(reason.fix)}</span>`}
  </p>`;
}

customElements.define('mu-explanation', MuExplanation);
