import { uptime } from 'node:os';
import type { GpuDevice } from '../../domain/schemas.ts';
import { realClock } from '../../infra/clock.ts';
import { DockerEngine } from '../engine/docker.ts';
import type { EngineFacts } from '../engine/port.ts';
import { gpuInstrument } from '../gpu/instrument.ts';
import { foldXids } from '../gpu/xid.ts';
import { gpuDevices, noGpus, takeInventory } from '../observe/gpus.ts';
import { nvidiaOnPci } from './pci.ts';
import { probe, type Look } from './probe.ts';

/** What the driver says. `devices` are those of the agent's own check-in, each with why it cannot be given to a session. */
export type DriverAnswer =
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'ok'; readonly devices: readonly GpuDevice[] };

export type GpuLooks = {
  readonly driver: Look<DriverAnswer>;
  /** Null: the engine did not answer. */
  readonly engine: EngineFacts | null;
  /** NVIDIA's devices on the PCI bus, driver or not. */
  readonly onPci: Look<number>;
};

/** Later than the reader's own limit, so that it is the one to say that nvidia-smi hangs. */
const READER_EXTRA_MS = 500;

/** Asks the driver, the engine at `dockerHost` and the PCI bus, all at once. */
export async function lookAtGpus(dockerHost: string, limitMs: number): Promise<GpuLooks> {
  const asked = probe(limitMs, async () => await new DockerEngine({ host: dockerHost }).facts());
  const driver = probe(limitMs + READER_EXTRA_MS, async (): Promise<DriverAnswer> => {
    const instrument = gpuInstrument({ timeLimitMs: limitMs });
    const [answer, news, facts] = await Promise.all([instrument.inventory(), instrument.kernelNews(), asked]);
    if (answer.kind !== 'read') return answer;
    const now = realClock.now();
    const messages = news.kind === 'read' ? news.messages : [];
    const xids = foldXids(noGpus.xids, messages, now - uptime() * 1000);
    const inventory = takeInventory({ ...noGpus, xids }, answer, now);
    return { kind: 'ok', devices: gpuDevices(inventory, facts.kind === 'seen' ? facts.facts : null) };
  });
  const [engine, seen, onPci] = await Promise.all([asked, driver, probe(limitMs, () => nvidiaOnPci())]);
  return { driver: seen, engine: engine.kind === 'seen' ? engine.facts : null, onPci };
}
