import type { GpuDevice } from '../../domain/schemas.ts';
import type { GpuCondition } from './gpuReading.ts';
import type { Xid } from './xid.ts';

export type GpuHealth = Pick<GpuDevice, 'health'> & { readonly reason: string | null };

/**
 * How a device fares by what the driver tells of it and what it reported. The worst counts, and of several the first in the
 * lists below, so that the reason stays the same while the trouble does: it is recorded, and holds no counter that moves.
 */
export function gpuHealth(condition: GpuCondition, xids: readonly Pick<Xid, 'code'>[]): GpuHealth {
  const codes = new Set(xids.map(({ code }) => code));
  for (const { health, applies, reason } of SIGNS) {
    if (applies(condition, codes)) return { health, reason };
  }
  return { health: 'ok', reason: null };
}

interface Sign {
  readonly health: 'warning' | 'failed';
  readonly applies: (condition: GpuCondition, codes: ReadonlySet<number>) => boolean;
  readonly reason: string;
}

const RESET = 'reset it with nvidia-smi -r, or restart the host';
const OFF_THE_BUS = 79;

/**
 * By the catalogue of Xids that NVIDIA publishes (docs.nvidia.com/deploy/xid-errors, as of 2025): those that it answers with a
 * reset of the device; and 48 and 74, for which it has workflows that end in several ways, so the careful one is taken. Only
 * what concerns the device is here: a fault that a session's own program can cause (13, 31, 43, 45, 68) must not take the
 * device away from everybody else.
 */
const FATAL_XIDS: readonly (readonly [code: number, what: string])[] = [
  [48, 'a memory error of two bits'],
  [95, 'a memory error that was not contained'],
  [140, 'a memory error from which it did not recover'],
  [64, 'memory that went bad could not be taken out of use'],
  [62, 'its micro-controller halted'],
  [119, 'its system processor does not answer'],
  [120, 'an error of its system processor'],
  [143, 'it could not be initialized'],
  [158, 'it ran into a fatal time limit'],
  [46, 'it stopped processing'],
  [110, 'a security fault'],
  [74, 'an error of NVLink'],
  [136, 'its NVLink could not be trained'],
  [155, 'an error of NVLink found by software'],
];

/** It goes on with these. 109 asks for a reset, but programs cause it, and where it is serious the driver says so itself. */
const WARNING_XIDS: readonly (readonly [code: number, what: string])[] = [
  [94, 'a memory error that was contained'],
  [171, 'a memory error that could not be corrected'],
  [172, 'an error of its cache memory that could not be corrected'],
  [63, 'memory that went bad is taken out of use'],
  [156, 'a part that went bad is taken out of use'],
  [157, 'a part that went bad could not be taken out of use'],
  [161, 'a channel that went bad could not be taken out of use'],
  [92, 'many memory errors were corrected'],
  [167, 'a fatal time limit on the PCI bus'],
  [168, 'less memory than it should have'],
  [169, 'its security processor halted'],
  [54, 'its power cable is not connected'],
  [109, 'switching between programs took too long'],
  [121, 'an error on the link to the processor'],
  ...[144, 145, 146, 147, 148, 149, 150].map((code) => [code, 'an error of NVLink'] as const),
];

const SIGNS: readonly Sign[] = [
  failed(
    ({ outcry }, codes) => outcry === 'lost' || codes.has(OFF_THE_BUS),
    'it has fallen off the bus (Xid 79): restart the host, and have its seat and power looked at',
  ),
  failed(({ remapFailed }) => remapFailed === true, 'memory that went bad could not be remapped: have it replaced'),
  failed(({ recovery }) => recovery === 'reboot', 'the driver asks for a restart of the host'),
  failed(
    ({ outcry, recovery }) => outcry === 'requires reset' || recovery === 'reset',
    `the driver asks for a reset: ${RESET}`,
  ),
  failed(
    ({ volatileUncorrected }) => (volatileUncorrected ?? 0) > 0,
    `memory errors that could not be corrected: ${RESET}`,
  ),
  // Where the driver tells what is to be done, and that is nothing, the device was reset since, or never had to be.
  ...FATAL_XIDS.map(([code, what]) =>
    failed(({ recovery }, codes) => codes.has(code) && recovery !== 'none', `Xid ${code}, ${what}: ${RESET}`),
  ),
  warning(({ recovery }) => recovery === 'drain', 'the driver asks to end its work and reset it'),
  warning(
    ({ retirementPending }) => retirementPending === true,
    'memory that went bad waits for a reset to be taken out of use',
  ),
  ...FATAL_XIDS.map(([code, what]) =>
    warning((_, codes) => codes.has(code), `Xid ${code}, ${what}; the driver asks for nothing any more`),
  ),
  ...WARNING_XIDS.map(([code, what]) => warning((_, codes) => codes.has(code), `Xid ${code}, ${what}`)),
  warning(({ slowedByHeat }) => slowedByHeat === true, 'it is slowed down by heat: look at its cooling'),
];

function failed(applies: Sign['applies'], reason: string): Sign {
  return { health: 'failed', applies, reason };
}

function warning(applies: Sign['applies'], reason: string): Sign {
  return { health: 'warning', applies, reason };
}
