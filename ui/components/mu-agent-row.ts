import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { labelTexts } from '../../domain/labels.ts';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView } from '../../projections/views.ts';
import { COLUMN_FACTS, type AgentColumn } from '../data/agentColumns.ts';
import { agentAddress, agentTone, diskText, unmeasuredText } from '../data/agents.ts';
import { agentMenu, type AgentWish } from '../data/agentWishes.ts';
import { agoText, barsOf, isStale, type Bar } from '../data/bars.ts';
import { asSentence } from '../data/explain.ts';
import { overrideLines } from '../data/overrides.ts';
import type { GatewayUnreachable, Problem } from '../data/problem.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';
import { agentRowStyles } from './agentRowStyles.ts';
import { dash } from './dash.ts';
import './mu-bar.ts';
import './mu-menu.ts';
import { MuMenu } from './mu-menu.ts';
import './mu-refusal.ts';
import './mu-state.ts';
import './mu-switch.ts';
import { tickBox, tickBoxStyles } from './tickBox.ts';
import { NearFocus } from './nearFocus.ts';

/** That an agent is to be selected or not; `range`: with all from the one before. */
export interface PickWish {
  readonly agentId: string;
  readonly range: boolean;
}

/** As many as there are lines in a row, each of any length. */
const LABELS_SHOWN = 3;

const BARS: readonly AgentColumn[] = ['cpu', 'memory', 'gpu'];

/**
 * One agent in a table: the element is the row, its cells stand inside. The same element shows another agent after
 * scrolling. Dispatches `agent-wish`, `pick-wish`, and `label-wish` when those with a label are to be shown.
 */
export class MuAgentRow extends LitElement {
  static override properties = {
    top: { attribute: false },
    height: { attribute: false },
    agent: { attribute: false },
    now: { attribute: false },
    columns: { attribute: false },
    may: { attribute: false },
    saving: { attribute: false },
    refusal: { attribute: false },
    picked: { attribute: false },
    current: { attribute: false },
    card: { type: Boolean, reflect: true },
  };
  /** Its place in the list, in rem. A row stands there by itself: one that stays is not drawn again when others come and go. */
  declare top: number;
  declare height: number;
  declare agent: AgentView | null;
  /** The server's time, in milliseconds. */
  declare now: number;
  declare columns: readonly AgentColumn[];
  /** The role of who is signed in. */
  declare may: Role;
  declare saving: boolean;
  declare refusal: Problem | GatewayUnreachable | null;
  declare picked: boolean;
  /** The tab key reaches what stands in it. */
  declare current: boolean;
  declare card: boolean;
  #shown: string | null = null;

  static override styles = [base, tickBoxStyles, agentRowStyles];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.top = 0;
    this.height = 0;
    this.agent = null;
    this.now = 0;
    this.columns = [];
    this.may = 'viewer';
    this.saving = false;
    this.refusal = null;
    this.picked = false;
    this.current = false;
    this.card = false;
  }

  /** A menu that was opened for another agent is not meant for this one. */
  protected override willUpdate(): void {
    const agentId = this.agent?.agentId ?? null;
    if (this.#shown !== null && this.#shown !== agentId) this.#menu?.close();
    this.#shown = agentId;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('top')) this.style.setProperty('--row-top', `${this.top}rem`);
    if (changed.has('height')) this.style.setProperty('--row-height', `${this.height}rem`);
  }

  override render(): unknown {
    const { agent, columns } = this;
    if (agent === null) return nothing;
    const bars = barsOf(agent, this.now);
    return html`<div role="gridcell" class="pick" @click=${this.#picked}>
        ${tickBox({ label: `Select ${agent.hostname}`, checked: this.picked, away: !this.current, onClick: null })}
      </div>
      ${this.#first(agent)} ${columns.map((column) => this.#cell(agent, column, bars))}
      <div role="gridcell" class="menu">
        <mu-menu
          label="Actions for ${agent.hostname}"
          .items=${agentMenu(agent, this.may)}
          .away=${!this.current}
          @chosen=${({ detail }: CustomEvent<AgentWish>) => this.#wish(detail)}
        ></mu-menu>
      </div>`;
  }

  #first(agent: AgentView): unknown {
    const troubles = [
      ...agent.conditions.map(({ detail }) => detail),
      ...agent.memoryRisks.map((risk) => risk.sentence),
    ];
    const [worst] = troubles;
    return html`<div role="gridcell" class="first">
      <p class="name">
        <a href=${agentAddress(agent.agentId)} title=${agent.hostname} tabindex=${this.#tab}>${agent.hostname}</a>
        ${agent.agentId === agent.hostname ? nothing : html`<span class="id" title=${agent.agentId}>${agent.agentId}</span>`}
        ${agent.simulated ? html`<span class="tag">simulated</span>` : nothing}
      </p>
      <mu-state tone=${agentTone(agent)} text=${agent.sentence} lines=${worst === undefined ? 2 : 1}></mu-state>
      ${
        worst === undefined
          ? nothing
          : html`<mu-state
              tone=${agent.memoryRisks.some(({ level }) => level === 'uncovered') ? 'danger' : 'warn'}
              text=${`${asSentence(worst)}${troubles.length === 1 ? '' : ` And ${troubles.length - 1} more.`}`}
              lines=${this.card ? 1 : 2}
            ></mu-state>`
      }
    </div>`;
  }

  #cell(agent: AgentView, column: AgentColumn, bars: readonly Bar[]): unknown {
    switch (column) {
      case 'enabled':
        return html`<div role="gridcell" class="enabled">${this.#enabled(agent)}</div>`;
      case 'zone':
        return small(column, agent.zone === '' ? dash('in no zone yet') : agent.zone, 'second early');
      case 'labels':
        return small(column, this.#labels(agent), 'labels');
      case 'cpu':
      case 'memory':
      case 'gpu':
        return this.#barCell(agent, column, bars);
      case 'sessions':
        return small(column, agent.sessions, 'number');
      case 'disk': {
        const said = diskText(agent);
        if (said === null) return small(column, dash('not measured yet'));
        return small(column, html`${said.share}<span class="second">${said.amounts}</span>`);
      }
      case 'checkIn':
        return small(column, agoText(agent, this.now), isStale(agent, this.now) ? 'stale' : '');
    }
  }

  #labels(agent: AgentView): unknown {
    const labels = labelTexts(agent.labels);
    if (labels.length === 0) return dash('no labels');
    const shown = labels.length > LABELS_SHOWN ? labels.slice(0, LABELS_SHOWN - 1) : labels;
    const more = labels.slice(shown.length);
    return html`<div class="tags">
      ${shown.map(
        (label) =>
          html`<button
            class="tag"
            type="button"
            tabindex=${this.#tab}
            title="Show agents with ${label}"
            @click=${() => this.#find(label)}
          >
            ${label}
          </button>`,
      )}
      ${more.length === 0 ? nothing : html`<span class="more" title=${more.join(', ')}>and ${more.length} more</span>`}
    </div>`;
  }

  #find(detail: string): void {
    this.dispatchEvent(new CustomEvent<string>('label-wish', { detail, bubbles: true, composed: true }));
  }

  #enabled(agent: AgentView): unknown {
    const { intent, hostname } = agent;
    if (intent === 'revoked') return html`<span class="second">revoked</span>`;
    if (intent === 'pending') {
      const why = whyNot(this.may, 'admin');
      return html`<button
        class="primary approve"
        type="button"
        tabindex=${this.#tab}
        aria-disabled=${this.saving}
        ?disabled=${why !== null}
        title=${why ?? nothing}
        @click=${() => this.#wish('approve')}
      >
        ${this.saving ? 'Saving' : 'Approve'}<span class="visually-hidden"> ${hostname}</span>
      </button>`;
    }
    return html`<mu-switch
      ?brief=${!this.card}
      label="Enabled"
      context=${hostname}
      .checked=${intent === 'enabled'}
      .saving=${this.saving}
      .locked=${whyNot(this.may, 'operator')}
      .away=${!this.current}
      @switched=${() => this.#wish(intent === 'enabled' ? 'disable' : 'enable')}
    ></mu-switch>`;
  }

  /** Where there is nothing to measure, or something was refused, one cell says so in place of all bars. */
  #barCell(agent: AgentView, column: AgentColumn, bars: readonly Bar[]): unknown {
    const shown = this.columns.filter((each) => BARS.includes(each));
    if (this.refusal !== null || bars.length === 0) {
      if (shown[0] !== column) return nothing;
      return html`<div role="gridcell" aria-colspan=${shown.length} class="whole span${shown.length}">
        ${this.refusal === null ? told(agent) : html`<mu-refusal .refusal=${this.refusal}></mu-refusal>`}
      </div>`;
    }
    const bar = bars[BARS.indexOf(column)] ?? null;
    if (this.card && bar?.none === true) return small(column, 'none', 'early');
    const [line] =
      column === 'cpu'
        ? overrideLines(agent.coresOverride, null, agent.physical)
        : column === 'memory'
          ? overrideLines(null, agent.memoryOverride, agent.physical)
          : [];
    return html`<div role="gridcell" class=${(bar?.overAllocated ?? null) === null ? 'bar' : 'bar beyond'}>
      <mu-bar brief ?unlabelled=${!this.card} .bar=${bar}></mu-bar>
      ${this.card || line === undefined || bar?.overAllocated !== null ? nothing : html`<p class="note" title=${line}>${line}</p>`}
    </div>`;
  }

  get #tab(): 0 | -1 {
    return this.current ? 0 : -1;
  }

  get #menu(): MuMenu | null {
    const menu = this.renderRoot.querySelector('mu-menu');
    return menu instanceof MuMenu ? menu : null;
  }

  readonly #picked = (event: MouseEvent): void => {
    if (this.agent === null) return;
    const detail = { agentId: this.agent.agentId, range: event.shiftKey };
    this.dispatchEvent(new CustomEvent<PickWish>('pick-wish', { detail, bubbles: true, composed: true }));
  };

  #wish(detail: AgentWish): void {
    if (!this.saving) this.dispatchEvent(new CustomEvent<AgentWish>('agent-wish', { detail }));
  }
}

function small(column: AgentColumn, content: unknown, looks = ''): unknown {
  return html`<div role="gridcell" class="small ${looks}">
    <span class="label" aria-hidden="true">${COLUMN_FACTS[column].name}</span>${content}
  </div>`;
}

/** The fingerprint stands in the row of its button, since comparing it is what an approval is. */
function told(agent: AgentView): unknown {
  const { fingerprint, intent } = agent;
  return html`<p class="told">${unmeasuredText(agent)}</p>
    ${
      fingerprint === null || intent !== 'pending'
        ? nothing
        : html`<p class="told">Fingerprint <code>${fingerprint}</code>: compare it with what the agent printed</p>`
    }`;
}

customElements.define('mu-agent-row', MuAgentRow);
