import { css, html, LitElement, nothing } from 'lit';
import { AGENT_COLUMNS, COLUMN_FACTS, type AgentColumn } from '../data/agentColumns.ts';
import { AGENT_STATES, ALL_AGENTS, isFiltered, isState, type AgentListing } from '../data/agentFilter.ts';
import { AGENT_SORT_NAMES, AGENT_SORTS } from '../data/agentSorts.ts';
import { base, form } from '../styles/base.ts';

/** Which agents are shown, in what order and with which columns. Dispatches `listing-wish` and `columns-wish`. */
export class MuAgentFilter extends LitElement {
  static override properties = {
    listing: { attribute: false },
    zones: { attribute: false },
    columns: { attribute: false },
    label: {},
  };
  declare listing: AgentListing;
  declare zones: readonly string[];
  declare columns: ReadonlySet<AgentColumn>;
  /** What is looked for with it. */
  declare label: string;

  static override styles = [
    base,
    form,
    css`
      .filters {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2) var(--space-3);
        align-items: end;
      }
      .field {
        font-size: var(--text-s);
      }
      .field label {
        color: var(--muted);
        font-weight: 400;
      }
      input[type='search'],
      select {
        font-size: var(--text-m);
        width: auto;
        max-width: 12rem;
      }
      input[type='search'] {
        width: 14rem;
        max-width: 100%;
      }
      .order {
        display: flex;
        gap: var(--space-1);
      }
      .order button {
        width: 2.25rem;
        padding: 0;
      }
      .choice {
        font-size: var(--text-m);
        align-items: center;
        min-height: 2.25rem;
      }
      details {
        position: relative;
      }
      summary {
        display: flex;
        align-items: center;
        min-height: 2.25rem;
        font-size: var(--text-m);
        padding-inline: var(--space-2);
        border-radius: var(--radius);
        color: var(--accent);
        font-weight: 500;
      }
      summary:hover {
        background: var(--sunken);
      }
      .columns {
        position: absolute;
        z-index: 3;
        right: 0;
        display: grid;
        min-width: 13rem;
        padding: var(--space-3);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
        box-shadow: var(--shadow);
      }
      .columns .choice {
        min-height: 1.75rem;
      }
      @media (max-width: 45rem) {
        .field:first-child,
        input[type='search'] {
          flex: 1 0 100%;
          width: 100%;
        }
        .columns {
          left: 0;
          right: auto;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.label = 'Agents';
    this.listing = ALL_AGENTS;
    this.zones = [];
    this.columns = new Set(AGENT_COLUMNS);
  }

  override render(): unknown {
    const { listing, zones } = this;
    return html`<div class="filters" role="search" aria-label=${this.label}>
      <div class="field">
        <label for="text">Find</label>
        <input
          id="text"
          type="search"
          autocomplete="off"
          placeholder="Name, zone, state, label"
          .value=${listing.text}
          @input=${(event: InputEvent) => this.#wish({ text: valueOf(event) })}
        />
      </div>
      ${this.#choice('state', 'State', listing.state ?? '', AGENT_STATES, (value) => {
        this.#wish({ state: isState(value) ? value : null });
      })}
      ${
        zones.length < 2 && listing.zone === null
          ? nothing
          : this.#choice('zone', 'Zone', listing.zone ?? '', zoneNames(zones, listing.zone), (value) => {
              this.#wish({ zone: value === '' ? null : value });
            })
      }
      ${this.#order()}
      <label class="choice">
        <input
          type="checkbox"
          .checked=${listing.attention}
          @change=${(event: Event) => this.#wish({ attention: isTicked(event) })}
        />
        Needs attention
      </label>
      ${
        isFiltered(listing)
          ? html`<button class="quiet" type="button" @click=${() => this.#wish({ ...ALL_AGENTS, sort: listing.sort })}>
              Show all
            </button>`
          : nothing
      }
      <details @keydown=${this.#pressed} @focusout=${this.#left}>
        <summary>Columns</summary>
        <fieldset class="columns">
          <legend class="visually-hidden">Columns</legend>
          ${AGENT_COLUMNS.map((column) => this.#column(column))}
          <p class="help">Those that do not fit are left away.</p>
        </fieldset>
      </details>
    </div>`;
  }

  #order(): unknown {
    const { sort } = this.listing;
    const direction = sort.descending ? 'Descending' : 'Ascending';
    return html`<div class="field">
      <label for="sort">Sort by</label>
      <div class="order">
        <select
          id="sort"
          @change=${(event: Event) => {
            const by = AGENT_SORTS.find((each) => each === valueOf(event)) ?? 'name';
            this.#wish({ sort: { ...sort, by } });
          }}
        >
          ${AGENT_SORTS.map(
            (by) => html`<option value=${by} .selected=${by === sort.by}>${AGENT_SORT_NAMES[by]}</option>`,
          )}
        </select>
        <button
          type="button"
          aria-label="${direction}: turn round"
          title=${direction}
          @click=${() => this.#wish({ sort: { ...sort, descending: !sort.descending } })}
        >
          <span aria-hidden="true">${sort.descending ? '↓' : '↑'}</span>
        </button>
      </div>
    </div>`;
  }

  #choice(
    id: string,
    label: string,
    chosen: string,
    options: Readonly<Record<string, string>>,
    onChange: (value: string) => void,
  ): unknown {
    return html`<div class="field">
      <label for=${id}>${label}</label>
      <select id=${id} @change=${(event: Event) => onChange(valueOf(event))}>
        <option value="" .selected=${chosen === ''}>Any</option>
        ${Object.entries(options).map(
          ([value, text]) => html`<option value=${value} .selected=${value === chosen}>${text}</option>`,
        )}
      </select>
    </div>`;
  }

  #column(column: AgentColumn): unknown {
    return html`<label class="choice">
      <input
        type="checkbox"
        .checked=${this.columns.has(column)}
        @change=${(event: Event) => {
          const columns = new Set(this.columns);
          if (isTicked(event)) columns.add(column);
          else columns.delete(column);
          this.dispatchEvent(new CustomEvent<ReadonlySet<AgentColumn>>('columns-wish', { detail: columns }));
        }}
      />
      ${COLUMN_FACTS[column].name}
    </label>`;
  }

  #wish(change: Partial<AgentListing>): void {
    const detail = { ...this.listing, ...change };
    this.dispatchEvent(new CustomEvent<AgentListing>('listing-wish', { detail }));
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    const details = event.currentTarget;
    if (event.key !== 'Escape' || !(details instanceof HTMLDetailsElement) || !details.open) return;
    details.open = false;
    details.querySelector('summary')?.focus();
  };

  /** It closes when somebody goes on elsewhere. */
  readonly #left = (event: FocusEvent): void => {
    const details = event.currentTarget;
    if (!(details instanceof HTMLDetailsElement)) return;
    if (event.relatedTarget instanceof Node && details.contains(event.relatedTarget)) return;
    if (event.relatedTarget !== null) details.open = false;
  };
}

/** A zone that an address names is among the choices, even when there is none of that name. */
function zoneNames(zones: readonly string[], asked: string | null): Readonly<Record<string, string>> {
  const all = new Set([...zones, ...(asked === null ? [] : [asked])]);
  return Object.fromEntries([...all].map((zone) => [zone, zone]));
}

function valueOf({ target }: Event): string {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement ? target.value : '';
}

function isTicked({ target }: Event): boolean {
  return target instanceof HTMLInputElement && target.checked;
}

customElements.define('mu-agent-filter', MuAgentFilter);
