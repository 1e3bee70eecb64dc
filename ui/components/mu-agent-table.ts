import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView } from '../../projections/views.ts';
import { columnsThatFit, columnTracks, rowHeight, type AgentColumn } from '../data/agentColumns.ts';
import { AgentPlaces } from '../data/agentPlaces.ts';
import { agentAddress } from '../data/agents.ts';
import type { SortOrder } from '../data/agentSorts.ts';
import type { AgentWish } from '../data/agentWishes.ts';
import type { Fleet } from '../data/fleet.ts';
import { placeOf, rowWindow, type RowWindow } from '../data/rowWindow.ts';
import type { SelectWish } from '../data/selection.ts';
import { base } from '../styles/base.ts';
import type { Action } from './action.ts';
import { agentTableHead } from './agentTableHead.ts';
import { agentTableStyles } from './agentTableStyles.ts';
import './mu-agent-row.ts';
import { MuAgentRow, type PickWish } from './mu-agent-row.ts';
import { tickBoxStyles } from './tickBox.ts';

/** Narrower than this there are cards, in rem: 720 px. */
const CARDS_BELOW_REM = 45;
/** Rows that a key moves by which turns a page. */
const PAGE_ROWS = 10;

export interface RowWish {
  readonly agentId: string;
  readonly wish: AgentWish;
}

/**
 * Any number of agents in rows of which only those on screen exist; cards on a narrow screen. One row is current: the
 * tab key enters there, arrow keys, Page Up, Page Down, Home and End move it, Space selects, with Shift a range,
 * Ctrl + A all, Enter opens it. Dispatches `sort-wish`, `select-wish`, `row-wish`, and `touched` while somebody is at it.
 */
export class MuAgentTable extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    ids: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    columns: { attribute: false },
    sort: { attribute: false },
    selected: { attribute: false },
    actions: { attribute: false },
    cards: { type: Boolean, reflect: true },
    drawn: { state: true },
    current: { state: true },
    width: { state: true },
  };
  /** The rows by id. What is in it may change while it stays the same map. */
  declare agents: ReadonlyMap<string, AgentView>;
  /** Another with every change of the rows, and says of which; null: they do not change. */
  declare fleet: Pick<Fleet, 'agentChanges'> | null;
  /** Which are shown, in order. */
  declare ids: readonly string[];
  /** The server's time, in milliseconds. */
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  declare columns: ReadonlySet<AgentColumn>;
  declare sort: SortOrder;
  declare selected: ReadonlySet<string>;
  /** What is under way or was refused, by agent. */
  declare actions: ReadonlyMap<string, Pick<Action, 'busy' | 'refusal'>>;
  declare cards: boolean;
  declare drawn: RowWindow;
  declare current: string | null;
  /** In rem. */
  declare width: number;
  /** From where a range is selected. */
  #anchor: string | null = null;
  #fitting: readonly AgentColumn[] = [];
  /** Whether one of the rows had the focus before they were drawn anew. */
  #hadFocus = false;
  readonly #places = new AgentPlaces();
  #height = rowHeight([], false);
  readonly #sizes = new ResizeObserver(() => this.#measure());

  static override styles = [base, tickBoxStyles, agentTableStyles];

  constructor() {
    super();
    this.agents = new Map();
    this.fleet = null;
    this.ids = [];
    this.now = 0;
    this.may = 'viewer';
    this.columns = new Set();
    this.sort = { by: 'name', descending: false };
    this.selected = new Set();
    this.actions = new Map();
    this.cards = false;
    this.drawn = { first: 0, count: 0 };
    this.current = null;
    this.width = 90;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener('scroll', this.#scrolled, { passive: true });
    this.#sizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener('scroll', this.#scrolled);
    this.#sizes.disconnect();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const { places } = this.#places;
    this.#place(changed);
    if (places !== this.#places.places && this.hasUpdated) this.#window();
    this.#hadFocus = this.shadowRoot?.activeElement instanceof MuAgentRow;
  }

  override render(): unknown {
    const { ids } = this;
    const columns = this.#columns;
    return html`<div class="above"><slot name="above"></slot></div>
      <div
        role="grid"
        aria-label="Agents"
        aria-multiselectable="true"
        aria-rowcount=${ids.length + 1}
        aria-colcount=${columns.length + 3}
        @keydown=${this.#pressed}
      >
        <div class="stick">${this.#head(columns)}</div>
        <div
          class="rows"
          role="rowgroup"
          tabindex="-1"
          aria-label="Agents"
          @pointermove=${this.#touched}
          @pointerdown=${this.#touched}
          @wheel=${{ handleEvent: this.#touched, passive: true }}
          @menu-toggled=${this.#touched}
        >
          ${this.#rows(columns)}
        </div>
      </div>`;
  }

  protected override firstUpdated(): void {
    const above = this.renderRoot.querySelector('.above');
    if (above !== null) this.#sizes.observe(above);
    this.#measure();
  }

  protected override updated(): void {
    const { style } = this;
    style.setProperty('--columns', columnTracks(this.#columns));
    style.setProperty('--all-rows', `${this.#places.places.tops.at(-1) ?? 0}rem`);
    this.#keepFocus();
  }

  /** An element that was moved loses the focus, and one that shows another agent now must not keep it. */
  #keepFocus(): void {
    if (!this.#hadFocus) return;
    const focused = this.shadowRoot?.activeElement;
    if (focused instanceof MuAgentRow && focused.agent?.agentId === this.current) return;
    (this.#rowOf(this.current) ?? this.#list)?.focus({ preventScroll: true });
  }

  /** The same array while they are the same: a row is drawn again when it is given another. */
  get #columns(): readonly AgentColumn[] {
    const fitting = columnsThatFit(this.columns, this.cards ? Infinity : this.width - 1.5);
    if (fitting.join() !== this.#fitting.join()) this.#fitting = fitting;
    return this.#fitting;
  }

  #head(columns: readonly AgentColumn[]): unknown {
    const { ids, selected, sort, cards } = this;
    const all = ids.length > 0 && ids.every((agentId) => selected.has(agentId));
    return agentTableHead({
      columns,
      sort,
      shown: ids.length,
      selected: all ? 'all' : selected.size > 0 ? 'some' : 'none',
      cards,
      onSelect: (kind) => this.#select({ kind }),
      onSort: (detail) => this.dispatchEvent(new CustomEvent<SortOrder>('sort-wish', { detail })),
    });
  }

  /** The elements that leave on one side come in again on the other, and stand in the order in which they are read. */
  #rows(columns: readonly AgentColumn[]): unknown {
    const { first, count } = this.drawn;
    const indexes = Array.from({ length: Math.min(count, this.ids.length - first) }, (_, place) => first + place);
    const current = this.#reachable(indexes);
    return repeat(
      indexes,
      (index) => index % count,
      (index) => this.#row(index, columns, current),
    );
  }

  #row(index: number, columns: readonly AgentColumn[], current: string | null): unknown {
    const agentId = this.ids[index] ?? '';
    const agent = this.agents.get(agentId) ?? null;
    const action = this.actions.get(agentId);
    const picked = this.selected.has(agentId);
    const { top, height } = placeOf(this.#places.places, index);
    return html`<mu-agent-row
      role="row"
      aria-rowindex=${index + 2}
      aria-selected=${picked}
      aria-label=${agent === null ? nothing : `${agent.hostname}: ${agent.sentence}`}
      tabindex=${agentId === current ? 0 : -1}
      ?card=${this.cards}
      .top=${top}
      .height=${height}
      .agent=${agent}
      .now=${this.now}
      .columns=${columns}
      .may=${this.may}
      .saving=${action?.busy ?? false}
      .refusal=${action?.refusal ?? null}
      .picked=${picked}
      .current=${agentId === current}
      @focusin=${() => this.#turnTo(agentId)}
      @click=${this.#clicked}
      @pick-wish=${this.#pickWished}
      @agent-wish=${(event: CustomEvent<AgentWish>) => this.#wish(agentId, event.detail)}
    ></mu-agent-row>`;
  }

  /** The current row, or the first drawn one while that is off the screen. */
  #reachable(indexes: readonly number[]): string | null {
    const shown = indexes.map((index) => this.ids[index]);
    return shown.includes(this.current ?? '') ? this.current : (shown[0] ?? null);
  }

  #place(changed: PropertyValues<this>): void {
    const { ids, agents, fleet, cards } = this;
    if (changed.has('cards') || changed.has('columns')) this.#height = rowHeight(this.#columns, cards);
    this.#places.update({ ids, agents, changes: fleet?.agentChanges ?? null, heightOf: this.#height });
  }

  #measure(): void {
    const { width } = this.getBoundingClientRect();
    this.width = width / rootPixels();
    this.cards = this.width < CARDS_BELOW_REM;
    this.style.setProperty('--above-height', `${this.#heightOf('.above')}px`);
    this.#window();
  }

  readonly #scrolled = (): void => this.#window();

  #window(): void {
    const list = this.renderRoot.querySelector('.rows');
    if (list === null) return;
    const above = Math.max(0, -list.getBoundingClientRect().top) / rootPixels();
    const next = rowWindow(this.#places.places, { above, screen: globalThis.innerHeight / rootPixels() });
    const { first, count } = this.drawn;
    if (next.first !== first || next.count !== count) this.drawn = next;
  }

  get #list(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>('.rows');
  }

  #turnTo(agentId: string): void {
    this.current = agentId;
  }

  #select(detail: SelectWish): void {
    this.dispatchEvent(new CustomEvent<SelectWish>('select-wish', { detail }));
  }

  #wish(agentId: string, wish: AgentWish): void {
    this.dispatchEvent(new CustomEvent<RowWish>('row-wish', { detail: { agentId, wish } }));
  }

  readonly #touched = (): void => {
    this.dispatchEvent(new CustomEvent('touched'));
  };

  readonly #pickWished = ({ detail }: CustomEvent<PickWish>): void => {
    this.#pick(detail.agentId, detail.range);
  };

  #pick(agentId: string, range: boolean): void {
    this.current = agentId;
    if (range && this.#anchor !== null) {
      this.#select({ kind: 'range', from: this.#anchor, to: agentId });
      return;
    }
    this.#anchor = agentId;
    this.#select({ kind: 'toggle', agentId });
  }

  /** With Shift or Ctrl a click anywhere on a row selects, as in other lists. */
  readonly #clicked = (event: MouseEvent): void => {
    const row = event.currentTarget;
    if (!(row instanceof MuAgentRow) || row.agent === null || event.defaultPrevented) return;
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    if (event.composedPath().some((each) => each instanceof Element && each.matches('a, button, input, .pick'))) return;
    event.preventDefault();
    this.#pick(row.agent.agentId, event.shiftKey);
  };

  readonly #pressed = (event: KeyboardEvent): void => {
    const [origin] = event.composedPath();
    const onRow = origin instanceof MuAgentRow || origin === this.#list;
    if (!(origin instanceof Element) || origin.closest('.head') !== null) return;
    this.#touched();
    const to = this.#movedTo(event.key);
    if (to !== null) {
      event.preventDefault();
      void this.#go(to, event.shiftKey);
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'a') {
      event.preventDefault();
      this.#select({ kind: 'all' });
    } else if (event.key === 'Escape' && !onRow) {
      this.#rowOf(this.current)?.focus();
    } else if (event.key === 'Escape') {
      this.#select({ kind: 'none' });
    } else if (onRow && this.current !== null) {
      this.#onRow(event, this.current);
    }
  };

  #onRow(event: KeyboardEvent, agentId: string): void {
    if (event.key === ' ') {
      event.preventDefault();
      this.#pick(agentId, event.shiftKey);
    } else if (event.key === 'Enter') {
      globalThis.location.hash = agentAddress(agentId);
    }
  }

  /** Where a key leads to; null when it is none that moves. */
  #movedTo(key: string): number | null {
    const at = this.ids.indexOf(this.current ?? '');
    switch (key) {
      case 'ArrowDown':
        return at + 1;
      case 'ArrowUp':
        return at - 1;
      case 'PageDown':
        return at + PAGE_ROWS;
      case 'PageUp':
        return at - PAGE_ROWS;
      case 'Home':
        return 0;
      case 'End':
        return this.ids.length - 1;
      default:
        return null;
    }
  }

  async #go(wanted: number, selects: boolean): Promise<void> {
    const index = Math.max(0, Math.min(wanted, this.ids.length - 1));
    const agentId = this.ids[index];
    if (agentId === undefined) return;
    if (selects) this.#select({ kind: 'range', from: (this.#anchor ??= this.current ?? agentId), to: agentId });
    this.current = agentId;
    this.#reveal(index);
    this.#window();
    await this.updateComplete;
    this.#rowOf(agentId)?.focus({ preventScroll: true });
  }

  /** Scrolls so far that the whole row stands between the head and the end of the screen. */
  #reveal(index: number): void {
    const list = this.#list;
    if (list === null) return;
    const place = placeOf(this.#places.places, index);
    const top = list.getBoundingClientRect().top + place.top * rootPixels();
    const head = this.#heightOf('.above') + this.#heightOf('.stick');
    const past = top + place.height * rootPixels() - globalThis.innerHeight;
    if (top < head) globalThis.scrollBy({ top: top - head, behavior: 'instant' });
    else if (past > 0) globalThis.scrollBy({ top: past, behavior: 'instant' });
  }

  /** In pixels. */
  #heightOf(selector: string): number {
    return this.renderRoot.querySelector(selector)?.getBoundingClientRect().height ?? 0;
  }

  #rowOf(agentId: string | null): MuAgentRow | null {
    const rows = this.renderRoot.querySelectorAll<MuAgentRow>('mu-agent-row');
    return [...rows].find(({ agent }) => agent?.agentId === agentId) ?? null;
  }
}

/** Of one rem. */
function rootPixels(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
}

customElements.define('mu-agent-table', MuAgentTable);
