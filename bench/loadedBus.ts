import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers } from 'nats';
import type { Bus } from '../infra/bus/connect.ts';
import { makeEpoch } from '../infra/bus/logStreams.ts';
import { createAckedPublisher } from '../infra/log/acks.ts';
import { FLEET_LOG, type LogName } from '../infra/log/port.ts';
import { logSubject } from '../infra/names.ts';
import { startNats, type TestNats } from '../test/support/nats.ts';
import { REFERENCE_LOG, fleetLogFor, referenceLog, type ReferenceOptions } from './referenceLog.ts';

const CONF = join(import.meta.dirname, '../nats.conf');
const SYNCED = 'sync_interval: always';
const AT_ONCE = 512;
const ACK_TIMEOUT_MS = 60_000;

/**
 * A nats-server with the repository's nats.conf whose store was filled before. While it is filled it syncs nothing, which
 * is ten times as fast; then it is started again as it is meant to run.
 */
export async function startLoadedNats(fill: (bus: Bus, nats: TestNats) => Promise<void>): Promise<TestNats> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-bus-'));
  const conf = join(folder, 'nats.conf');
  const real = await readFile(CONF, 'utf8');
  if (!real.includes(SYNCED)) throw new Error(`nats.conf does not say "${SYNCED}" any more`);
  await writeFile(conf, real.replace(SYNCED, 'sync_interval: 2m'));
  const nats = await startNats({ conf });
  const bus = await nats.connect('log');
  await fill(bus, nats);
  await bus.close();
  await writeFile(conf, real);
  await nats.restart();
  return {
    ...nats,
    async stop() {
      await nats.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A bus on which a zone and its fleet have lived for a while: a gateway that starts there goes on with them. `more` puts there
 * what else there is.
 */
export async function startReferenceNats(
  options: ReferenceOptions,
  more: (nats: TestNats) => Promise<void> = async () => {},
): Promise<TestNats> {
  const [zone, fleet] = [await referenceLog(options), await fleetLogFor(options.agents)];
  return await startLoadedNats(async (bus, nats) => {
    await putCommits(bus, REFERENCE_LOG, zone);
    await putCommits(bus, FLEET_LOG, fleet);
    await more(nats);
  });
}

/** Puts commits into a log as they are, behind the first `from`; with 0 the log is made. */
export async function putCommits(bus: Bus, log: LogName, commits: readonly Uint8Array[], from = 0): Promise<void> {
  if (from === 0) await makeEpoch({ bus, log, replicas: 1 }, 1, 0);
  const publisher = createAckedPublisher(bus, ACK_TIMEOUT_MS);
  for (let at = 0; at < commits.length; at += AT_ONCE) {
    const answers = commits.slice(at, at + AT_ONCE).map(async (bytes, place) => {
      const version = from + at + place + 1;
      const answer = await publisher.publish(logSubject(log), bytes, headers());
      const { seq } = answer.json<{ readonly seq?: number }>();
      if (seq !== version) throw new Error(`commit ${version} of ${log} became ${String(seq)}`);
    });
    await Promise.all(answers);
  }
  publisher.close();
}
