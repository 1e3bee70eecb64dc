import { html, LitElement, nothing } from 'lit';
import { labelTexts } from '../../domain/labels.ts';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView, SessionView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-gpus.ts';
import '../components/mu-refusal.ts';
import '../components/mu-state.ts';
import '../components/mu-statistic.ts';
import '../components/mu-switch.ts';
import { gpuSummary, sessionAddresses, sessionsOn, sessionUse, statisticsOf } from '../data/agentPage.ts';
import { agentTone, unmeasuredText } from '../data/agents.ts';
import { asSentence } from '../data/explain.ts';
import { serverNow, type Fleet } from '../data/fleet.ts';
import { approveAgent, setEnabled } from '../data/gateway.ts';
import { addressOf } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';
import { claimText, phaseText } from '../data/sessions.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { agentDialog, type AgentDialog } from './agentDialog.ts';
import { agentPageStyles } from './agentPageStyles.ts';
import { back, backStyle } from './back.ts';
import { agentChanged, notify } from './events.ts';
import './mu-agent-history.ts';
import './mu-agent-host.ts';
import './mu-agent-log.ts';
import './mu-agent-settings.ts';
import type { SettingWish } from './mu-agent-settings.ts';
import { noSuch } from './noSuch.ts';
import { NearFocus } from '../components/nearFocus.ts';

/** The page of one agent: what it is, has, does and did, and everything that is set on it. */
export class MuAgentView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    agentId: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    query: { attribute: false },
    open: { state: true },
  };
  declare fleet: Fleet | null;
  declare agentId: string;
  /** This machine's time, in milliseconds. */
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  /** What stands in the address: what of the history is shown. */
  declare query: string;
  declare open: AgentDialog | null;
  readonly #action = new Action(this);

  static override styles = [base, section, backStyle, agentPageStyles];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.fleet = null;
    this.agentId = '';
    this.now = 0;
    this.may = 'viewer';
    this.query = '';
    this.open = null;
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const agent = fleet.agents.get(this.agentId);
    if (agent === undefined) {
      return noSuch('No such agent', `No agent has the id ${this.agentId}. It may have been removed.`, 'agents');
    }
    const now = serverNow(fleet, this.now);
    return html`${this.#head(agent)} ${conditions(agent)} ${this.#statistics(agent, now)}
      <mu-agent-history .agentId=${agent.agentId} .now=${now} .query=${this.query}></mu-agent-history>
      <div class="columns">
        <div class="column">${gpus(agent, now)} ${sessions(agent, fleet)} ${log(agent)}</div>
        <div class="column">${this.#settings(agent)} ${host(agent, fleet, now)} ${this.#identity(agent)}</div>
      </div>
      ${this.open === null ? nothing : agentDialog(this.open, agent, { from: this, fleet, closed: () => this.#show(null) })}`;
  }

  #head(agent: AgentView): unknown {
    const { intent, hostname } = agent;
    const why = whyNot(this.may, 'operator');
    return html`<section aria-labelledby="agent">
      ${back('agents')}
      <div class="top head">
        <div>
          <h2 id="agent">
            ${hostname} ${agent.agentId === hostname ? nothing : html`<span class="id">${agent.agentId}</span>`}
            ${agent.simulated ? html`<span class="tag">simulated</span>` : nothing}
            ${agent.zone === '' ? nothing : html`<span class="tag">zone ${agent.zone}</span>`}
            ${labelTexts(agent.labels).map((label) => html`<span class="tag">${label}</span>`)}
          </h2>
          <mu-state tone=${agentTone(agent)} text=${agent.sentence}></mu-state>
        </div>
        ${
          intent === 'enabled' || intent === 'disabled'
            ? html`<mu-switch
                label="Enabled"
                context=${hostname}
                .checked=${intent === 'enabled'}
                .saving=${this.#action.busy}
                .locked=${why}
                @switched=${() => this.#switch(agent)}
              ></mu-switch>`
            : intent === 'pending'
              ? this.#approval(agent)
              : nothing
        }
      </div>
      <mu-refusal .refusal=${this.#action.refusal}></mu-refusal>
    </section>`;
  }

  /** The fingerprint stands beside the button, since comparing it is what an approval is. */
  #approval(agent: AgentView): unknown {
    const why = whyNot(this.may, 'admin');
    return html`<div class="approval">
      <button
        class="primary"
        type="button"
        aria-disabled=${this.#action.busy}
        ?disabled=${why !== null}
        title=${why ?? nothing}
        @click=${() => this.#act(agent, () => approveAgent(agent), 'is approved')}
      >
        ${this.#action.busy ? 'Saving' : 'Approve'}
      </button>
      ${
        agent.fingerprint === null
          ? nothing
          : html`<p class="small muted">
              Fingerprint <code>${agent.fingerprint}</code>: compare it with what the agent printed
            </p>`
      }
    </div>`;
  }

  #statistics(agent: AgentView, now: number): unknown {
    const statistics = statisticsOf(agent, now);
    return html`<section aria-labelledby="now">
      <h3 class="visually-hidden" id="now">Allocated and used now</h3>
      ${
        statistics.length === 0
          ? html`<p class="muted">${unmeasuredText(agent)}</p>`
          : html`<div class="statistics">
              ${statistics.map((statistic) => html`<mu-statistic .statistic=${statistic}></mu-statistic>`)}
            </div>`
      }
    </section>`;
  }

  #settings(agent: AgentView): unknown {
    const { intent } = agent;
    if (intent === 'pending' || intent === 'revoked') return nothing;
    return html`<mu-agent-settings
      .agent=${agent}
      .locked=${whyNot(this.may, 'operator')}
      @setting-wish=${({ detail }: CustomEvent<SettingWish>) => this.#show(detail)}
    ></mu-agent-settings>`;
  }

  #identity(agent: AgentView): unknown {
    const { fingerprint, revokedAt, intent, connectivity, sessions: held } = agent;
    return html`<section aria-labelledby="identity">
      <div class="top"><h3 id="identity">Identity</h3></div>
      <div class="panel padded">
        <p>
          ${fingerprint === null ? 'It has no secret of its own, or told none.' : html`Fingerprint <code>${fingerprint}</code>`}
        </p>
        ${revokedAt === null ? nothing : html`<p>Revoked ${new Date(revokedAt).toLocaleString('en-GB')}.</p>`}
        <div class="do" role="group" aria-label="Actions for ${agent.hostname}">
          ${connectivity === 'missing' ? this.#button('declare-lost', 'Declare lost', 'operator') : nothing}
          ${intent === 'revoked' ? nothing : this.#button('revoke', 'Revoke', 'admin')}
          ${held === 0 ? this.#button('remove', 'Remove', 'admin') : nothing}
        </div>
        ${held === 0 ? nothing : html`<p class="small muted">It can be removed once no session holds anything on it.</p>`}
      </div>
    </section>`;
  }

  #button(dialog: AgentDialog, text: string, role: Role): unknown {
    const why = whyNot(this.may, role);
    return html`<button
      type="button"
      ?disabled=${why !== null}
      title=${why ?? nothing}
      @click=${() => this.#show(dialog)}
    >
      ${text}
    </button>`;
  }

  #show(dialog: AgentDialog | null): void {
    this.open = dialog;
  }

  #switch(agent: AgentView): void {
    const enabled = agent.intent !== 'enabled';
    const done = enabled ? 'is enabled' : 'is disabled; its sessions stay untouched';
    void this.#act(agent, () => setEnabled(agent.agentId, enabled), done);
  }

  async #act(agent: AgentView, send: () => Promise<AgentView>, done: string): Promise<void> {
    await this.#action.run(async () => {
      agentChanged(this, await send());
      notify(this, `${agent.hostname} ${done}.`);
    });
  }
}

function conditions(agent: AgentView): unknown {
  if (agent.conditions.length + agent.memoryRisks.length === 0) return nothing;
  return html`<ul class="conditions" aria-label="Conditions">
    ${agent.conditions.map(
      ({ condition, detail, mend }) =>
        html`<li class="condition">
          <code>${condition}</code> ${asSentence(detail)} <strong>To mend:</strong> ${asSentence(mend)}
        </li>`,
    )}
    ${agent.memoryRisks.map(
      ({ level, sentence }) =>
        html`<li class="condition ${level}">
          <strong>${level === 'uncovered' ? 'Memory risk:' : 'Memory:'}</strong> ${asSentence(sentence)}
        </li>`,
    )}
  </ul>`;
}

function gpus(agent: AgentView, now: number): unknown {
  const summary = gpuSummary(agent);
  if (summary === null) return nothing;
  return html`<section aria-labelledby="gpus">
    <div class="top"><h3 id="gpus">GPUs</h3></div>
    <details open>
      <summary>${summary}</summary>
      <div class="panel padded"><mu-gpus .agent=${agent} .now=${now}></mu-gpus></div>
    </details>
  </section>`;
}

function sessions(agent: AgentView, fleet: Fleet): unknown {
  const here = sessionsOn(fleet, agent.agentId);
  return html`<section aria-labelledby="sessions">
    <div class="top">
      <h3 id="sessions">Sessions on it<span class="count">${here.length}</span></h3>
    </div>
    ${
      here.length === 0
        ? html`<p class="muted">None: it holds no session.</p>`
        : html`<ul class="panel" aria-label="Sessions on it">
            ${here.map((session) => sessionItem(session, agent, fleet))}
          </ul>`
    }
  </section>`;
}

function sessionItem(session: SessionView, agent: AgentView, fleet: Fleet): unknown {
  const use = sessionUse(session, agent);
  return html`<li>
    <span>
      <a href=${addressOf({ page: 'sessions', id: session.sessionId })}>${session.sessionId}</a>
      <span class="muted">${fleet.images.get(session.imageId)?.name ?? session.imageId}</span>
    </span>
    <span>${phaseText(session)}</span>
    <span class="small muted">${claimText(session) ?? 'holds nothing'}${use === null ? nothing : `; uses ${use}`}</span>
  </li>`;
}

/** What may have written an event changes the mark, so that the list is asked for again. */
function log(agent: AgentView): unknown {
  const {
    agentId,
    settingsVersion,
    connectivity,
    intent,
    sessions: held,
    conditions: raised,
    allocated,
    gpuCounts,
  } = agent;
  const mark = JSON.stringify([settingsVersion, connectivity, intent, held, raised.length, allocated, gpuCounts]);
  return html`<mu-agent-log .agentId=${agentId} .mark=${mark}></mu-agent-log>`;
}

/** A check-in tells of the host, so with every minute of them it is asked for again, and when there are other images. */
function host(agent: AgentView, fleet: Fleet, now: number): unknown {
  const { agentId, lastCheckInAt, images, engineVersion } = agent;
  const mark = JSON.stringify([lastCheckInAt?.slice(0, 16), images, engineVersion]);
  const addresses = sessionAddresses(sessionsOn(fleet, agentId));
  return html`<mu-agent-host
    .agentId=${agentId}
    .now=${now}
    .mark=${mark}
    .sessionAddresses=${addresses}
  ></mu-agent-host>`;
}

customElements.define('mu-agent-view', MuAgentView);
