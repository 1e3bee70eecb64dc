import { inventoryIn, loadIn, withMigNames, type InventoryAnswer, type LoadAnswer } from './answers.ts';
import { containersOf } from './cgroups.ts';
import { kernelLog, type KernelNews } from './kernelLog.ts';
import { LOAD_FIELDS } from './loadQuery.ts';
import { nvidiaSmi } from './nvidiaSmi.ts';
import { parseSmiList } from './smiList.ts';

/** What a host can be asked about its GPUs. Everything answers within a time limit, and nothing throws. */
export interface GpuInstrument {
  /** Everything of every device; asks much of the driver. */
  inventory(): Promise<InventoryAnswer>;
  /** The figures that move; asks little. */
  load(): Promise<LoadAnswer>;
  /** What the driver said in the kernel's log since the last call. */
  kernelNews(): Promise<KernelNews>;
  /** The containers that each process is in. */
  containersOf(pids: readonly number[]): Promise<ReadonlyMap<number, readonly string[]>>;
}

export interface InstrumentOptions {
  /** The search path for nvidia-smi. Default: that of this process. */
  readonly path?: string;
  readonly timeLimitMs?: number;
}

/** nvidia-smi, the kernel's log and /proc of this machine. */
export function gpuInstrument(options: InstrumentOptions = {}): GpuInstrument {
  const ask = nvidiaSmi(options);
  return {
    async inventory() {
      const answer = inventoryIn(await ask(['-q', '-x']));
      if (answer.kind !== 'read' || !answer.gpus.some((gpu) => gpu.migInstances.length > 0)) return answer;
      const list = await ask(['-L']);
      if (list.kind !== 'said') return answer;
      return { ...answer, gpus: withMigNames(answer.gpus, parseSmiList(list.stdout)) };
    },
    load: async () => loadIn(await ask([`--query-gpu=${LOAD_FIELDS.join(',')}`, '--format=csv,noheader,nounits'])),
    kernelNews: kernelLog(),
    containersOf,
  };
}
