import { html, nothing, type TemplateResult } from 'lit';
import { COLUMN_FACTS, type AgentColumn } from '../data/agentColumns.ts';
import type { AgentSort, SortOrder } from '../data/agentSorts.ts';
import { counted } from '../data/amounts.ts';
import { tickBox } from './tickBox.ts';

interface Head {
  readonly columns: readonly AgentColumn[];
  readonly sort: SortOrder;
  /** How many agents are shown, and of those that are selected, whether all of them are. */
  readonly shown: number;
  readonly selected: 'none' | 'some' | 'all';
  /** In cards only the box for all is seen. */
  readonly cards: boolean;
  readonly onSelect: (kind: 'none' | 'all') => void;
  readonly onSort: (sort: SortOrder) => void;
}

/** The head of the table: a box for all rows, and a column each, by which a click sorts. */
export function agentTableHead(head: Head): TemplateResult {
  const { columns, shown, selected, onSelect } = head;
  return html`<div class="head" role="row" aria-rowindex="1">
    <div role="columnheader">
      ${tickBox({
        label: `Select all ${counted(shown, 'agent', 'agents')} shown`,
        checked: selected === 'some' ? 'mixed' : selected === 'all',
        onClick: () => onSelect(selected === 'all' ? 'none' : 'all'),
      })}<span class="all" aria-hidden="true">Select all</span>
    </div>
    ${heading(head, 'Agent', 'name')}
    ${columns.map((column) => {
      const { name, sort } = COLUMN_FACTS[column];
      return heading(head, name, sort, column === 'sessions' ? 'number' : '');
    })}
    <div role="columnheader"><span class="visually-hidden">Actions</span></div>
  </div>`;
}

/** A bar shows two amounts; its column is marked when the list is sorted by either. */
function heading({ sort, cards, onSort }: Head, name: string, by: AgentSort, looks = ''): TemplateResult {
  const here = sort.by === by || sort.by === `${by}Used`;
  const direction = sort.descending ? 'descending' : 'ascending';
  return html`<div role="columnheader" class=${looks} aria-sort=${here ? direction : 'none'}>
    <button type="button" tabindex=${cards ? -1 : nothing} @click=${() => onSort(sortedBy(sort, by))}>
      ${name}${here ? html`<span aria-hidden="true"> ${sort.descending ? '↓' : '↑'}</span>` : nothing}
    </button>
  </div>`;
}

/** A second click turns it round. Amounts begin with the largest, words with the first, states with the worst. */
function sortedBy(sort: SortOrder, by: AgentSort): SortOrder {
  if (sort.by === by) return { by, descending: !sort.descending };
  return { by, descending: by !== 'name' && by !== 'zone' && by !== 'labels' && by !== 'state' && by !== 'enabled' };
}
