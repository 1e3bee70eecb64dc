import { css, html, LitElement, nothing } from 'lit';
import type { AgentView } from '../../projections/views.ts';
import { agentTone, extraText, gpuSummary, unmeasuredText } from '../data/agents.ts';
import { barsOf } from '../data/bars.ts';
import { asSentence } from '../data/explain.ts';
import { overrideLines } from '../data/overrides.ts';
import type { GatewayUnreachable, Problem } from '../data/problem.ts';
import { base } from '../styles/base.ts';
import './mu-bar.ts';
import './mu-gpus.ts';
import './mu-refusal.ts';
import './mu-state.ts';
import './mu-switch.ts';

/** What an agent's row asks of its view. */
export type AgentWish = 'approve' | 'enable' | 'disable' | 'override' | 'history' | 'declare-lost';

/** One agent in one row of aligned columns; a card on a narrow screen. Dispatches `agent-wish`. */
export class MuAgent extends LitElement {
  static override properties = {
    agent: { attribute: false },
    now: { attribute: false },
    saving: { type: Boolean },
    refusal: { attribute: false },
  };
  declare agent: AgentView | null;
  /** The server's time, in milliseconds. */
  declare now: number;
  declare saving: boolean;
  declare refusal: Problem | GatewayUnreachable | null;

  static override styles = [
    base,
    css`
      article {
        display: grid;
        grid-template-columns: minmax(11rem, 18rem) repeat(3, minmax(0, 1fr)) 9.5rem;
        gap: var(--space-2) var(--space-5);
        padding: var(--space-4);
        border-top: 1px solid var(--line);
      }
      :host(:first-child) article {
        border-top: 0;
      }
      .name {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-1) var(--space-2);
        align-items: center;
      }
      h3 {
        font-size: var(--text-m);
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .identity mu-state {
        font-size: 0.8125rem;
        margin-top: 1px;
      }
      .id {
        font: var(--text-s) / 1.4 var(--font-mono);
        color: var(--muted);
      }
      .extra {
        font-size: var(--text-s);
        color: var(--muted);
      }
      .controls {
        display: grid;
        gap: var(--space-1);
        justify-items: end;
        align-content: start;
      }
      .controls .actions {
        display: flex;
        flex-wrap: wrap;
        justify-content: flex-end;
        margin-right: calc(-1 * var(--space-2));
      }
      .unmeasured {
        grid-column: span 3;
        color: var(--muted);
      }
      .wide {
        grid-column: 1 / -1;
      }
      .condition {
        padding: var(--space-2) var(--space-3);
        border-left: 3px solid var(--warn);
        border-radius: var(--radius);
        background: var(--warn-soft);
        overflow-wrap: anywhere;
      }
      .uncovered {
        border-left-color: var(--danger);
        background: var(--danger-soft);
      }
      .condition + .condition {
        margin-top: var(--space-2);
      }
      details {
        grid-column: 1 / -1;
        font-size: var(--text-m);
      }
      summary {
        width: fit-content;
        color: var(--accent);
        font-weight: 500;
      }
      details mu-gpus {
        margin-top: var(--space-2);
      }
      @media (max-width: 70rem) {
        article {
          grid-template-columns: repeat(3, minmax(0, 1fr));
        }
        .identity {
          grid-column: 1 / 3;
        }
        .controls {
          grid-column: 3;
          grid-row: 1;
        }
      }
      @media (max-width: 45rem) {
        article {
          grid-template-columns: minmax(0, 1fr);
          gap: var(--space-3);
        }
        .identity,
        .controls,
        .unmeasured {
          grid-column: 1;
          grid-row: auto;
        }
        .controls {
          order: 1;
          display: flex;
          justify-content: space-between;
          align-items: center;
        }
        details {
          order: 2;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.agent = null;
    this.now = 0;
    this.saving = false;
    this.refusal = null;
  }

  override render(): unknown {
    const { agent } = this;
    if (agent === null) return nothing;
    const bars = barsOf(agent, this.now);
    const devices = agent.gpus.length === 0 ? null : gpuSummary(agent);
    return html`<article aria-label=${agent.hostname}>
      ${this.#identity(agent)}
      ${
        bars.length === 0
          ? html`<p class="unmeasured">${unmeasuredText(agent)}</p>`
          : bars.map((bar) => html`<mu-bar .bar=${bar}></mu-bar>`)
      }
      ${this.#controls(agent)}
      ${
        agent.conditions.length + agent.memoryRisks.length === 0
          ? nothing
          : html`<ul class="wide" aria-label="Conditions">
              ${agent.conditions.map(
                (each) =>
                  html`<li class="condition">
                    <code>${each.condition}</code> ${asSentence(each.detail)}
                    <strong>To mend:</strong> ${asSentence(each.mend)}
                  </li>`,
              )}
              ${agent.memoryRisks.map(
                ({ level, sentence }) =>
                  html`<li class="condition ${level}">
                    <strong>${level === 'uncovered' ? 'Memory risk:' : 'Memory:'}</strong> ${asSentence(sentence)}
                  </li>`,
              )}
            </ul>`
      }
      ${this.refusal === null ? nothing : html`<mu-refusal class="wide" .refusal=${this.refusal}></mu-refusal>`}
      ${
        devices === null
          ? nothing
          : html`<details>
              <summary>${devices}</summary>
              <mu-gpus .agent=${agent} .now=${this.now}></mu-gpus>
            </details>`
      }
    </article>`;
  }

  #identity(agent: AgentView): unknown {
    const extra = extraText(agent);
    const lines = overrideLines(agent.coresOverride, agent.memoryOverride, agent.physical);
    return html`<div class="identity">
      <div class="name">
        <h3>${agent.hostname}</h3>
        ${agent.agentId === agent.hostname ? nothing : html`<span class="id">${agent.agentId}</span>`}
        ${agent.simulated ? html`<span class="tag">simulated</span>` : nothing}
      </div>
      <mu-state tone=${agentTone(agent)} text=${agent.sentence}></mu-state>
      ${extra === null ? nothing : html`<p class="extra">${extra}</p>`}
      ${lines.map((line) => html`<p class="extra">${line}</p>`)}
    </div>`;
  }

  #controls(agent: AgentView): unknown {
    if (agent.intent === 'pending') {
      return html`<div class="controls">
        <button class="primary" type="button" aria-disabled=${this.saving} @click=${() => this.#wish('approve')}>
          ${this.saving ? 'Saving' : 'Approve'}<span class="visually-hidden"> ${agent.hostname}</span>
        </button>
      </div>`;
    }
    const enabled = agent.intent === 'enabled';
    return html`<div class="controls">
      <mu-switch
        label="Enabled"
        context=${agent.hostname}
        .checked=${enabled}
        .saving=${this.saving}
        @switched=${() => this.#wish(enabled ? 'disable' : 'enable')}
      ></mu-switch>
      <div class="actions" role="group" aria-label="Actions for ${agent.hostname}">
        <button class="quiet" type="button" @click=${() => this.#wish('override')}>Override</button>
        <button class="quiet" type="button" @click=${() => this.#wish('history')}>History</button>
        ${
          agent.connectivity === 'missing'
            ? html`<button class="quiet" type="button" @click=${() => this.#wish('declare-lost')}>Declare lost</button>`
            : nothing
        }
      </div>
    </div>`;
  }

  #wish(wish: AgentWish): void {
    if (!this.saving) this.dispatchEvent(new CustomEvent<AgentWish>('agent-wish', { detail: wish }));
  }
}

customElements.define('mu-agent', MuAgent);
