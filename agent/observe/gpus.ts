import type { Usage } from '../../domain/checkIn.ts';
import type { GpuDevice } from '../../domain/schemas.ts';
import { cdiName } from '../containerSpec.ts';
import type { EngineFacts } from '../engine/port.ts';
import type { GpuReading } from '../gpu/gpuQuery.ts';
import type { GpuQueryResult } from '../gpu/nvidiaSmi.ts';

/** The GPUs of this host as last read, and whether the driver still answers for them. */
export interface GpuInventory {
  readonly readings: readonly GpuReading[];
  readonly failure: string | null;
}

export const noGpus: GpuInventory = { readings: [], failure: null };

/** A driver that has stopped answering has not taken the devices away: they stay listed, as failed. */
export function takeReading(before: GpuInventory, result: GpuQueryResult): GpuInventory {
  switch (result.kind) {
    case 'none':
      return noGpus;
    case 'ok':
      return { readings: result.gpus, failure: null };
    case 'failed':
      return { readings: before.readings, failure: result.message };
  }
}

/** Joins what the driver lists with what the engine can inject. */
export function gpuDevices(inventory: GpuInventory, facts: EngineFacts | null): GpuDevice[] {
  return inventory.readings.map((gpu) => {
    const unusableReason = whyUnusable(gpu, inventory, facts);
    return {
      uuid: gpu.uuid,
      index: gpu.index,
      model: gpu.model,
      memoryBytes: gpu.memoryBytes,
      driver: gpu.driver,
      pciAddress: gpu.pciAddress,
      migMode: gpu.migMode,
      ...healthOf(gpu, inventory),
      usable: unusableReason === null,
      unusableReason,
    };
  });
}

function healthOf(gpu: GpuReading, inventory: GpuInventory): Pick<GpuDevice, 'health' | 'healthReason'> {
  if (inventory.failure !== null) return { health: 'failed', healthReason: 'the driver does not answer for it' };
  if ((gpu.uncorrectedErrors ?? 0) === 0) return { health: 'ok', healthReason: null };
  return { health: 'failed', healthReason: 'its memory had errors that could not be corrected; reset it' };
}

/** Figures of a driver that does not answer any more are unknown, not the last ones. */
export function gpuUse(inventory: GpuInventory): Usage['gpus'] {
  if (inventory.failure !== null) return [];
  return inventory.readings.map((gpu) => ({
    uuid: gpu.uuid,
    utilizationPercent: gpu.utilizationPercent,
    memoryUsedBytes: gpu.memoryUsedBytes,
    temperatureCelsius: gpu.temperatureCelsius,
    powerWatts: gpu.powerWatts,
  }));
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
