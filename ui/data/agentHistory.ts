import type { Amounts } from '../../domain/agents/capacity.ts';
import type { CapacityStep, Column as Measured, SpreadColumns, UtilizationView } from '../../projections/views.ts';
import { eventSentence, whoAndWhy, type AgentEvent } from './agentEvents.ts';

/** The history of one agent, as charts over one time axis. Nothing is computed but units. */

/** What placement counted with; ms since 1970. */
export interface CapacityView {
  /** Before that it is not known. */
  readonly since: number;
  readonly steps: readonly CapacityStep[];
  /** Null: every step is there. Else of a busy span of so many seconds only its ends, and where a line was lowest and highest. */
  readonly thinnedToSeconds: number | null;
  /** Changes of settings, newest first. */
  readonly changes: readonly AgentEvent[];
}

export const RANGES = [
  { id: '1h', text: '1 h', hours: 1 },
  { id: '24h', text: '24 h', hours: 24 },
  { id: '7d', text: '7 d', hours: 7 * 24 },
  { id: '30d', text: '30 d', hours: 30 * 24 },
  { id: '400d', text: '400 d', hours: 400 * 24 },
] as const;
export type RangeId = (typeof RANGES)[number]['id'];

/** What of the time is shown, ms since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is looked at: a range up to now, or a part of time that somebody zoomed to. */
export interface Look {
  readonly range: RangeId;
  readonly zoom: Span | null;
}

const HOUR_MS = 3_600_000;
/** Points are 10 s apart at best: less time than this shows nothing more. */
export const LEAST_MS = 60_000;

export function lookIn(query: string): Look {
  const asked = new URLSearchParams(query);
  const range = RANGES.find(({ id }) => id === asked.get('range'))?.id ?? '24h';
  const [from, to] = [Number(asked.get('from') ?? NaN), Number(asked.get('to') ?? NaN)];
  return { range, zoom: to - from >= LEAST_MS ? { from, to } : null };
}

export function queryOf({ range, zoom }: Look): string {
  const query = new URLSearchParams();
  if (range !== '24h') query.set('range', range);
  if (zoom !== null) {
    query.set('from', String(Math.round(zoom.from)));
    query.set('to', String(Math.round(zoom.to)));
  }
  return query.toString();
}

export function spanOf({ range, zoom }: Look, now: number): Span {
  const hours = RANGES.find(({ id }) => id === range)?.hours ?? 24;
  return zoom ?? { from: now - hours * HOUR_MS, to: now };
}

/** What the keyboard does to the time that is shown: half of it around its middle, twice of it, half of it aside. */
export function moved({ from, to }: Span, how: 'in' | 'out' | 'earlier' | 'later', now: number): Span {
  const length = to - from;
  const middle = from + length / 2;
  const least = Math.max(LEAST_MS, length / 2);
  switch (how) {
    case 'in':
      return { from: middle - least / 2, to: middle + least / 2 };
    case 'out':
      return ending({ from: middle - length, to: middle + length }, now);
    case 'earlier':
      return { from: from - length / 2, to: to - length / 2 };
    case 'later':
      return ending({ from: from + length / 2, to: to + length / 2 }, now);
  }
}

function ending({ from, to }: Span, now: number): Span {
  const beyond = Math.max(0, to - now);
  return { from: from - beyond, to: to - beyond };
}

/** `null` is a gap; `undefined` says nothing of that moment, and lines go on across it. */
export type Column = readonly (number | null | undefined)[];

export interface TimelineLine {
  readonly name: string;
  readonly kind: 'used' | 'lowest' | 'highest' | 'allocated' | 'capacity';
  readonly values: Column;
}

/** One chart: lines over seconds since 1970. */
export interface Timeline {
  readonly label: string;
  readonly unit: string;
  readonly times: readonly number[];
  readonly lines: readonly TimelineLine[];
}

/** A change of settings on the time axis; `number` is that in the list below. */
export interface Marker {
  /** Seconds since 1970. */
  readonly at: number;
  readonly number: number;
  readonly sentence: string;
  /** Who and why; empty when it is known of neither. */
  readonly by: string;
}

interface Dimension {
  readonly label: string;
  readonly unit: string;
  /** What is measured, and how much of it makes one of the unit; null: nothing is. */
  readonly used: { readonly of: (view: UtilizationView) => Partial<SpreadColumns> | null; readonly per: number } | null;
  /** The same of what placement counts with; null: it does not count with this. */
  readonly amount: { readonly of: (amounts: Amounts) => number; readonly per: number } | null;
}

const CPU: Dimension = {
  label: 'CPU',
  unit: 'cores',
  used: { of: (view) => view.cpuMillicores, per: 1000 },
  amount: { of: (amounts) => amounts.millicores, per: 1000 },
};
const MEMORY: Dimension = {
  label: 'Memory',
  unit: 'GiB',
  used: { of: (view) => view.memoryMib, per: 1024 },
  amount: { of: (amounts) => amounts.memoryBytes, per: 1024 ** 3 },
};
/** Only the newest is known of each bucket. */
const DISK: Dimension = {
  label: 'Disk',
  unit: 'GiB',
  used: { of: ({ diskUsedMib }) => diskUsedMib && { mean: diskUsedMib }, per: 1024 },
  amount: null,
};
const GPU_LOAD: Dimension = {
  label: 'GPU load, mean of all devices',
  unit: '%',
  used: { of: (view) => view.gpuPercent, per: 1 },
  amount: null,
};
const GPU_MEMORY: Dimension = {
  label: 'GPU memory, all devices',
  unit: 'GiB',
  used: { of: (view) => view.gpuMemoryMib, per: 1024 },
  amount: null,
};
const GPUS: Dimension = {
  label: 'GPUs',
  unit: 'devices',
  used: null,
  amount: { of: (amounts) => amounts.gpus, per: 1 },
};

/** What can be drawn: CPU and memory always, disk and GPUs where anything was told of them. */
export function timelinesOf(view: UtilizationView, capacity: CapacityView, span: Span): readonly Timeline[] {
  const buckets = bucketsIn(view, span);
  const steps = stepsIn(capacity, span);
  const draw = (dimension: Dimension) => timeline(dimension, view, buckets, steps);
  const isTold = ({ lines }: Timeline) => lines.some(({ values }) => values.some((value) => (value ?? 0) > 0));
  return [draw(CPU), draw(MEMORY), ...[DISK, GPUS, GPU_LOAD, GPU_MEMORY].map(draw).filter(isTold)];
}

/** The changes of settings in a span, oldest first, numbered. */
export function markersOf({ changes }: CapacityView, { from, to }: Span): readonly Marker[] {
  return changes
    .filter(({ occurredAt }) => Date.parse(occurredAt) >= from && Date.parse(occurredAt) <= to)
    .toReversed()
    .map((event, index) => ({
      at: Date.parse(event.occurredAt) / 1000,
      number: index + 1,
      sentence: eventSentence(event),
      by: whoAndWhy(event),
    }));
}

interface Bucket {
  /** ms since 1970. */
  readonly at: number;
  /** In the columns, which may begin later and end sooner. */
  readonly place: number;
}

/** Every bucket of the span has a place, so that what was not received stays visible as a gap. */
function bucketsIn({ start, stepSeconds }: UtilizationView, { from, to }: Span): readonly Bucket[] {
  const step = stepSeconds * 1000;
  const first = Math.ceil(from / step);
  const length = Math.max(0, Math.floor(to / step) - first + 1);
  return Array.from({ length }, (_, index) => ({ at: (first + index) * step, place: first + index - start / step }));
}

/** Those of the span, with what was so at its beginning, and once more at its end, so that lines reach it. */
function stepsIn({ steps, since }: CapacityView, { from, to }: Span): readonly CapacityStep[] {
  const start = Math.max(from, since);
  const first = steps.findLast(({ at }) => at <= start);
  const inside = steps.filter(({ at }) => at > start && at < to);
  const last = inside.at(-1) ?? first;
  if (last === undefined || start > to) return [];
  return [...(first === undefined ? [] : [{ ...first, at: start }]), ...inside, { ...last, at: to }];
}

function timeline(
  { label, unit, used, amount }: Dimension,
  view: UtilizationView,
  buckets: readonly Bucket[],
  steps: readonly CapacityStep[],
): Timeline {
  const counted = amount === null ? [] : steps;
  const times = [...new Set([...buckets.map(({ at }) => at), ...counted.map(({ at }) => at)])].toSorted(
    (a, b) => a - b,
  );
  const place = new Map(times.map((at, index) => [at, index]));
  const column = (values: readonly (readonly [number, number | null])[], per: number): Column => {
    const all = Array.from<number | null | undefined>({ length: times.length });
    for (const [at, value] of values) all[place.get(at) ?? 0] = value === null ? null : value / per;
    return all;
  };
  const lines: TimelineLine[] = [];
  if (used !== null) {
    const told = used.of(view);
    const measured = (values: Measured | undefined) =>
      column(
        buckets.map((bucket) => [bucket.at, values?.[bucket.place] ?? null]),
        used.per,
      );
    if (told?.highest) lines.push({ name: 'highest', kind: 'highest', values: measured(told.highest) });
    if (told?.lowest) lines.push({ name: 'lowest', kind: 'lowest', values: measured(told.lowest) });
    lines.push({ name: 'used', kind: 'used', values: measured(told?.mean) });
  }
  if (amount !== null) {
    const stepped = (which: (step: CapacityStep) => Amounts | null) =>
      column(
        counted.map((step) => [step.at, optional(which(step), amount.of)]),
        amount.per,
      );
    lines.push({ name: 'allocated', kind: 'allocated', values: stepped(({ allocated }) => allocated) });
    lines.push({ name: 'capacity', kind: 'capacity', values: stepped(({ capacity }) => capacity) });
  }
  return { label, unit, times: times.map((at) => at / 1000), lines };
}

function optional(amounts: Amounts | null, of: (amounts: Amounts) => number): number | null {
  return amounts === null ? null : of(amounts);
}

/** `used 3.1 (2 to 4.2), allocated 5, capacity 12 cores` at a place of a chart; null when nothing is known there. */
export function readout({ lines, unit }: Timeline, place: number): string | null {
  const at = (kind: TimelineLine['kind'], exact: boolean): string | null => {
    const values = lines.find((line) => line.kind === kind)?.values;
    const value = exact ? values?.[place] : values?.slice(0, place + 1).findLast((each) => each !== undefined);
    return value == null ? null : String(Number(value.toFixed(value >= 100 ? 0 : 2)));
  };
  const [used, lowest, highest] = [at('used', true), at('lowest', true), at('highest', true)];
  const spread = lowest === null || highest === null || lowest === highest ? '' : ` (${lowest} to ${highest})`;
  const parts = [
    ...(used === null ? [] : [`used ${used}${spread}`]),
    ...(at('allocated', false) === null ? [] : [`allocated ${at('allocated', false)}`]),
    ...(at('capacity', false) === null ? [] : [`capacity ${at('capacity', false)}`]),
  ];
  return parts.length === 0 ? null : `${parts.join(', ')} ${unit}`;
}

/** A stretch of time as a row of the table: means of what was measured, the most of CPU, how much was received. */
export interface TimelineRow {
  readonly at: number;
  readonly millicores: number | null;
  readonly mostMillicores: number | null;
  readonly memoryMib: number | null;
  readonly receivedPercent: number;
}

/** So many rows are enough to read. */
const MOST_ROWS = 48;

/** The same as the charts, newest first, in stretches of equal length; one without data is listed as such. */
export function rowsOf(view: UtilizationView, span: Span): readonly TimelineRow[] {
  const buckets = bucketsIn(view, span);
  const size = Math.max(1, Math.ceil(buckets.length / MOST_ROWS));
  const rows = Array.from({ length: Math.ceil(buckets.length / size) }, (_, row) => {
    const group = buckets.slice(row * size, (row + 1) * size);
    const told = (values: Measured) => group.flatMap(({ place }) => values[place] ?? []);
    const highest = told(view.cpuMillicores.highest);
    return {
      at: group[0]?.at ?? span.from,
      millicores: mean(told(view.cpuMillicores.mean)),
      mostMillicores: highest.length === 0 ? null : Math.max(...highest),
      memoryMib: mean(told(view.memoryMib.mean)),
      receivedPercent: Math.round((highest.length * 100) / group.length),
    };
  });
  return rows.toReversed();
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}
