import { html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import '../components/mu-agent.ts';
import { Action } from '../components/action.ts';
import type { AgentWish } from '../components/mu-agent.ts';
import '../components/mu-empty.ts';
import type { AgentView } from '../../projections/views.ts';
import { agentsInOrder, serverNow, type Fleet } from '../data/fleet.ts';
import { approveAgent, setEnabled } from '../data/gateway.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { notify } from './events.ts';
import './mu-history-dialog.ts';
import './mu-lost-dialog.ts';
import './mu-override-dialog.ts';

/** All agents, and what is done to one of them. */
export class MuAgentsView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    now: { attribute: false },
    open: { state: true },
  };
  declare fleet: Fleet | null;
  /** This machine's time, in milliseconds. */
  declare now: number;
  declare open: { readonly dialog: 'override' | 'history' | 'declare-lost'; readonly agentId: string } | null;
  readonly #actions = new Map<string, Action>();

  static override styles = [base, section];

  constructor() {
    super();
    this.fleet = null;
    this.now = 0;
    this.open = null;
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const agents = agentsInOrder(fleet);
    const pending = agents.filter((agent) => agent.intent === 'pending').length;
    return html`<section aria-labelledby="agents">
        <div class="top">
          <h2 id="agents">
            Agents<span class="count">${agents.length}${pending === 0 ? '' : `, ${pending} to approve`}</span>
          </h2>
        </div>
        ${agents.length === 0 ? noAgents() : this.#list(agents, serverNow(fleet, this.now))}
      </section>
      ${this.#dialog(fleet)}`;
  }

  #list(agents: readonly AgentView[], now: number): unknown {
    return html`<div class="panel">
      ${repeat(
        agents,
        (agent) => agent.agentId,
        (agent) => {
          const action = this.#actionOf(agent.agentId);
          return html`<mu-agent
            .agent=${agent}
            .now=${now}
            .saving=${action.busy}
            .refusal=${action.refusal}
            @agent-wish=${(event: CustomEvent<AgentWish>) => this.#wished(agent, event.detail)}
          ></mu-agent>`;
        },
      )}
    </div>`;
  }

  #dialog(fleet: Fleet): unknown {
    const agent = this.open === null ? undefined : fleet.agents.get(this.open.agentId);
    if (this.open === null || agent === undefined) return nothing;
    const closed = (): void => {
      this.open = null;
    };
    switch (this.open.dialog) {
      case 'override':
        return html`<mu-override-dialog .agent=${agent} @dialog-closed=${closed}></mu-override-dialog>`;
      case 'history':
        return html`<mu-history-dialog .agent=${agent} @dialog-closed=${closed}></mu-history-dialog>`;
      case 'declare-lost':
        return html`<mu-lost-dialog .agent=${agent} @dialog-closed=${closed}></mu-lost-dialog>`;
    }
  }

  #wished(agent: AgentView, wish: AgentWish): void {
    switch (wish) {
      case 'override':
      case 'history':
      case 'declare-lost':
        this.open = { dialog: wish, agentId: agent.agentId };
        return;
      case 'approve':
        void this.#act(agent, () => approveAgent(agent.agentId), 'is approved');
        return;
      case 'enable':
        void this.#act(agent, () => setEnabled(agent.agentId, true), 'is enabled');
        return;
      case 'disable':
        void this.#act(agent, () => setEnabled(agent.agentId, false), 'is disabled; its sessions stay untouched');
    }
  }

  async #act(agent: AgentView, send: () => Promise<AgentView>, done: string): Promise<void> {
    await this.#actionOf(agent.agentId).run(async () => {
      const changed = await send();
      this.dispatchEvent(new CustomEvent<AgentView>('agent-changed', { detail: changed }));
      notify(this, `${agent.hostname} ${done}.`);
    });
  }

  #actionOf(agentId: string): Action {
    const known = this.#actions.get(agentId);
    if (known !== undefined) return known;
    const action = new Action(this);
    this.#actions.set(agentId, action);
    return action;
  }
}

function noAgents(): unknown {
  return html`<mu-empty heading="No agent has connected yet">
    <p>
      An agent is a host with a container engine that runs the Muster agent. <code>npm start</code> runs one on this
      machine; it appears here within seconds of its first check-in.
    </p>
    <p>If it does not, look for <code>DOCKER_DOWN</code> or a refused connection in what the command printed.</p>
  </mu-empty>`;
}

customElements.define('mu-agents-view', MuAgentsView);
