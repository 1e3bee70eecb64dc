import { encodeCommit } from '../infra/log/codec.ts';
import { createJetStreamLog } from '../infra/log/jetstream.ts';
import type { TestNats } from '../test/support/nats.ts';
import { joinedZone } from './joinedZone.ts';
import { rawLog } from './raw.ts';
import { median, row, type Row } from './report.ts';

export interface ControllerBench {
  readonly eventsPerCommit: number;
  readonly runs: number;
}

/** Enough commits for a run of about a second. */
const COMMITS: Readonly<Record<number, number>> = { 1: 600, 16: 300, 256: 60 };

/**
 * The controller's events/s with exactly so many events in each commit, each group submitted when the one before was
 * answered, against one-message commits of the same bytes at an expected sequence on a stream of the same kind, each sent
 * when the one before was acknowledged. Runs alternate.
 */
export async function benchController(nats: TestNats, { eventsPerCommit, runs }: ControllerBench): Promise<Row> {
  const bus = await nats.connect('log');
  const eventLog = createJetStreamLog({ bus });
  const zone = await joinedZone(eventLog, `bench-${eventsPerCommit}`);
  const commits = COMMITS[eventsPerCommit] ?? 100;
  await zone.group(eventsPerCommit);
  const bytes = encodeCommit(zone.lastCommit()).bytes;
  const raw = await rawLog(bus, `raw-${eventsPerCommit}`);
  const muster: number[] = [];
  const limit: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    limit.push((await seconds(commits, () => raw(bytes))) / commits);
    muster.push((await seconds(commits, () => zone.group(eventsPerCommit))) / commits);
  }
  await zone.stop();
  await bus.close();
  const what = `controller, ${eventsPerCommit} event${eventsPerCommit === 1 ? '' : 's'} a commit (${bytes.length} B)`;
  return row(what, 'events/s', eventsPerCommit / median(muster), eventsPerCommit / median(limit));
}

async function seconds(times: number, once: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  for (let count = 0; count < times; count += 1) await once();
  return (performance.now() - startedAt) / 1000;
}
