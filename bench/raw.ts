import { headers } from 'nats';
import { publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { ensureLogStream } from '../infra/bus/streams.ts';
import { zoneLog } from '../infra/log/port.ts';
import { logSubject } from '../infra/names.ts';

/**
 * The raw limit: appends the same bytes over and over to a log stream of its own, at the expected sequence, and waits
 * for each acknowledgement, as a controller that decides nothing would.
 */
export async function rawLog(bus: Bus, name: string): Promise<(bytes: Uint8Array) => Promise<void>> {
  const log = zoneLog(name);
  await ensureLogStream(bus, log, 1, 1);
  let sequence = 0;
  return async (bytes) => {
    const expectation = headers();
    expectation.set('Nats-Expected-Last-Subject-Sequence', String(sequence));
    sequence = await publishAcked(bus, logSubject(log), bytes, expectation);
  };
}

/** Milliseconds that each of so many calls took, one after another. */
export async function latencies(times: number, once: () => Promise<void>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let count = 0; count < times; count += 1) {
    const startedAt = performance.now();
    await once();
    samples.push(performance.now() - startedAt);
  }
  return samples;
}
