import { formatBytes } from '../../domain/units.ts';

/** How amounts and ages are written on this page. Pure text; nothing here knows of elements. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `42 %`, or `no capacity` when there is nothing to be a part of. */
export function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.round((part / whole) * 100)} %` : 'no capacity';
}

/** `5 / 12 GiB`: both in the unit of the whole; a part far too small for that unit keeps its own. */
export function bytesOf(part: number, whole: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, whole)) / 10));
  const size = 1024 ** step;
  const unit = UNITS[step] ?? 'B';
  const partText = part === 0 || part >= size / 10 ? short(part / size) : formatBytes(part);
  return `${partText} / ${short(whole / size)} ${unit}`;
}

/** `1,007 GiB`: the whole as it is written beside its part. */
export function wholeBytes(bytes: number): string {
  return bytesOf(bytes, bytes).replace(/^.* \/ /, '');
}

/** Measured cores have one decimal, always, so that the text keeps its width: `3.1`; those of a large fleet have none. */
export function measuredCores(millicores: number): string {
  return millicores >= 1_000_000 ? whole(Math.round(millicores / 1000)) : (millicores / 1000).toFixed(1);
}

/** `0.5`, `12`, `117,111`. */
export function coresOf(millicores: number): string {
  return whole(millicores / 1000);
}

/** `2 CPUs, 4 GiB, 1 GPU`. */
export function requestText(millicores: number, memoryBytes: number, gpuText: string | null): string {
  return [cpus(millicores), formatBytes(memoryBytes), ...(gpuText === null ? [] : [gpuText])].join(', ');
}

export function cpus(millicores: number): string {
  return millicores === 1000 ? '1 CPU' : `${coresOf(millicores)} CPUs`;
}

export function counted(count: number, one: string, many: string): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** `10,000`. */
export function whole(count: number): string {
  return count.toLocaleString('en');
}

/** `4 s`, `3 min`, `2 h`, `5 d`: one unit, rounded down. A clock that is slightly ahead makes no negative age. */
export function age(fromMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - fromMs) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `in 3 d`, by the same units as ages; `now` when it is over. */
export function timeLeft(untilMs: number, nowMs: number): string {
  return untilMs <= nowMs ? 'now' : `in ${age(nowMs, untilMs)}`;
}

function short(amount: number): string {
  return amount >= 100 ? whole(Math.round(amount)) : String(Number(amount.toFixed(1)));
}
