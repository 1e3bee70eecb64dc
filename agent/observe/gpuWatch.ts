import type { GpuUse } from '../../domain/checkIn.ts';
import type { GpuDevice } from '../../domain/schemas.ts';
import type { Clock } from '../../infra/clock.ts';
import type { EngineFacts } from '../engine/port.ts';
import type { GpuInstrument } from '../gpu/instrument.ts';
import { foldXids } from '../gpu/xid.ts';
import type { AgentLog, GpuMemory } from '../ports.ts';
import { gpuMemoryOf } from './gpuMemory.ts';
import { gpuDevices, gpuUse, isStale, noGpus, takeInventory, takeLoad, type GpuInventory } from './gpus.ts';

/** Somewhat less than three times the interval at which the host is read. */
const INVENTORY_FOR_MS = 29_000;

export interface GpuWatchOptions {
  readonly instrument: GpuInstrument;
  readonly clock: Clock;
  readonly log: AgentLog;
  /** How long the host has been up, in ms: the kernel's log counts from there. */
  readonly uptimeMs: () => number;
}

/**
 * The GPUs of this host over time. One question of nvidia-smi at each reading: the whole inventory every half minute and when
 * something is not as it was, else the figures that move.
 */
export class GpuWatch {
  readonly #options: GpuWatchOptions;
  #inventory: GpuInventory = noGpus;
  #takenAt = -Infinity;
  #memory: GpuMemory = new Map();
  #kernelSpokenOf = false;

  constructor(options: GpuWatchOptions) {
    this.#options = options;
  }

  async read(): Promise<void> {
    const { clock } = this.#options;
    if (clock.now() - this.#takenAt >= INVENTORY_FOR_MS) await this.#takeAll();
    else if (this.#inventory.readings.length > 0) await this.#takeLoad();
    if (this.#inventory.readings.length > 0) await this.#takeXids();
  }

  devices(facts: EngineFacts | null): GpuDevice[] {
    return gpuDevices(this.#inventory, facts);
  }

  use(): GpuUse[] {
    return gpuUse(this.#inventory);
  }

  /** What each container holds of the devices' memory, as of the last inventory. */
  memory(): GpuMemory {
    return this.#memory;
  }

  async #takeAll(): Promise<void> {
    const { instrument, clock } = this.#options;
    this.#takenAt = clock.now();
    this.#become(takeInventory(this.#inventory, await instrument.inventory(), clock.now()));
    const { readings, missing, failure } = this.#inventory;
    const present = failure === null ? readings.filter(({ uuid }) => !missing.has(uuid)) : [];
    const pids = present.flatMap(({ processes }) => processes.map(({ pid }) => pid));
    this.#memory = pids.length === 0 ? new Map() : gpuMemoryOf(present, await instrument.containersOf(pids));
    if (failure !== null) this.#takenAt = -Infinity;
  }

  async #takeLoad(): Promise<void> {
    const answer = await this.#options.instrument.load();
    if (isStale(this.#inventory, answer)) this.#takenAt = -Infinity;
    this.#become(takeLoad(this.#inventory, answer));
  }

  async #takeXids(): Promise<void> {
    const { instrument, clock, log, uptimeMs } = this.#options;
    const news = await instrument.kernelNews();
    switch (news.kind) {
      case 'read': {
        const xids = foldXids(this.#inventory.xids, news.messages, clock.now() - uptimeMs());
        this.#inventory = { ...this.#inventory, xids };
        return;
      }
      case 'unreadable':
        if (!this.#kernelSpokenOf) log.warn({ detail: news.message }, 'Xid errors of the GPUs are not known');
        this.#kernelSpokenOf = true;
    }
  }

  /** What is told by an event of the fleet's log is told here once as well, for whoever looks on the host. */
  #become(inventory: GpuInventory): void {
    const { log } = this.#options;
    const before = this.#inventory;
    this.#inventory = inventory;
    if (inventory.failure !== null && before.failure === null) {
      log.warn({ detail: inventory.failure }, 'the GPUs could not be read');
    }
    for (const [uuid, how] of inventory.missing) {
      if (!before.missing.has(uuid)) log.warn({ uuid, how }, 'a GPU is not there any more');
    }
  }
}
