import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { putCommits } from '../bench/loadedBus.ts';
import { progressLine, progressText } from '../gateway/cli/copyProgress.ts';
import { encodeCommit } from '../infra/log/codec.ts';
import type { CopyProgress, CopyResult } from '../infra/log/copy.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { FLEET_LOG, zoneLog, type EventLog, type StoredCommit } from '../infra/log/port.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { sealingCommit, someCommit } from './support/commits.ts';
import { endBusOf } from './support/dataBus.ts';
import { startEventStore } from './support/eventStore.ts';
import { temporaryFolder } from './support/folder.ts';
import { appendMany, collect, hashesOf, versions } from './support/logs.ts';
import { moveOffline } from './support/logStreams.ts';
import { busGatewayVariables } from '../infra/start/busSecrets.ts';
import { BUS_SECRETS, LOG_PASSWORD, startNats, type TestNats } from './support/nats.ts';
import { startProgram, type Program } from './support/program.ts';
import { recordedLines } from './support/recorded.ts';
import { until } from './support/until.ts';

const MAIN = join(import.meta.dirname, '../gateway/cli/main.ts');
const START = join(import.meta.dirname, 'support/startWithParts.ts');
const LOG = zoneLog('default');

type Env = Readonly<Record<string, string>>;

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function startCopy(t: ExecutionContext, words: readonly string[], env: Env): Program {
  return startProgram(t, process.execPath, [MAIN, 'log', 'copy', ...words], { env });
}

/** `muster log copy` with these words to its end. */
async function copy(t: ExecutionContext, words: readonly string[], env: Env): Promise<Said> {
  const program = startCopy(t, words, env);
  const { code } = await program.ended;
  const out = program.stdout();
  return { code, out, error: program.output().replace(out, '') };
}

test('an operator copies all logs to another store and back, and is told what was copied and where both end', async (t) => {
  const [source, other] = [await aBus(t), await aBus(t)];
  await fill(source, 'fleet', await recorded('fleet'));
  await fill(source, LOG, await recorded(LOG));
  const esdb = await startEventStore();
  t.teardown(async () => await esdb.stop());
  const env = { ...source.env, MUSTER_EVENT_LOG: esdb.url };
  const there = await copy(t, ['--from', 'nats', '--to', 'esdb'], env);
  t.is(there.code, 0, there.error);
  t.regex(
    there.out,
    /^fleet: 9 commits, 13 events copied; both are the same up to fleet:9\nchain hash [0-9a-f]{64}\nzone-default: 671 commits, /,
  );
  const again = await copy(t, ['--from', 'nats', '--to', 'esdb'], env);
  t.regex(again.out, /^fleet: nothing to copy, both are the same up to fleet:9\n/);
  const back = await copy(t, ['--from', 'esdb', '--to', other.nats.url, '--json'], env);
  t.is(back.code, 0, back.error);
  const answer: { readonly logs: readonly CopyResult[] } = JSON.parse(back.out);
  t.deepEqual(
    answer.logs.map(({ log, commits }) => ({ log, commits })),
    [
      { log: 'fleet', commits: 9 },
      { log: LOG, commits: 671 },
    ],
  );
  t.deepEqual(hashesOf(await collect(other.log.read(LOG, 0))), hashesOf(await collect(source.log.read(LOG, 0))));
  t.is(answer.logs[1]?.hash, (await collect(other.log.read(LOG, 670)))[0]?.hash);
});

test('the bus of a data folder is used where it runs, and else started for as long as the copy takes', async (t) => {
  const source = await aBus(t);
  const written = await appendMany(source.log, LOG, 20);
  const MUSTER_DATA = join(await temporaryFolder(t), 'data');
  t.teardown(() => endBusOf(MUSTER_DATA));
  const words = ['--from', source.nats.url, '--to', 'nats', '--log', LOG];
  const ownBus = { MUSTER_DATA, MUSTER_NATS_LOG_PASSWORD: LOG_PASSWORD };
  const none = await copy(t, ['--from', 'nats', '--to', source.nats.url], ownBus);
  t.is(none.code, 4);
  t.regex(none.error, /there is no bus in .*data/);
  const first = await copy(t, words, ownBus);
  t.is(first.code, 0, first.error);
  t.regex(first.out, /20 commits, 20 events copied/);
  await appendMany(source.log, LOG, 3, written.at(-1));
  const running = await startWithParts(t, MUSTER_DATA);
  const second = await copy(t, words, ownBus);
  t.is(second.code, 0, second.error);
  t.regex(second.out, /3 commits, 3 events copied/);
  running.kill('SIGTERM');
  await running.ended;
  const third = await copy(t, words, ownBus);
  t.is(third.code, 0, third.error);
  t.regex(third.out, /nothing to copy, both are the same up to zone-default:23/);
});

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`a copy that ${signal} ends goes on when it is started again, and the log is whole`, async (t) => {
    const [source, target] = [await aBus(t), await aBus(t)];
    const written = await manyCommits(source, 1_500);
    const words = ['--from', 'nats', '--to', target.nats.url, '--log', LOG];
    const program = startCopy(t, words, source.env);
    const reached = until(
      'the copy',
      () => versions(target.log, LOG),
      (there) => there.length > 50,
    );
    await Promise.race([reached, program.ended]);
    program.kill(signal);
    const { code } = await program.ended;
    const between = await versions(target.log, LOG);
    t.true(between.length > 50 && between.length < 1_500, `${between.length} commits`);
    if (signal === 'SIGINT') {
      t.is(code, 1);
      t.regex(program.output(), new RegExp(`^muster: stopped behind ${LOG}:${between.length}\\n.*again: it goes on`));
    }
    const { out } = await copy(t, words, source.env);
    t.regex(out, new RegExp(`^zone-default: ${(1_500 - between.length).toLocaleString('en')} commits`));
    t.deepEqual(hashesOf(await collect(target.log.read(LOG, 0))), written);
  });
}

test('what cannot be copied is refused with the reason, what to do, and an exit code for scripts', async (t) => {
  const [source, target] = [await aBus(t), await aBus(t)];
  await appendMany(source.log, LOG, 3);
  const from = (...words: string[]) => copy(t, ['--from', 'nats', '--to', ...words], source.env);
  t.is((await from('nats')).code, 2, 'the same store');
  t.is((await from(source.nats.url)).code, 2, 'the same store by its address');
  t.is((await from('kafka://host')).code, 2);
  t.is((await from('esdb')).code, 2, 'none is configured');
  t.is((await from(target.nats.url, '--log', 'zone.default')).code, 2);
  for (const secret of ['esdb://admin:changeit@host:2113', 'nats://muster-log:changeit@host:4222']) {
    const { code, out, error } = await from(secret);
    t.is(code, 2);
    t.regex(error, /must not have a user and password in it\n.*MUSTER_EVENT_LOG/);
    t.notRegex(out + error, /changeit/);
  }
  t.is((await from(target.nats.url, '--log', 'zone-lab')).code, 4, 'no such log');
  t.is((await from(`nats://127.0.0.1:${await freeLoopbackPort()}`)).code, 5, 'nobody answers');
  const wrong = { ...source.env, MUSTER_NATS_LOG_PASSWORD: 'not-the-password-of-this-one' };
  t.is((await copy(t, ['--from', 'nats', '--to', target.nats.url], wrong)).code, 6);
  await target.log.append(LOG, 0, { ...someCommit(null, 'own'), logId: 'another' });
  const refused = await from(target.nats.url, '--log', LOG);
  t.is(refused.code, 1);
  t.regex(refused.error, /^muster: the target holds another log zone-default: .*\nCode: OTHER_LOG\n[A-Z].*\.$/m);
  t.is(refused.out, '');
  t.deepEqual(await versions(target.log, LOG), [1]);
});

test('a source whose history was moved offline is refused with what to do, also when nobody named a log', async (t) => {
  const [source, target] = [await aBus(t), await aBus(t)];
  const written = await appendMany(source.log, FLEET_LOG, 2);
  await source.log.append(FLEET_LOG, 2, sealingCommit(written.at(-1) ?? null));
  await moveOffline({ bus: await source.nats.connect('log'), log: FLEET_LOG, replicas: 1 });
  const { code, error } = await copy(t, ['--from', 'nats', '--to', target.nats.url], source.env);
  t.is(code, 1);
  t.regex(
    error,
    /^muster: what comes before fleet:4 was moved offline in the source.*\nCode: SOURCE_OFFLINE\n.*Bring back/,
  );
  t.deepEqual(await versions(target.log, FLEET_LOG), []);
});

test('progress is one line that is written over on a terminal, and a line now and then elsewhere', (t) => {
  const half: CopyProgress = { phase: 'copying', commits: 4_512, allCommits: 10_031, events: 40_000 };
  t.is(
    progressText(LOG, half, 10_000),
    'zone-default: copying, 44 % (4,512 of 10,031 commits), 4,000 events/s, 13 s left',
  );
  const comparing: CopyProgress = { phase: 'comparing', commits: 12_000, allCommits: null, events: 90_000 };
  t.is(progressText(LOG, comparing, 1_000), 'zone-default: comparing, 12,000 commits, 90,000 events/s');
  const shown = (isTerminal: boolean) => {
    let [text, now] = ['', 0];
    const write = (more: string) => void (text += more);
    const line = progressLine({ isTerminal, columns: 40, write, now: () => now });
    for (; now <= 6_000; now += 100) line.progress(LOG, half);
    line.say('waiting');
    line.clear();
    return text;
  };
  const terminal = shown(true);
  t.is(terminal.split('\r').length - 1, 30 + 1);
  t.true(terminal.endsWith('\r\u001B[Kwaiting\n'));
  t.true(terminal.split('\r').every((part) => part.length < 45));
  t.regex(shown(false), /^zone-default: copying, 44 % .*\nwaiting\n$/);
});

interface ABus {
  readonly nats: TestNats;
  readonly log: EventLog;
  /** Of a command line that has it configured. */
  readonly env: Env;
}

async function aBus(t: ExecutionContext): Promise<ABus> {
  const nats = await startNats();
  t.teardown(async () => await nats.stop());
  const log = createJetStreamLog({ bus: await nats.connect('log') });
  t.teardown(async () => await log.close());
  const env = {
    MUSTER_NATS_URL: nats.url,
    ...busGatewayVariables(BUS_SECRETS),
  };
  return { nats, log, env };
}

async function recorded(log: string): Promise<readonly Uint8Array[]> {
  return (await recordedLines('0.2.0', log)).map((line) => Buffer.from(line));
}

async function fill({ nats }: ABus, log: string, commits: readonly Uint8Array[]): Promise<void> {
  const bus = await nats.connect('log');
  await putCommits(bus, log, commits);
}

/** Gives their hashes. */
async function manyCommits(bus: ABus, count: number): Promise<readonly string[]> {
  const commits: Uint8Array[] = [];
  const hashes: string[] = [];
  let head: StoredCommit | null = null;
  for (let version = 1; version <= count; version += 1) {
    const commit = someCommit(head, `many-${version}`);
    const { bytes, hash } = encodeCommit(commit);
    head = { commit, hash };
    commits.push(bytes);
    hashes.push(hash);
  }
  await fill(bus, LOG, commits);
  return hashes;
}

/** `npm start` on this data folder with stand-ins for gateway and agent; the bus is the real one. */
async function startWithParts(t: ExecutionContext, MUSTER_DATA: string): Promise<Program> {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'sources'));
  const part = `process.on('disconnect', () => process.exit(0)); process.send({ type: 'ready' });`;
  for (const name of ['gateway', 'agent']) await writeFile(join(folder, `${name}.mjs`), part);
  const build = `import fs from 'node:fs'; fs.mkdirSync(${JSON.stringify(join(folder, 'dist'))});`;
  await writeFile(join(folder, 'build.mjs'), build);
  const MUSTER_HTTP = `127.0.0.1:${await freeLoopbackPort()}`;
  const program = startProgram(t, process.execPath, [START], {
    env: { MUSTER_DATA, MUSTER_HTTP, MUSTER_TEST_PARTS: folder, MUSTER_NATS_LOG_PASSWORD: LOG_PASSWORD },
  });
  await program.says(/agent ready/);
  return program;
}
