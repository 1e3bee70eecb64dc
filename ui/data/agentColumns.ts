import type { AgentView } from '../../projections/views.ts';
import type { AgentSort } from './agentSorts.ts';
import { hasNoGpu } from './bars.ts';

/** The columns that may be hidden; name and state, selection and menu always stand. */
export const AGENT_COLUMNS = [
  'enabled',
  'zone',
  'labels',
  'cpu',
  'memory',
  'gpu',
  'sessions',
  'disk',
  'checkIn',
] as const;
export type AgentColumn = (typeof AGENT_COLUMNS)[number];

/** Where nobody has chosen: labels are of use to those who give some. */
const AT_FIRST: ReadonlySet<AgentColumn> = new Set(AGENT_COLUMNS.filter((column) => column !== 'labels'));

/** Shown as bars. */
const BARS: ReadonlySet<AgentColumn> = new Set(['cpu', 'memory', 'gpu']);

interface ColumnFacts {
  readonly name: string;
  /** The least width, in rem. */
  readonly width: number;
  /** Its share of what is left over; 0: none. */
  readonly grows: number;
  readonly sort: AgentSort;
}

export const COLUMN_FACTS: Readonly<Record<AgentColumn, ColumnFacts>> = {
  enabled: { name: 'Enabled', width: 5, grows: 0, sort: 'enabled' },
  zone: { name: 'Zone', width: 4.5, grows: 0, sort: 'zone' },
  labels: { name: 'Labels', width: 9, grows: 0.5, sort: 'labels' },
  cpu: { name: 'CPU', width: 12, grows: 1, sort: 'cpu' },
  memory: { name: 'RAM', width: 14, grows: 1.2, sort: 'memory' },
  gpu: { name: 'GPU', width: 9.5, grows: 0.6, sort: 'gpu' },
  sessions: { name: 'Sessions', width: 4.5, grows: 0, sort: 'sessions' },
  disk: { name: 'Disk', width: 6, grows: 0, sort: 'disk' },
  checkIn: { name: 'Check-in', width: 5, grows: 0, sort: 'checkIn' },
};

/** Which are left away first where there is no room for all. */
const LEAST_NEEDED: readonly AgentColumn[] = [
  'disk',
  'zone',
  'gpu',
  'labels',
  'checkIn',
  'sessions',
  'memory',
  'cpu',
  'enabled',
];

const GAP_REM = 1;
/** Selection, name with state, menu. */
const ALWAYS_REM = 1.5 + 13 + 2.25;

/** Those of the chosen columns that fit into a width in rem, in the order shown. */
export function columnsThatFit(chosen: ReadonlySet<AgentColumn>, widthRem: number): readonly AgentColumn[] {
  const shown = new Set(chosen);
  const needed = (): number =>
    [...shown].reduce((sum, column) => sum + COLUMN_FACTS[column].width + GAP_REM, ALWAYS_REM + 2 * GAP_REM);
  for (const column of LEAST_NEEDED) {
    if (needed() <= widthRem) break;
    shown.delete(column);
  }
  return AGENT_COLUMNS.filter((column) => shown.has(column));
}

/** The widths of the columns as a grid wants them. */
export function columnTracks(columns: readonly AgentColumn[]): string {
  const tracks = columns.map((column) => {
    const { width, grows } = COLUMN_FACTS[column];
    return grows === 0 ? `${width}rem` : `minmax(${width}rem, ${grows}fr)`;
  });
  return ['1.5rem', 'minmax(13rem, 1.6fr)', ...tracks, '2.25rem'].join(' ');
}

/** In rem. */
const ROW_REM = 5.5;

/** How high the row of an agent is, in rem: as any other, or a card as what stands on it. */
export function rowHeight(columns: readonly AgentColumn[], cards: boolean): (agent: AgentView | undefined) => number {
  return (agent) => (cards && agent !== undefined ? cardHeight(columns, agent) : ROW_REM);
}

/**
 * How high the card of an agent is, in rem: its head, and a line or a block for each group of what it shows. That it has no
 * GPU is a word in the first line; what it cannot be measured against yet, one block in place of all bars. What is
 * over-allocated says so in one more line.
 */
export function cardHeight(columns: readonly AgentColumn[], agent: AgentView): number {
  const has = (...group: readonly AgentColumn[]) => Number(group.some((column) => columns.includes(column)));
  const bars = columns.filter((column) => BARS.has(column) && !(column === 'gpu' && hasNoGpu(agent)));
  const blocks = agent.capacity === null ? Math.min(1, bars.length) : bars.length;
  const beyond = bars.filter((column) => isOver(agent, column)).length;
  const first = hasNoGpu(agent) && agent.capacity !== null ? has('enabled', 'zone', 'gpu') : has('enabled', 'zone');
  return (
    5.75 + 2.75 * first + 3.25 * has('labels') + 4 * blocks + 1.125 * beyond + 2.75 * has('sessions', 'disk', 'checkIn')
  );
}

const AMOUNTS = { cpu: 'millicores', memory: 'memoryBytes', gpu: 'gpus' } as const;

function isOver({ allocated, capacity }: AgentView, column: AgentColumn): boolean {
  if (capacity === null || (column !== 'cpu' && column !== 'memory' && column !== 'gpu')) return false;
  return allocated[AMOUNTS[column]] > capacity[AMOUNTS[column]];
}

const STORED = 'muster-agent-columns';

/** The columns that were chosen in this browser; at first all but labels. */
export function chosenColumns(storage: Pick<Storage, 'getItem'>): ReadonlySet<AgentColumn> {
  const stored = storage.getItem(STORED);
  if (stored === null) return AT_FIRST;
  const names = new Set(stored.split(','));
  return new Set(AGENT_COLUMNS.filter((column) => names.has(column)));
}

export function keepColumns(storage: Pick<Storage, 'setItem'>, columns: ReadonlySet<AgentColumn>): void {
  storage.setItem(STORED, AGENT_COLUMNS.filter((column) => columns.has(column)).join(','));
}
