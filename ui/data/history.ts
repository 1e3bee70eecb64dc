import type { UtilizationView } from '../../projections/views.ts';

/** Columns as the chart takes them: seconds, then one value per bucket. A bucket without data is null: a gap. */
export interface HistoryColumns {
  readonly times: readonly number[];
  readonly cores: readonly (number | null)[];
  readonly gibibytes: readonly (number | null)[];
}

/** One hour of the table: means, the highest that was measured, and how much of the hour was received at all. */
export interface HistoryHour {
  readonly at: number;
  readonly cores: number | null;
  readonly peakCores: number | null;
  readonly memoryBytes: number | null;
  readonly coveredPercent: number;
}

const HOUR_MS = 3_600_000;

/** Every bucket between the first and the last gets a place, so that what was not received stays visible as a gap. */
export function historyColumns(view: UtilizationView): HistoryColumns {
  const step = view.stepSeconds * 1000;
  const byTime = new Map(view.points.map((point) => [point.at, point]));
  const first = view.points[0]?.at ?? 0;
  const last = view.points.at(-1)?.at ?? -1;
  const places = last < first ? 0 : Math.round((last - first) / step) + 1;
  const at = Array.from({ length: places }, (_, place) => first + place * step);
  return {
    times: at.map((time) => time / 1000),
    cores: at.map((time) => perUnit(byTime.get(time)?.cpuMillicores, 1000)),
    gibibytes: at.map((time) => perUnit(byTime.get(time)?.memoryBytes, 1024 ** 3)),
  };
}

/** The hours that the view touches, newest first; an hour without data is listed as such. */
export function historyHours(view: UtilizationView): readonly HistoryHour[] {
  const hours = Map.groupBy(view.points, (point) => Math.floor(point.at / HOUR_MS));
  if (hours.size === 0) return [];
  const newest = Math.max(...hours.keys());
  const oldest = Math.min(...hours.keys());
  return Array.from({ length: newest - oldest + 1 }, (_, back) => {
    const hour = newest - back;
    const points = hours.get(hour) ?? [];
    return {
      at: hour * HOUR_MS,
      cores: mean(points.map((point) => point.cpuMillicores)),
      peakCores: points.length === 0 ? null : Math.max(...points.map(({ highest }) => highest.cpuMillicores)),
      memoryBytes: mean(points.map((point) => point.memoryBytes)),
      coveredPercent: Math.min(100, Math.round((points.length * view.stepSeconds * 100) / 3600)),
    };
  });
}

function perUnit(value: number | undefined, unit: number): number | null {
  return value === undefined ? null : value / unit;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}
