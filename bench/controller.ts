import { createBusFeed } from '../infra/bus/feed.ts';
import { encodeCommit } from '../infra/log/codec.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { openLiveZone, type LiveZone } from './liveZone.ts';
import { startReferenceNats } from './loadedBus.ts';
import { rawLog, timed, type RawLog } from './raw.ts';
import { REFERENCE, REFERENCE_LOG } from './referenceLog.ts';
import { median, row, type Report, type Row } from './report.ts';

interface Load {
  readonly eventsPerCommit: number;
  /** How commands are submitted ahead: batches of so many events, so many at a time. */
  readonly events: number;
  readonly ahead: number;
  /** Enough for a run of about half a second. */
  readonly commits: number;
}

const ONE: Load = { eventsPerCommit: 1, events: 1, ahead: 2, commits: 800 };
const SOME: Load = { eventsPerCommit: 16, events: 16, ahead: 2, commits: 400 };
/** More than two groups' worth ahead, so that each one closes full. */
const FULL: Load = { eventsPerCommit: 256, events: 64, ahead: 10, commits: 60 };

/**
 * Events per second through the controller of a zone of the reference size, against one writer that decides nothing and
 * appends the very same commits to a log on the same server, each when the one before was acknowledged. Runs alternate.
 * Then the same while the events are also written to the zone's feed, as a gateway does beside.
 */
export async function benchController({ runs }: { readonly runs: number }): Promise<Report> {
  const nats = await startReferenceNats(REFERENCE);
  const bus = await nats.connect('log');
  const eventLog = createJetStreamLog({ bus });
  const raw = await rawLog(bus, 'raw');
  const rows: Row[] = [];
  const alone = await openLiveZone(eventLog, { name: 'a' });
  for (const load of [ONE, SOME, FULL]) rows.push(await measure(alone, raw, load, runs, ''));
  await alone.stop();
  const feed = createBusFeed(await nats.connect('app'), REFERENCE_LOG, 1);
  const told = await openLiveZone(eventLog, { name: 'b', feed });
  for (const load of [SOME, FULL]) rows.push(await measure(told, raw, load, runs, ' and a feed'));
  await told.stop();
  raw.close();
  await eventLog.close();
  await nats.stop();
  const { agents, sessions } = REFERENCE;
  const note = `controller: a zone of ${agents} agents and ${sessions} live sessions; requests, stops, check-ins, settings`;
  return { rows, notes: [note] };
}

async function measure(zone: LiveZone, raw: RawLog, load: Load, runs: number, besides: string): Promise<Row> {
  const [muster, limit, held, sizes]: [number[], number[], number[], number[]] = [[], [], [], []];
  await zone.live(load);
  for (let run = 0; run < runs; run += 1) {
    await zone.refill();
    const startedAt = performance.now();
    const commits = await zone.live(load);
    const seconds = (performance.now() - startedAt) / 1000;
    const events = commits.reduce((sum, commit) => sum + commit.events.length, 0);
    const encoded = commits.map((commit) => encodeCommit(commit).bytes);
    const rawMs = await timed(async () => {
      for (const bytes of encoded) await raw.append(bytes);
    });
    muster.push(events / seconds);
    limit.push((events / rawMs) * 1000);
    held.push(events / commits.length);
    sizes.push(encoded.reduce((sum, { length }) => sum + length, 0) / commits.length);
  }
  const size = `${median(held).toFixed(1)} events, ${(median(sizes) / 1000).toFixed(1)} KB`;
  const what = `controller${besides}, up to ${load.eventsPerCommit} events a commit (${size})`;
  return row(what, 'events/s', median(muster), median(limit));
}
