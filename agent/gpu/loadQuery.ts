import type { GpuLoad } from './gpuReading.ts';
import { bytesIn, numberIn, percentIn, uuidIn } from './smiValue.ts';

/** The figures that move, without the processes: those come with the whole inventory. */
export type LoadFigures = Omit<GpuLoad, 'processes'>;

/** In the order of the columns of `--query-gpu=<LOAD_FIELDS> --format=csv,noheader,nounits`. */
export const LOAD_FIELDS = ['uuid', 'utilization.gpu', 'memory.used', 'temperature.gpu', 'power.draw'] as const;

/**
 * By UUID. A line that does not begin with one tells nothing, because nvidia-smi complains between the lines; nor does one
 * without its end, which was cut off.
 */
export function parseLoadQuery(csv: string): ReadonlyMap<string, LoadFigures> {
  return new Map(
    csv
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => figuresIn(line)),
  );
}

function figuresIn(line: string): readonly (readonly [string, LoadFigures])[] {
  const fields = line.split(',').map((field) => field.trim());
  const [first, load, used, temperature, power] = fields;
  const uuid = uuidIn(first);
  if (uuid === null || fields.length !== LOAD_FIELDS.length) return [];
  const figures = {
    utilizationPercent: percentIn(load),
    memoryUsedBytes: bytesIn(used),
    temperatureCelsius: numberIn(temperature),
    powerWatts: numberIn(power),
  };
  return [[uuid, figures]];
}
