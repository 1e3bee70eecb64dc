import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView } from '../../projections/views.ts';
import { MATTERS_SHOWN, type AgentMatters, type AttentionWish, type Matter } from '../data/attention.ts';
import { addressOf } from '../data/page.ts';
import type { GatewayUnreachable, Problem } from '../data/problem.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';
import './mu-refusal.ts';
import './mu-state.ts';
import { NearFocus } from './nearFocus.ts';

export interface AttentionWished {
  readonly wish: AttentionWish;
  readonly agent: AgentView;
}

/** What is under way for an agent: sent and not answered, or refused. */
export interface UnderWay {
  readonly busy: boolean;
  readonly refusal: Problem | GatewayUnreachable | null;
}

const WISH_TEXTS: Readonly<Record<AttentionWish, string>> = {
  approve: 'Approve',
  'declare-lost': 'Declare lost',
  override: 'Override',
};

/** Agents that somebody should look at: what is the matter, how it is mended, and what can be done here. Dispatches `attention-wish`. */
export class MuAttention extends LitElement {
  static override properties = {
    matters: { attribute: false },
    underWay: { attribute: false },
    may: { attribute: false },
  };
  /** What matters most first. */
  declare matters: readonly AgentMatters[];
  /** By agent. */
  declare underWay: ReadonlyMap<string, UnderWay>;
  /** The role of who is signed in. */
  declare may: Role;

  static override styles = [
    base,
    css`
      .panel {
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        background: var(--surface);
      }
      .agent {
        display: grid;
        grid-template-columns: minmax(8rem, 13rem) minmax(0, 1fr);
        gap: var(--space-2) var(--space-5);
        padding: var(--space-3) var(--space-4);
        overflow-wrap: anywhere;
      }
      .agent + .agent {
        border-top: 1px solid var(--line);
      }
      .agent > a {
        font-weight: 550;
      }
      .matters {
        display: grid;
        gap: var(--space-3);
      }
      .matter {
        display: grid;
        grid-template-columns: minmax(0, 9rem) minmax(0, 1fr) auto;
        gap: var(--space-1) var(--space-4);
        align-items: start;
      }
      .matter mu-state {
        font-weight: 550;
      }
      .mend {
        display: block;
        color: var(--muted);
      }
      .wide {
        grid-column: 1 / -1;
      }
      .more {
        padding: var(--space-3) var(--space-4);
        border-top: 1px solid var(--line);
      }
      @media (max-width: 60rem) {
        .agent,
        .matter {
          grid-template-columns: minmax(0, 1fr);
        }
        .matter button {
          justify-self: start;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.matters = [];
    this.underWay = new Map();
    this.may = 'admin';
  }

  override render(): unknown {
    const { matters } = this;
    const more = matters.length - MATTERS_SHOWN;
    const all = addressOf({ page: 'agents', query: 'attention=1' });
    return html`<div class="panel">
      <ul aria-label="Agents that need attention">
        ${repeat(
          matters.slice(0, MATTERS_SHOWN),
          ({ agent }) => agent.agentId,
          (each) => this.#agent(each),
        )}
      </ul>
      ${more > 0 ? html`<p class="more"><a href=${all}>${more} more in the table of agents</a></p>` : nothing}
    </div>`;
  }

  #agent({ agent, matters }: AgentMatters): unknown {
    const refusal = this.underWay.get(agent.agentId)?.refusal ?? null;
    return html`<li class="agent">
      <a href=${addressOf({ page: 'agents', id: agent.agentId })}>${agent.hostname}</a>
      <ul class="matters" aria-label="What is the matter with ${agent.hostname}">
        ${matters.map((each) => this.#matter(agent, each))}
      </ul>
      <mu-refusal class="wide" .refusal=${refusal}></mu-refusal>
    </li>`;
  }

  #matter(agent: AgentView, { name, tone, sentence, mend, wish }: Matter): unknown {
    return html`<li class="matter">
      <mu-state tone=${tone} text=${name}></mu-state>
      <p>
        ${sentence} ${mend === null ? nothing : html`<span class="mend">${mend}</span>`}
        ${
          wish === 'approve' && agent.fingerprint !== null
            ? html`<span class="mend">Fingerprint <code>${agent.fingerprint}</code></span>`
            : nothing
        }
      </p>
      ${wish === null ? nothing : this.#button(agent, wish)}
    </li>`;
  }

  #button(agent: AgentView, wish: AttentionWish): unknown {
    const why = whyNot(this.may, wish === 'approve' ? 'admin' : 'operator');
    const busy = wish === 'approve' && this.underWay.get(agent.agentId)?.busy === true;
    const detail: AttentionWished = { wish, agent };
    return html`<button
      class=${wish === 'approve' ? 'primary' : ''}
      type="button"
      aria-disabled=${busy}
      ?disabled=${why !== null}
      title=${why ?? nothing}
      @click=${() => this.dispatchEvent(new CustomEvent<AttentionWished>('attention-wish', { detail }))}
    >
      ${busy ? 'Saving' : WISH_TEXTS[wish]}<span class="visually-hidden"> ${agent.hostname}</span>
    </button>`;
  }
}

customElements.define('mu-attention', MuAttention);
