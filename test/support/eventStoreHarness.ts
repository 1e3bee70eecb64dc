import { ANY, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import type { ExecutionContext } from 'ava';
import { openEventStore } from '../../infra/eventStore/client.ts';
import type { EventStore, NewEvent } from '../../infra/eventStore/port.ts';
import { hashOf } from '../../infra/log/codec.ts';
import { createEventStoreLog } from '../../infra/log/eventStore/eventStoreLog.ts';
import { eventsOfCommit } from '../../infra/log/eventStore/shape.ts';
import { streamOf } from '../../infra/log/eventStore/stream.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import type { LogHarness } from '../contracts/logHarness.ts';
import { ownStreams } from './ownStreams.ts';
import { until } from './until.ts';

/**
 * The contract's view of an EventStoreDB, whichever it is: connections that end with the test, and what goes past the adapter.
 * With `prefix` on streams that are called so in front, and are deleted with the test.
 */
export function eventStoreHarness(
  t: ExecutionContext,
  url: string,
  disturb: () => Promise<void>,
  prefix = '',
): LogHarness {
  const written = new Set<string>();
  const open = (): EventStore => ownStreams(openStore(t, url), prefix, written);
  const store = open();
  // Muster's own way to the store cannot write where it does not know what is there.
  const raw = EventStoreDBClient.connectionString(url);
  t.teardown(async () => {
    // One to which nothing came to be written is refused.
    if (prefix !== '') await Promise.allSettled([...written].map(async (stream) => await raw.deleteStream(stream)));
    await raw.dispose();
  });
  return {
    log: openLog(t, store),
    another: async () => openLog(t, open()),
    appendRaw: async (log, bytes) => {
      const stream = prefix + streamOf(log);
      written.add(stream);
      await raw.appendToStream(stream, rawEvents(log, bytes).map(proposed), { expectedRevision: ANY });
    },
    moveOffline: (log) => moveOffline(store, log),
    disturb: async () => {
      await disturb();
      await until('the store', async () => await answers(store), Boolean);
    },
  };
}

export function openStore(t: ExecutionContext, url: string): EventStore {
  const store = openEventStore({ url, name: 'test' });
  t.teardown(async () => await store.close());
  return store;
}

function openLog(t: ExecutionContext, store: EventStore): EventLog {
  const log = createEventStoreLog({ store });
  t.teardown(async () => await log.close());
  return log;
}

/** As an operator moves what is behind the last seal offline: all but the event LogSealed itself. */
export async function moveOffline(store: EventStore, log: LogName): Promise<void> {
  const stream = streamOf(log);
  let sealedAt: number | null = null;
  for await (const { type, revision } of store.read(stream, { from: 'start', direction: 'forwards' })) {
    if (type === 'LogSealed') sealedAt = revision;
  }
  if (sealedAt !== null) await store.setLimits(stream, { truncateBefore: sealedAt });
}

/** Bytes as somebody would write them who does not ask the adapter: as a commit looks, or as they are. */
function rawEvents(log: LogName, bytes: Uint8Array): readonly NewEvent[] {
  const text = Buffer.from(bytes).toString();
  if (!text.startsWith('{')) return [{ id: crypto.randomUUID(), type: 'Raw', data: { text }, metadata: {} }];
  return eventsOfCommit(log, { bytes, hash: hashOf(bytes) });
}

function proposed({ id, type, data, metadata }: NewEvent) {
  return jsonEvent({ id, type, data: { ...data }, metadata: { ...metadata } });
}

/** Whether it can be asked now. */
export async function answers(store: EventStore): Promise<boolean> {
  try {
    await store.check();
    return true;
  } catch {
    return false;
  }
}
