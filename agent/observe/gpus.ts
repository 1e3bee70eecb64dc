import type { GpuUse } from '../../domain/checkIn.ts';
import type { GpuDevice } from '../../domain/schemas.ts';
import { isoTime } from '../../infra/clock.ts';
import { cdiName } from '../containerSpec.ts';
import type { EngineFacts } from '../engine/port.ts';
import type { InventoryAnswer, LoadAnswer } from '../gpu/answers.ts';
import type { GpuLoad, GpuReading } from '../gpu/gpuReading.ts';
import { gpuHealth, type GpuHealth } from '../gpu/health.ts';
import { pciKey } from '../gpu/pciAddress.ts';
import { NO_XIDS, type Xid, type XidBook } from '../gpu/xid.ts';

/**
 * The GPUs of this host as known: every device that was listed since the agent started. One that the driver does not list any
 * more has not gone away on purpose, so it stays, as failed; so does each when the driver has stopped answering.
 */
export interface GpuInventory {
  /** In PCI order, each as last read. */
  readonly readings: readonly GpuReading[];
  /** Devices that could not be read at last, by UUID: the driver names where they were, or does not list them at all. */
  readonly missing: ReadonlyMap<string, Missing>;
  /** Why the driver does not answer. */
  readonly failure: string | null;
  readonly xids: XidBook;
  /** When a device was last seen slowed down by heat, in ms since 1970, by UUID. */
  readonly hotAt: ReadonlyMap<string, number>;
}

type Missing = 'lost' | 'not listed';

export const noGpus: GpuInventory = {
  readings: [],
  missing: new Map(),
  failure: null,
  xids: NO_XIDS,
  hotAt: new Map(),
};

/** As many as a check-in may tell of. */
const MOST_GPUS = 256;

/** Each change of health is recorded, and a device under load crosses its limit many times an hour. */
const HOT_FOR_MS = 15 * 60_000;

const MISSING = {
  lost: 'the driver has lost it, as when it falls off the bus: look at the kernel log, then restart the host',
  'not listed': 'the driver does not list it any more: look at the kernel log, then restart the host',
} as const;
const NO_ANSWER = 'the driver does not answer for it';

/** `now`: in ms since 1970. */
export function takeInventory(before: GpuInventory, answer: InventoryAnswer, now: number): GpuInventory {
  switch (answer.kind) {
    case 'none':
      return { ...before, missing: all(before.readings, 'not listed'), failure: null };
    case 'read':
      return listed(before, answer.gpus, answer.lost, now);
    case 'failed': {
      // What it says of one device it may say instead of anything about the others.
      const lost = before.readings.filter((gpu) => answer.lost.includes(keyOf(gpu)));
      return { ...before, missing: new Map([...before.missing, ...all(lost, 'lost')]), failure: answer.message };
    }
  }
}

function listed(before: GpuInventory, gpus: readonly GpuReading[], lost: readonly string[], now: number): GpuInventory {
  const found = new Set(gpus.map(({ uuid }) => uuid));
  const kept = before.readings.filter(({ uuid }) => !found.has(uuid));
  const unreadable = [...gpus, ...kept].filter((gpu) => lost.includes(keyOf(gpu)));
  const hot = gpus.filter((gpu) => gpu.slowedByHeat === true).map(({ uuid }) => [uuid, now] as const);
  return {
    readings: [...gpus, ...kept].slice(0, MOST_GPUS).toSorted(inPciOrder),
    missing: new Map([...all(kept, 'not listed'), ...all(unreadable, 'lost')]),
    failure: null,
    xids: before.xids,
    hotAt: new Map([...[...before.hotAt].filter(([, at]) => now - at < HOT_FOR_MS), ...hot]),
  };
}

/** The figures of devices that it does not name are unknown from now on. */
export function takeLoad(before: GpuInventory, answer: LoadAnswer): GpuInventory {
  switch (answer.kind) {
    case 'none':
      return { ...before, missing: all(before.readings, 'not listed') };
    case 'failed':
      return { ...before, failure: answer.message };
    case 'read':
      return {
        ...before,
        readings: before.readings.map((gpu) => Object.assign({}, gpu, answer.figures.get(gpu.uuid) ?? NO_FIGURES)),
      };
  }
}

/** Whether the light question found other devices than the last inventory, so that it has to be taken again. */
export function isStale({ readings, missing, failure }: GpuInventory, answer: LoadAnswer): boolean {
  if (answer.kind !== 'read' || failure !== null) return true;
  const present = readings.filter(({ uuid }) => !missing.has(uuid));
  return present.length !== answer.figures.size || present.some(({ uuid }) => !answer.figures.has(uuid));
}

const NO_FIGURES: GpuLoad = {
  processes: [],
  utilizationPercent: null,
  memoryUsedBytes: null,
  temperatureCelsius: null,
  powerWatts: null,
};

/** Joins what the driver lists with what the engine can inject. */
export function gpuDevices(inventory: GpuInventory, facts: EngineFacts | null): GpuDevice[] {
  return inventory.readings.map((gpu) => {
    const unusableReason = whyUnusable(gpu, inventory, facts);
    const { health, reason } = healthOf(gpu, inventory);
    return {
      uuid: gpu.uuid,
      index: gpu.index,
      model: gpu.model,
      memoryBytes: gpu.memoryBytes,
      driver: gpu.driver,
      pciAddress: gpu.pciAddress,
      migMode: gpu.migMode,
      health,
      healthReason: reason,
      usable: unusableReason === null,
      unusableReason,
    };
  });
}

/** Of a driver that does not answer any more, and of a device that it does not list, nothing is known. */
export function gpuUse(inventory: GpuInventory): GpuUse[] {
  if (inventory.failure !== null) return [];
  return inventory.readings
    .filter((gpu) => !inventory.missing.has(gpu.uuid))
    .map((gpu) => ({
      uuid: gpu.uuid,
      utilizationPercent: gpu.utilizationPercent,
      memoryUsedBytes: gpu.memoryUsedBytes,
      temperatureCelsius: gpu.temperatureCelsius,
      powerWatts: gpu.powerWatts,
      volatileUncorrected: gpu.volatileUncorrected,
      aggregateUncorrected: gpu.aggregateUncorrected,
      retiredPages: gpu.retiredPages,
      remappedRows: gpu.remappedRows,
      retirementPending: gpu.retirementPending,
      newestXid: newestXid(gpu, inventory.xids),
      migInstances: gpu.migInstances.map(({ index: _number, ...instance }) => instance),
    }));
}

function healthOf(gpu: GpuReading, { missing, failure, xids, hotAt }: GpuInventory): GpuHealth {
  const known = gpuHealth({ ...gpu, slowedByHeat: hotAt.has(gpu.uuid) }, xidsOf(gpu, xids));
  const how = missing.get(gpu.uuid);
  if (known.health === 'failed' || (how === undefined && failure === null)) return known;
  return { health: 'failed', reason: how === undefined ? NO_ANSWER : MISSING[how] };
}

function whyUnusable(gpu: GpuReading, inventory: GpuInventory, facts: EngineFacts | null): string | null {
  if (inventory.failure !== null) return inventory.failure.slice(0, 500);
  if (facts === null) return 'the container engine has not answered yet';
  if (gpu.migMode === 'on')
    return 'MIG mode is on, so it cannot be given to a session whole; turn it off with nvidia-smi -mig 0';
  if (facts.cdiDevices.includes(cdiName(gpu.uuid))) return null;
  if (facts.runtimes.includes('nvidia') || facts.nvidiaHook) return null;
  if (facts.cdiDevices.includes(cdiName(String(gpu.index)))) {
    return 'its CDI specification names devices by index only; run nvidia-ctk cdi generate --device-name-strategy=uuid';
  }
  return 'the container engine cannot inject it: install the NVIDIA container toolkit and restart the engine';
}

function newestXid(gpu: GpuReading, xids: XidBook): GpuUse['newestXid'] {
  const newest = xidsOf(gpu, xids).at(-1);
  return newest === undefined ? null : { code: newest.code, at: isoTime(newest.at) };
}

function xidsOf(gpu: GpuReading, xids: XidBook): readonly Xid[] {
  return xids.get(keyOf(gpu)) ?? [];
}

function keyOf(gpu: GpuReading): string {
  return pciKey(gpu.pciAddress) ?? '';
}

function all(gpus: readonly GpuReading[], how: Missing): ReadonlyMap<string, Missing> {
  return new Map(gpus.map(({ uuid }) => [uuid, how]));
}

function inPciOrder(a: GpuReading, b: GpuReading): number {
  const [first, second] = [keyOf(a), keyOf(b)];
  if (first !== second) return first < second ? -1 : 1;
  return a.uuid < b.uuid ? -1 : 1;
}
