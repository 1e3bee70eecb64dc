import { headers } from 'nats';
import type { Bus } from '../infra/bus/connect.ts';
import { makeEpoch } from '../infra/bus/logStreams.ts';
import { createAckedPublisher } from '../infra/log/acks.ts';
import { zoneLog } from '../infra/log/port.ts';
import { logSubject } from '../infra/names.ts';

const ACK_TIMEOUT_MS = 10_000;

/** One writer that decides nothing: appends bytes to a log of its own at the expected sequence, and waits for each answer. */
export interface RawLog {
  append(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/** The raw limit of the store, by the lightest way to publish that Muster has. */
export async function rawLog(bus: Bus, name: string): Promise<RawLog> {
  const log = zoneLog(name);
  await makeEpoch({ bus, log, replicas: 1 }, 1, 0);
  const publisher = createAckedPublisher(bus, ACK_TIMEOUT_MS);
  let sequence = 0;
  return {
    async append(bytes) {
      const expectation = headers();
      expectation.set('Nats-Expected-Last-Subject-Sequence', String(sequence));
      const answer = await publisher.publish(logSubject(log), bytes, expectation);
      const { seq } = answer.json<{ readonly seq?: number }>();
      if (seq !== sequence + 1) throw new Error(`message ${sequence + 1} became ${String(seq)}`);
      sequence = seq;
    },
    close: () => publisher.close(),
  };
}

/** Milliseconds that each of so many calls took, one after another. */
export async function latencies(times: number, once: () => Promise<void>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (let count = 0; count < times; count += 1) samples.push(await timed(once));
  return samples;
}

/** Milliseconds that one call took. */
export async function timed(once: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await once();
  return performance.now() - startedAt;
}
