import { copyLog } from '../infra/log/copy.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { zoneLog } from '../infra/log/port.ts';
import { startNats } from '../test/support/nats.ts';
import { putCommits } from './loadedBus.ts';
import { timed } from './raw.ts';
import { REFERENCE, referenceLog } from './referenceLog.ts';
import { median, row, type Report } from './report.ts';
import { eventStore, jetStream, type Store } from './stores.ts';

const COPIED = { ...REFERENCE, events: 100_000 } as const;
/** Enough for a second of the raw limit. */
const RAW_COMMITS = 1_000;
/** A real server keeps what earlier runs wrote. */
const STARTED = Date.now().toString(36);

/**
 * Commits per second of a log of 100,000 events copied from JetStream to EventStoreDB and from there to another JetStream,
 * with all comparing and checking, against the same bytes sent by the store's own client. The chain of hashes must be the
 * same in the end. EventStoreDB is the tests' own server unless MUSTER_TEST_ESDB_URL names a real one.
 */
export async function benchCopy({ runs }: { readonly runs: number }): Promise<Report> {
  const commits = await referenceLog(COPIED);
  const nats = await startNats();
  const bus = await nats.connect('log');
  const source = createJetStreamLog({ bus });
  const [middle, last] = [await eventStore(), await jetStream()];
  const [there, back]: [Measured, Measured] = [
    { store: middle, muster: [], raw: [] },
    { store: last, muster: [], raw: [] },
  ];
  let events = 0;
  for (let run = 0; run < runs; run += 1) {
    const log = zoneLog(`copy-${STARTED}-${run}`);
    await putCommits(bus, log, commits);
    let from = source;
    const hashes = new Set<string | null>();
    for (const { store, muster, raw } of [there, back]) {
      muster.push(
        await timed(async () => {
          const copied = await copyLog({ from, to: store.log, log });
          events = copied.events;
          hashes.add(copied.hash);
        }),
      );
      raw.push(await timed(() => rawAppends(store, commits)));
      from = store.log;
    }
    if (hashes.size !== 1 || hashes.has(null)) throw new Error(`the chain ends with ${[...hashes].join(' and ')}`);
  }
  for (const { stop } of [middle, last]) await stop();
  await source.close();
  await nats.stop();
  const size = `${events.toLocaleString('en')} events in ${commits.length.toLocaleString('en')} commits`;
  const rows = [there, back].map(({ store, muster, raw }) => {
    const rate = (count: number, ms: readonly number[]) => (count / median(ms)) * 1000;
    return row(`copy of ${size} to ${store.name}`, 'commits/s', rate(commits.length, muster), rate(RAW_COMMITS, raw));
  });
  return {
    rows,
    notes: ['copy: there and back the chain of hashes ended the same; comparing and checking are in the time'],
  };
}

interface Measured {
  readonly store: Store;
  readonly muster: number[];
  readonly raw: number[];
}

async function rawAppends({ appendRaw }: Store, commits: readonly Uint8Array[]): Promise<void> {
  for (const bytes of commits.slice(0, RAW_COMMITS)) await appendRaw(bytes);
}
