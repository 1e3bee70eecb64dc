import { html, LitElement, nothing, type PropertyValues } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import { Action } from '../components/action.ts';
import '../components/mu-agent-filter.ts';
import '../components/mu-agent-table.ts';
import type { RowWish } from '../components/mu-agent-table.ts';
import type { AgentView } from '../../projections/views.ts';
import { chosenColumns, keepColumns, type AgentColumn } from '../data/agentColumns.ts';
import {
  ALL_AGENTS,
  isFiltered,
  listingFrom,
  listingQuery,
  narrowedTo,
  type AgentListing,
} from '../data/agentFilter.ts';
import { AgentOrder } from '../data/agentOrder.ts';
import type { SortOrder } from '../data/agentSorts.ts';
import { agentAddress } from '../data/agents.ts';
import type { AgentWish } from '../data/agentWishes.ts';
import { counted, whole } from '../data/amounts.ts';
import type { BulkChange } from '../data/bulk.ts';
import { serverNow, type Fleet } from '../data/fleet.ts';
import { approveAgent, setEnabled } from '../data/gateway.ts';
import { whyNot } from '../data/roles.ts';
import { selectedAfter, type SelectWish } from '../data/selection.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { agentDialog, type AgentDialog } from './agentDialog.ts';
import { agentsViewStyles } from './agentsViewStyles.ts';
import { agentChanged, changeQuery, notify } from './events.ts';
import './mu-bulk-dialog.ts';
import { noAgents } from './noAgents.ts';
import { NearFocus } from '../components/nearFocus.ts';

/** So long rows keep their places after somebody pointed at them or pressed a key there, in ms. */
const STILL_MS = 2000;

const BULK = [
  ['enable', 'Enable'],
  ['disable', 'Disable'],
  ['override', 'Override'],
] as const;

type Open =
  | { readonly dialog: AgentDialog; readonly agentId: string }
  | { readonly dialog: 'bulk'; readonly kind: BulkChange['kind']; readonly agents: readonly AgentView[] };

/** All agents in a table: found, ordered, selected, and what is done to one or to many of them. */
export class MuAgentsView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    query: { attribute: false },
    listing: { state: true },
    columns: { state: true },
    selected: { state: true },
    open: { state: true },
  };
  declare fleet: Fleet | null;
  /** This machine's time, in milliseconds. */
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  /** Which agents are shown, as the address says it: without the `?`. */
  declare query: string;
  declare listing: AgentListing;
  declare columns: ReadonlySet<AgentColumn>;
  declare selected: ReadonlySet<string>;
  declare open: Open | null;
  readonly #actions = new Map<string, Action>();
  readonly #order = new AgentOrder();
  #stillUntil = 0;

  static override styles = [base, section, agentsViewStyles];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.fleet = null;
    this.may = 'viewer';
    this.now = 0;
    this.query = '';
    this.listing = ALL_AGENTS;
    this.columns = chosenColumns(localStorage);
    this.selected = new Set();
    this.open = null;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('query') && this.query !== listingQuery(this.listing).toString()) {
      this.listing = listingFrom(new URLSearchParams(this.query));
    }
    if (this.fleet !== null && (changed.has('listing') || !this.#isStill(this.fleet))) {
      this.#order.update(this.fleet, this.listing);
    }
  }

  /** Whether a row must not move from under somebody's pointer. One that is gone leaves all the same. */
  #isStill({ agents }: Fleet): boolean {
    return Date.now() < this.#stillUntil && this.#order.ids.every((agentId) => agents.has(agentId));
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    return html`<section aria-labelledby="agents">
        <div class="top">
          <h2 id="agents">
            Agents<span class="count"
              >${whole(fleet.agents.size + fleet.more.agents)}${fleet.more.agents === 0 ? '' : `, ${whole(fleet.more.agents)} of them on their way`}</span
            >
          </h2>
        </div>
        ${fleet.agents.size === 0 ? noAgents() : this.#list(fleet)}
      </section>
      ${this.#dialog(fleet)}`;
  }

  #list(fleet: Fleet): unknown {
    const { ids } = this.#order;
    return html`<mu-agent-filter
        .listing=${this.listing}
        .zones=${[...fleet.zones.keys()].toSorted()}
        .columns=${this.columns}
        @listing-wish=${(event: CustomEvent<AgentListing>) => this.#show(event.detail)}
        @columns-wish=${(event: CustomEvent<ReadonlySet<AgentColumn>>) => {
          this.columns = event.detail;
          keepColumns(localStorage, event.detail);
        }}
      ></mu-agent-filter>
      <mu-agent-table
        class="panel"
        .agents=${fleet.agents}
        .fleet=${fleet}
        .ids=${ids}
        .now=${this.#second(fleet)}
        .may=${this.may}
        .columns=${this.columns}
        .sort=${this.listing.sort}
        .selected=${this.selected}
        .actions=${this.#actions}
        @touched=${this.#touched}
        @sort-wish=${(event: CustomEvent<SortOrder>) => this.#show({ ...this.listing, sort: event.detail })}
        @select-wish=${(event: CustomEvent<SelectWish>) => {
          this.selected = selectedAfter(this.selected, event.detail, ids);
        }}
        @row-wish=${this.#rowWished}
        @label-wish=${({ detail }: CustomEvent<string>) =>
          this.#show({ ...this.listing, text: narrowedTo(this.listing.text, detail) })}
      >
        ${this.#many(fleet, ids)}
      </mu-agent-table>
      ${
        ids.length > 0
          ? nothing
          : html`<div class="none">
              <p>No agent is like that.</p>
              <button type="button" @click=${() => this.#show({ ...ALL_AGENTS, sort: this.listing.sort })}>
                Show all ${whole(fleet.agents.size)}
              </button>
            </div>`
      }`;
  }

  /** Ages are told in seconds: rows that a patch does not change are drawn anew with each of them, and not with each patch. */
  #second(fleet: Fleet): number {
    return Math.floor(serverNow(fleet, this.now) / 1000) * 1000;
  }

  /** What may be done to those that are selected. It stands there before, so that nothing moves when one is. */
  #many(fleet: Fleet, ids: readonly string[]): unknown {
    const { selected } = this;
    const why = whyNot(this.may, 'operator');
    const shown = isFiltered(this.listing)
      ? `${whole(ids.length)} of ${whole(fleet.agents.size)} shown`
      : counted(ids.length, 'agent', 'agents');
    return html`<div
      slot="above"
      class=${selected.size === 0 ? 'many idle' : 'many'}
      role="group"
      aria-label="Selected agents"
    >
      <p role="status">
        ${selected.size === 0 ? html`<span class="muted">${shown}</span>` : this.#selectedText(ids, shown)}
      </p>
      ${BULK.map(
        ([kind, text]) =>
          html`<button
            type="button"
            ?disabled=${why !== null || selected.size === 0}
            title=${why ?? (selected.size === 0 ? 'Select agents first.' : nothing)}
            @click=${() => this.#openBulk(fleet, kind)}
          >
            ${text}
          </button>`,
      )}
      ${selected.size === 0 ? nothing : html`<button class="quiet" type="button" @click=${this.#selectNone}>Select none</button>`}
    </div>`;
  }

  #selectedText(ids: readonly string[], shown: string): unknown {
    const { selected } = this;
    const hidden = selected.size - ids.reduce((count, agentId) => count + (selected.has(agentId) ? 1 : 0), 0);
    return html`<strong>${whole(selected.size)} selected</strong
      >${hidden === 0 ? nothing : html`, ${whole(hidden)} of them not shown`}<span class="muted">, ${shown}</span>`;
  }

  #dialog(fleet: Fleet): unknown {
    const { open } = this;
    const closed = (): void => {
      this.open = null;
    };
    if (open === null) return nothing;
    if (open.dialog === 'bulk') {
      return html`<mu-bulk-dialog .kind=${open.kind} .agents=${open.agents} @dialog-closed=${closed}></mu-bulk-dialog>`;
    }
    const agent = fleet.agents.get(open.agentId);
    return agent === undefined ? nothing : agentDialog(open.dialog, agent, { from: this, fleet, closed });
  }

  #openBulk({ agents }: Fleet, kind: BulkChange['kind']): void {
    const chosen = [...this.selected].flatMap((agentId) => agents.get(agentId) ?? []);
    this.open = { dialog: 'bulk', kind, agents: chosen };
  }

  #show(listing: AgentListing): void {
    this.listing = listing;
    changeQuery(this, listingQuery(listing).toString());
  }

  readonly #selectNone = (): void => {
    this.selected = new Set();
  };

  readonly #touched = (): void => {
    this.#stillUntil = Date.now() + STILL_MS;
  };

  readonly #rowWished = ({ detail: { agentId, wish } }: CustomEvent<RowWish>): void => {
    const agent = this.fleet?.agents.get(agentId);
    if (agent !== undefined) this.#wished(agent, wish);
  };

  #wished(agent: AgentView, wish: AgentWish): void {
    switch (wish) {
      case 'history':
        globalThis.location.hash = agentAddress(agent.agentId);
        return;
      case 'override':
      case 'declare-lost':
      case 'revoke':
      case 'remove':
        this.open = { dialog: wish, agentId: agent.agentId };
        return;
      case 'approve':
        void this.#act(agent, () => approveAgent(agent), 'is approved');
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
      agentChanged(this, await send());
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

customElements.define('mu-agents-view', MuAgentsView);
