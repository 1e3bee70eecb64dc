/** What is read of one GPU. Null, everywhere: the driver does not tell. Memory is in bytes, here and below. */
export type GpuReading = GpuIdentity & GpuCondition & GpuLoad;

export type GpuIdentity = {
  /** Its number in nvidia-smi, which counts in PCI order. For people; it may move when another device goes. */
  readonly index: number;
  readonly uuid: string;
  readonly model: string;
  readonly memoryBytes: number | null;
  readonly driver: string | null;
  /** As nvidia-smi writes it, such as `00000000:18:00.0`. Empty when unknown. */
  readonly pciAddress: string;
  readonly migMode: 'on' | 'off' | null;
  readonly migInstances: readonly MigInstance[];
};

/** A part of a GPU in MIG mode. Its UUID and profile are told by `nvidia-smi -L` alone. */
export type MigInstance = {
  /** Its number on the device, which the two outputs share. */
  readonly index: number;
  readonly gpuInstance: number | null;
  readonly computeInstance: number | null;
  readonly memoryBytes: number | null;
  readonly uuid: string | null;
  /** Such as `1g.10gb`. */
  readonly profile: string | null;
};

/** What health is judged by. */
export type GpuCondition = {
  /** What the driver says instead of values: it cannot reach the device any more, or not before a reset. */
  readonly outcry: 'lost' | 'requires reset' | null;
  /** What the driver wants done before the device can be used again. Older drivers do not tell. */
  readonly recovery: 'none' | 'drain' | 'reset' | 'reboot' | null;
  /** Memory errors that could not be corrected: since the driver was loaded, and in the device's life. */
  readonly volatileUncorrected: number | null;
  readonly aggregateUncorrected: number | null;
  /** Memory taken out of use: pages on devices up to Turing, rows since Ampere. */
  readonly retiredPages: number | null;
  readonly remappedRows: number | null;
  /** A page or row waits for a reset to be taken out of use. */
  readonly retirementPending: boolean | null;
  readonly remapFailed: boolean | null;
  /** The hardware slows its clocks down because it is too hot. */
  readonly slowedByHeat: boolean | null;
};

export type GpuLoad = {
  readonly utilizationPercent: number | null;
  readonly memoryUsedBytes: number | null;
  readonly temperatureCelsius: number | null;
  readonly powerWatts: number | null;
  /** As of the last whole inventory. */
  readonly processes: readonly GpuProcess[];
};

/** A process of the host that has the device open. `type`: `C` computes, `G` draws, `M` for MPS, and their sums. */
export type GpuProcess = { readonly pid: number; readonly type: string; readonly memoryBytes: number | null };

/** A device of which the driver tells nothing but that it is there: what a reading is built from. */
export const UNTOLD: Omit<GpuReading, 'index' | 'uuid'> = {
  model: 'unknown',
  memoryBytes: null,
  driver: null,
  pciAddress: '',
  migMode: null,
  migInstances: [],
  outcry: null,
  recovery: null,
  volatileUncorrected: null,
  aggregateUncorrected: null,
  retiredPages: null,
  remappedRows: null,
  retirementPending: null,
  remapFailed: null,
  slowedByHeat: null,
  utilizationPercent: null,
  memoryUsedBytes: null,
  temperatureCelsius: null,
  powerWatts: null,
  processes: [],
};
