import { EventStoreDBClient, NO_STREAM, binaryEvent } from '@eventstore/db-client';
import type { Commit } from '../domain/commit.ts';
import { openEventStore } from '../infra/eventStore/client.ts';
import { encodeCommit } from '../infra/log/codec.ts';
import { createEventStoreLog } from '../infra/log/eventStore/eventStoreLog.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { zoneLog, type EventLog, type StoredCommit } from '../infra/log/port.ts';
import { someCommit } from '../test/support/commits.ts';
import { startEventStore } from '../test/support/eventStore.ts';
import { startNats } from '../test/support/nats.ts';
import { rawLog, timed } from './raw.ts';
import { median, row, type Report, type Row } from './report.ts';

/** How many events a commit has, and how many commits make a run of about half a second. */
const LOADS = [
  { events: 1, commits: 1_000 },
  { events: 16, commits: 500 },
  { events: 256, commits: 50 },
] as const;

/** A real server keeps what earlier runs wrote. */
const STARTED = Date.now().toString(36);

/** A store under measurement: the event log on it, and a writer that only sends the bytes of a commit and waits. */
export interface Store {
  readonly name: string;
  readonly log: EventLog;
  readonly appendRaw: (bytes: Uint8Array) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Commits per second that one writer appends through the adapter of each store, each when the one before was acknowledged,
 * against the same bytes sent as they are by the store's own client. EventStoreDB is the tests' own server unless
 * MUSTER_TEST_ESDB_URL names a real one: what it says of the adapter's share holds, what it says of the store does not.
 */
export async function benchStores({ runs }: { readonly runs: number }): Promise<Report> {
  const stores = [await jetStream(), await eventStore()];
  const rows: Row[] = [];
  for (const load of LOADS) {
    const measured = stores.map(() => ({ muster: new Array<number>(), raw: new Array<number>() }));
    for (let run = -1; run < runs; run += 1) {
      for (const [index, store] of stores.entries()) {
        const { muster, raw } = await once(store, load, `${load.events}-${run + 1}`);
        // The first run of a load warms both up.
        if (run < 0) continue;
        measured[index]?.muster.push(muster);
        measured[index]?.raw.push(raw);
      }
    }
    for (const [index, { name }] of stores.entries()) {
      const { muster = [], raw = [] } = measured[index] ?? {};
      rows.push(row(`${name}, ${load.events} events a commit`, 'commits/s', median(muster), median(raw)));
    }
  }
  for (const { stop } of stores) await stop();
  return {
    rows,
    notes: ["stores: one writer, each commit synced; EventStoreDB by the tests' own server unless it says real"],
  };
}

async function once({ log, appendRaw }: Store, { events, commits }: (typeof LOADS)[number], name: string) {
  const made: Commit[] = [];
  let head: StoredCommit | null = null;
  for (let count = 0; count < commits; count += 1) {
    const commit: Commit = someCommit(head, `${name}-${count}`, events);
    head = { commit, hash: encodeCommit(commit).hash };
    made.push(commit);
  }
  const zone = zoneLog(`bench-${STARTED}-${name}`);
  const musterMs = await timed(async () => {
    for (const commit of made) await log.append(zone, commit.version - 1, commit);
  });
  const rawMs = await timed(async () => {
    for (const commit of made) await appendRaw(encodeCommit(commit).bytes);
  });
  return { muster: (commits / musterMs) * 1000, raw: (commits / rawMs) * 1000 };
}

export async function jetStream(): Promise<Store> {
  const nats = await startNats();
  const bus = await nats.connect('log');
  const log = createJetStreamLog({ bus });
  const raw = await rawLog(bus, 'raw');
  return {
    name: 'JetStream',
    log,
    appendRaw: (bytes) => raw.append(bytes),
    async stop() {
      raw.close();
      await log.close();
      await nats.stop();
    },
  };
}

export async function eventStore(): Promise<Store> {
  const real = process.env['MUSTER_TEST_ESDB_URL'];
  const server = real === undefined ? await startEventStore() : null;
  const url = real ?? server?.url ?? '';
  const store = openEventStore({ url, name: 'bench' });
  const log = createEventStoreLog({ store });
  const client = EventStoreDBClient.connectionString(url);
  const stream = `raw-${STARTED}`;
  let revision: bigint | typeof NO_STREAM = NO_STREAM;
  return {
    name: `EventStoreDB (${real === undefined ? "the tests' own server" : 'real'})`,
    log,
    async appendRaw(bytes) {
      const event = binaryEvent({ type: 'Raw', data: bytes });
      const { nextExpectedRevision } = await client.appendToStream(stream, event, { expectedRevision: revision });
      revision = nextExpectedRevision;
    },
    async stop() {
      await client.dispose();
      await log.close();
      await store.close();
      await server?.stop();
    },
  };
}
