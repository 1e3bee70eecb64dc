import { LogFold } from '../gateway/controller/logFold.ts';
import { zoneRules } from '../gateway/core/foldRules.ts';
import { orderedMessages } from '../infra/bus/ordered.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { logStream } from '../infra/names.ts';
import { putCommits, startLoadedNats } from './loadedBus.ts';
import { timed } from './raw.ts';
import { LONG_REFERENCE, REFERENCE_LOG, referenceLog } from './referenceLog.ts';
import { median, row, type Report } from './report.ts';

/**
 * Events per second of a whole log read from the bus and folded into everything that a gateway keeps of it, against an
 * ordered consumer that only parses the JSON of the same messages. Runs alternate.
 */
export async function benchReplay({ runs }: { readonly runs: number }): Promise<Report> {
  const commits = await referenceLog(LONG_REFERENCE);
  const nats = await startLoadedNats((bus) => putCommits(bus, REFERENCE_LOG, commits));
  const bus = await nats.connect('log');
  const eventLog = createJetStreamLog({ bus });
  const rules = zoneRules('default');
  const [muster, limit]: [number[], number[]] = [[], []];
  let events = 0;
  for (let run = 0; run < runs; run += 1) {
    events = 0;
    const fold: LogFold<unknown, ReturnType<typeof rules.empty>> = new LogFold({
      log: REFERENCE_LOG,
      eventLog,
      rules,
      onCommit: ({ commit }) => {
        rules.forgetTouched(fold.view);
        events += commit.events.length;
      },
    });
    muster.push(await timed(() => fold.catchUp()));
    if (fold.version !== commits.length) throw new Error(`folded ${fold.version} of ${commits.length} commits`);
    limit.push(await timed(() => onlyParse(bus, commits.length)));
  }
  await eventLog.close();
  await nats.stop();
  const rate = (ms: readonly number[]) => (events / median(ms)) * 1000;
  const average = (events / commits.length).toFixed(1);
  const what = `replay of ${events.toLocaleString('en')} events, ${average} a commit`;
  return { rows: [row(what, 'events/s', rate(muster), rate(limit))], notes: [] };
}

async function onlyParse(bus: Bus, upTo: number): Promise<void> {
  const { signal } = new AbortController();
  const start = { kind: 'after', sequence: 0 } as const;
  let parsed = 0;
  for await (const { data } of orderedMessages(bus, { stream: logStream(REFERENCE_LOG, 1), start, upTo, signal })) {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    if (value !== null) parsed += 1;
  }
  if (parsed !== upTo) throw new Error(`read ${parsed} of ${upTo} messages`);
}
