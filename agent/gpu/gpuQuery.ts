/** One GPU as nvidia-smi reports it. Null: the driver does not say. */
export type GpuReading = {
  readonly index: number;
  readonly uuid: string;
  readonly model: string;
  readonly memoryBytes: number | null;
  readonly driver: string | null;
  /** As nvidia-smi writes it, such as `00000000:18:00.0`. Empty when unknown. */
  readonly pciAddress: string;
  readonly migMode: 'on' | 'off' | null;
  /** Memory errors since the driver was loaded that could not be corrected. */
  readonly uncorrectedErrors: number | null;
  readonly utilizationPercent: number | null;
  readonly memoryUsedBytes: number | null;
  readonly temperatureCelsius: number | null;
  readonly powerWatts: number | null;
};

/** In the order of the columns. */
export const QUERY_FIELDS = [
  'index',
  'uuid',
  'name',
  'memory.total',
  'driver_version',
  'pci.bus_id',
  'mig.mode.current',
  'ecc.errors.uncorrected.volatile.total',
  'utilization.gpu',
  'memory.used',
  'temperature.gpu',
  'power.draw',
] as const;

/** nvidia-smi printed something else than one whole line for each GPU. */
export class GpuQueryUnreadable extends Error {
  readonly code = 'GPU_QUERY_UNREADABLE';
  constructor(line: string) {
    super(`nvidia-smi printed a line that is not understood: ${JSON.stringify(line.slice(0, 200))}`);
    this.name = 'GpuQueryUnreadable';
  }
}

const MEBIBYTE = 1_048_576;
const UNKNOWN = /^(?:\[?N\/A\]?|\[?Not Supported\]?|\[?Unknown Error\]?|\[?GPU requires reset\]?|)$/i;

/** Reads the output of `--query-gpu=<QUERY_FIELDS> --format=csv,noheader,nounits`: memory is in MiB, power in watts. */
export function parseGpuQuery(csv: string): readonly GpuReading[] {
  return csv
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parseLine);
}

function parseLine(line: string): GpuReading {
  const fields = line.split(',').map((field) => field.trim());
  const [index, uuid, model, memory, driver, pci, mig, errors, load, used, temperature, power] = fields;
  const known = index !== undefined && /^\d+$/.test(index) && uuid !== undefined && !UNKNOWN.test(uuid);
  if (!known || fields.length !== QUERY_FIELDS.length) throw new GpuQueryUnreadable(line);
  const number = (text: string | undefined): number | null => {
    const plain = text ?? '';
    if (UNKNOWN.test(plain)) return null;
    const value = Number(plain);
    if (!Number.isFinite(value)) throw new GpuQueryUnreadable(line);
    return value;
  };
  return {
    index: Number(index),
    uuid,
    model: wordOf(model) ?? 'unknown',
    memoryBytes: inBytes(number(memory)),
    driver: wordOf(driver),
    pciAddress: wordOf(pci) ?? '',
    migMode: toMigMode(mig),
    uncorrectedErrors: number(errors),
    utilizationPercent: number(load),
    memoryUsedBytes: inBytes(number(used)),
    temperatureCelsius: number(temperature),
    powerWatts: number(power),
  };
}

function wordOf(text: string | undefined): string | null {
  return text === undefined || UNKNOWN.test(text) ? null : text;
}

function inBytes(mebibytes: number | null): number | null {
  return mebibytes === null ? null : Math.round(mebibytes * MEBIBYTE);
}

function toMigMode(text: string | undefined): 'on' | 'off' | null {
  if (text === 'Enabled') return 'on';
  return text === 'Disabled' ? 'off' : null;
}
