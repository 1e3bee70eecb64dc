import type { PlacementRequest } from '../rule.ts';
import { Column, freeOfKind, totalOfKind } from './agentRow.ts';
import type { BoundsTree } from './boundsTree.ts';
import type { DeviceKinds } from './deviceKinds.ts';
import { selectorBits } from './labelBits.ts';

/** A request as the tree is asked for it: amounts, and the columns that count the devices of the kinds that would do. */
export interface Wanted {
  readonly millicores: number;
  readonly memoryBytes: number;
  /** Devices that an agent must have to fit: the number asked for, or 1 for "all". */
  readonly devices: number;
  readonly allDevices: boolean;
  /** The bits of labels that an agent must have; which it must not have, no bound tells. */
  readonly labels: number;
  readonly free: readonly number[];
  readonly total: readonly number[];
}

export function wantedBy({ needs }: PlacementRequest, known: DeviceKinds): Wanted {
  const { millicores, memoryBytes, gpu } = needs;
  const allDevices = gpu.kind === 'all';
  const devices = gpu.kind === 'count' ? gpu.count : allDevices ? 1 : 0;
  const kinds = devices === 0 ? [] : known.meeting(needs);
  const labels = selectorBits(needs.includeLabels);
  const [free, total] = [kinds.map(freeOfKind), kinds.map(totalOfKind)];
  return { millicores, memoryBytes, devices, allDevices, labels, free, total };
}

/**
 * The load after placing that no agent below the node comes below; Infinity when none below it fits. The bounds hold in
 * floating point too: of numbers that are no larger, sums and quotients are no larger, however they are rounded. Where
 * two ways to round could differ, the bound is lowered by more than they can.
 */
export function loadBound({ values, stride }: BoundsTree, node: number, wanted: Wanted): number {
  const at = node * stride;
  const { millicores, memoryBytes, devices, allDevices } = wanted;
  if (lacksLabels(values, at, wanted)) return Infinity;
  const coresThere = values[at + Column.millicores] ?? 0;
  if (coresThere < millicores) return Infinity;
  if (millicores > 0 && (values[at + Column.freeMillicores] ?? 0) < millicores) return Infinity;
  if (memoryBytes > 0 && (values[at + Column.freeMemory] ?? 0) < memoryBytes) return Infinity;
  if (devices > 0 && sumOf(values, at, wanted.free) < devices) return Infinity;
  if (allDevices && ((values[at + Column.leastClaimedShare] ?? 0) < 0 || isMixed(values, at, wanted))) return Infinity;
  const load = Math.max(
    -(values[at + Column.leastLoad] ?? 0),
    leastShare(values, at + Column.leastMillicores, at + Column.leastMillicoresShare, millicores, coresThere),
    leastShare(
      values,
      at + Column.leastMemory,
      at + Column.leastMemoryShare,
      memoryBytes,
      values[at + Column.memory] ?? 0,
    ),
  );
  // An agent that gives all its devices is full in that dimension.
  if (allDevices) return Math.max(1, load);
  const devicesThere = values[at + Column.gpus] ?? 0;
  return Math.max(load, leastShare(values, at + Column.leastGpus, at + Column.leastGpuShare, devices, devicesThere));
}

const ROUNDING = 1 - 1e-12;

/** The least of `(allocated + more) / capacity`: exact where capacities are alike, and good where they are not. */
function leastShare(values: Float64Array, least: number, share: number, more: number, most: number): number {
  if (most === 0) return 0;
  return Math.max((more - (values[least] ?? 0)) / most, (more / most - (values[share] ?? 0)) * ROUNDING);
}

/**
 * The shortfall, as the largest share of capacity over the dimensions, that no agent below the node comes below; Infinity
 * when waiting helps on none of them.
 */
export function shortfallBound({ values, stride }: BoundsTree, node: number, wanted: Wanted): number {
  const at = node * stride;
  const { millicores, memoryBytes, devices, allDevices } = wanted;
  if (lacksLabels(values, at, wanted)) return Infinity;
  const coresThere = values[at + Column.millicores] ?? 0;
  const memoryThere = values[at + Column.memory] ?? 0;
  if (coresThere < millicores || memoryThere < memoryBytes) return Infinity;
  if (devices > 0 && sumOf(values, at, wanted.total) < devices) return Infinity;
  if (allDevices && isMixed(values, at, wanted)) return Infinity;
  return Math.max(
    short(millicores, values[at + Column.freeMillicores] ?? 0, coresThere),
    short(memoryBytes, values[at + Column.freeMemory] ?? 0, memoryThere),
    allDevices
      ? -(values[at + Column.leastClaimedShare] ?? 0)
      : short(devices, sumOf(values, at, wanted.free), values[at + Column.gpus] ?? 0),
  );
}

/** Below the node no agent has all labels that are asked for. */
function lacksLabels(values: Float64Array, at: number, { labels }: Wanted): boolean {
  return labels !== 0 && ((values[at + Column.labels] ?? 0) & labels) !== labels;
}

/** Below the node every agent has more devices than any has of the kinds that would do. */
function isMixed(values: Float64Array, at: number, { total }: Wanted): boolean {
  return sumOf(values, at, total) < -(values[at + Column.fewestDevices] ?? 0);
}

function short(amount: number, free: number, capacity: number): number {
  return Math.max(0, amount - free) / Math.max(1, capacity);
}

function sumOf(values: Float64Array, at: number, columns: readonly number[]): number {
  let sum = 0;
  for (const column of columns) sum += values[at + column] ?? 0;
  return sum;
}
