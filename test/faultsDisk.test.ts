import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import pino from 'pino';
import { openGateway } from '../gateway/gateway.ts';
import { ensureCheckIns } from '../infra/bus/streams.ts';
import { readConfig } from '../infra/config/config.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { ask, recorded, sessionsIn } from './support/carefulClients.ts';
import { assertFeedHolds } from './support/feeds.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, type ProblemBody, type Rest } from './support/gateway.ts';
import { appendMany } from './support/logs.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { fill, smallDisk } from './support/smallDisk.ts';
import { until } from './support/until.ts';

/** A disk that fills up under a real bus. Only root may mount the small file system that stands for it. */

const DISK_MB = 24;
const BEFORE = 20;
const MOST_UNTIL_FULL = 500;

/** A bus that may promise so much room, whatever there is: as one does whose disk others fill. */
async function busWithRoom(t: ExecutionContext, room: string, store?: string): Promise<TestNats> {
  const conf = join(await temporaryFolder(t), 'nats.conf');
  const repositoryConf = await readFile(join(import.meta.dirname, '../nats.conf'), 'utf8');
  await writeFile(conf, repositoryConf.replace('jetstream {\n', `jetstream {\n  max_file_store: ${room}\n`));
  const nats = await startNats({ conf, ...(store === undefined ? {} : { store }) });
  t.teardown(() => nats.stop());
  return nats;
}

interface Told {
  readonly msg: string;
  readonly err?: { readonly message: string };
}

/** A gateway in this process, and what it writes into its own log. */
async function gatewayOn(t: ExecutionContext, nats: TestNats): Promise<{ rest: Rest; told: readonly Told[] }> {
  const told: Told[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => told.push(JSON.parse(line) as Told) });
  const config = readConfig(await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data')));
  const gateway = await openGateway({ config, log, signal: new AbortController().signal });
  t.teardown(() => gateway.stop());
  return { rest: restOf(gateway.url), told };
}

test('a full disk loses nothing: commands get 503 and a remedy, which helps, and then each is there once', async (t) => {
  if (process.getuid?.() !== 0) {
    t.log('NOT TESTED: only root may mount a small disk; run this as root');
    t.pass();
    return;
  }
  const disk = await smallDisk(t, DISK_MB);
  const store = join(disk, 'store');
  await mkdir(store);
  const nats = await busWithRoom(t, '64GB', store);
  const { rest, told } = await gatewayOn(t, nats);
  await rest.defineImage('one');
  const acknowledged: string[] = [];
  for (let index = 0; index < BEFORE; index += 1) acknowledged.push(await ask(rest, `before-${index}`));

  const filler = await fill(disk);
  const keys: string[] = [];
  let refusal: ProblemBody | null = null;
  while (refusal === null && keys.length < MOST_UNTIL_FULL) {
    const key = `while-${keys.length}`;
    keys.push(key);
    const headers = { 'idempotency-key': key };
    const answer = await rest.request('POST', '/sessions', { body: { imageId: 'one' }, headers });
    if (answer.status === 503) refusal = answer.body as ProblemBody;
    else t.is(answer.status, 202);
  }
  t.like(refusal, { status: 503, code: 'UNAVAILABLE' });
  t.regex(refusal?.detail ?? '', /free disk space where nats-server keeps its store and restart it/);
  t.log(`after ${keys.length} more commands: ${refusal?.detail}`);
  const doubts = async (): Promise<readonly Told[]> =>
    told.filter(({ msg }) => msg.startsWith('the zone-default log does not answer'));
  const [doubt] = await until('it is told', doubts, ({ length }) => length > 0);
  t.regex(doubt?.err?.message ?? '', /free space where nats-server keeps its store, then restart nats-server/);
  t.is((await rest.request('POST', '/sessions', { body: { imageId: 'one' } })).status, 503, 'the next is told at once');
  t.is((await rest.sessions()).length, BEFORE + keys.length - 1, 'what was acknowledged is still shown');

  await rm(filler);
  await nats.restart();
  const backAt = performance.now();
  for (const key of [...keys, 'after']) acknowledged.push(await ask(rest, key));
  t.log(`accepted again ${Math.round(performance.now() - backAt)} ms after the restart`);
  t.is((await doubts()).length, 1, 'it is told once');
  const { commits, events } = await recorded(createJetStreamLog({ bus: await nats.connect('log') }));
  const { requested } = sessionsIn(events);
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(new Set(acknowledged).size, acknowledged.length);
  await assertFeedHolds(t, await nats.connect('app'), 'zone-default', commits);
});

test('streams with a limit that take all the room there is leave enough for a log', async (t) => {
  const nats = await busWithRoom(t, '4GB');
  await ensureCheckIns(await nats.connect('app'), 1);
  const log = createJetStreamLog({ bus: await nats.connect('log') });
  t.teardown(() => log.close());
  t.is((await appendMany(log, 'zone-default', 1)).length, 1);
});
