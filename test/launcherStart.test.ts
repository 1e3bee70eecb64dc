import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { SECRETS_OF_GATEWAYS } from '../infra/config/bus.ts';
import { busGatewayVariables, newBusSecrets } from '../infra/start/busSecrets.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { commandLine } from '../infra/start/processes.ts';
import { busPid, endBusOf } from './support/dataBus.ts';
import { temporaryFolder } from './support/folder.ts';
import { startProgram, type Program } from './support/program.ts';

const START = join(import.meta.dirname, 'support/startWithParts.ts');
const isRoot = process.getuid?.() === 0;

/** A part that serves until it is told to end, and says what it got. */
const part = (name: string): string => `
import fs from 'node:fs';
const has = (name) => process.env[name] !== undefined;
console.log('${name}', process.pid, 'args', JSON.stringify(process.argv.slice(2)), 'of the bus',
  ${JSON.stringify(SECRETS_OF_GATEWAYS)}.filter(has).length, 'app', has('MUSTER_NATS_APP_PASSWORD'),
  'key', has('MUSTER_ADMIN_KEY'), 'token', process.env.MUSTER_MANAGER_TOKEN_FILE, 'store', process.env.MUSTER_EVENT_LOG, process.env.MUSTER_NATS_URL, process.env.MUSTER_SIMULATED);
process.on('disconnect', () => process.exit(0));
process.on('SIGTERM', () => { console.log('${name} stops'); process.exit(0); });
process.send({ type: 'ready', signInUrl: 'http://127.0.0.1/#once' });
setInterval(() => undefined, 60_000);
`;

type Site = {
  readonly folder: string;
  readonly data: string;
  readonly port: number;
  readonly start: (args?: readonly string[], env?: Readonly<Record<string, string>>, uid?: number) => Program;
};

async function site(t: ExecutionContext): Promise<Site> {
  const folder = await temporaryFolder(t);
  const data = join(folder, 'data');
  const port = await freeLoopbackPort();
  await mkdir(join(folder, 'sources'));
  await writeFile(join(folder, 'gateway.mjs'), part('gateway'));
  await writeFile(join(folder, 'agent.mjs'), part('agent'));
  await writeFile(
    join(folder, 'build.mjs'),
    `import fs from 'node:fs'; fs.mkdirSync(${JSON.stringify(join(folder, 'dist'))}, { recursive: true });`,
  );
  // A start that a test killed leaves its bus behind.
  t.teardown(() => endBusOf(data));
  return {
    folder,
    data,
    port,
    start: (args = [], env = {}, uid) =>
      startProgram(t, process.execPath, [START, ...args], {
        cwd: folder,
        env: { MUSTER_DATA: data, MUSTER_HTTP: `127.0.0.1:${port}`, MUSTER_TEST_PARTS: folder, ...env },
        ...(uid === undefined ? {} : { uid }),
      }),
  };
}

async function untilGone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) while ((await commandLine(pid)) !== undefined) await turn();
}

async function pidsOf(program: Program, data: string): Promise<readonly number[]> {
  await program.says(/agent ready/);
  const named = ['gateway', 'agent'].map((name) =>
    Number(new RegExp(`${name} (\\d+) args`).exec(program.output())?.[1]),
  );
  return [...named, await busPid(data)];
}

test('a start prints the address, the sign-in link and the data folder; SIGTERM ends the whole tree in order', async (t) => {
  const here = await site(t);
  const MUSTER_EVENT_LOG = 'esdb://muster:secret@es:2113';
  const program = here.start([], { MUSTER_ADMIN_KEY: '0123456789abcdef', MUSTER_EVENT_LOG });
  const pids = await pidsOf(program, here.data);
  t.regex(program.output(), new RegExp(`Muster +http://127.0.0.1:${here.port}\\n +Sign in +http://127.0.0.1/#once`));
  t.regex(program.output(), new RegExp(`Data +${here.data}\\n`));
  t.regex(
    program.output(),
    /gateway \d+ args \[\] of the bus 5 app true key true token \S+manager\.token store esdb:\/\/muster:secret@es:2113 nats:\/\/127/,
  );
  t.regex(
    program.output(),
    /agent \d+ args \[\] of the bus 0 app false key false token \S+manager\.token store undefined nats:\/\/127/,
  );
  program.kill('SIGTERM');
  t.deepEqual(await program.ended, { code: 0, signal: null });
  t.regex(program.output(), /agent stops[^]*gateway stops[^]*stopped/);
  await untilGone(pids);
  t.pass();
});

test('the data folder and the passwords are for their owner alone, and the passwords stay the same', async (t) => {
  const here = await site(t);
  const passwords: string[] = [];
  for (let round = 0; round < 2; round += 1) {
    const program = here.start();
    await program.says(/agent ready/);
    passwords.push(await readFile(join(here.data, 'bus.json'), 'utf8'));
    program.kill('SIGINT');
    t.is((await program.ended).code, 0);
  }
  t.is(passwords[0], passwords[1]);
  t.is((await stat(here.data)).mode & 0o777, 0o700);
  t.is((await stat(join(here.data, 'bus.json'))).mode & 0o777, 0o600);
});

test('the dashboard is built when its sources changed, and only then', async (t) => {
  const here = await site(t);
  const builds: boolean[] = [];
  for (const source of ['one', 'one', 'two']) {
    await writeFile(join(here.folder, 'sources/view.ts'), source);
    const program = here.start();
    await program.says(/agent ready/);
    builds.push(program.output().includes('building the dashboard'));
    program.kill('SIGTERM');
    await program.ended;
  }
  t.deepEqual(builds, [true, false, true]);
});

test('--simulate starts the simulated agents with their number, on data of their own', async (t) => {
  const here = await site(t);
  const program = here.start(['--simulate', '12'], { MUSTER_DATA: '' });
  t.teardown(() => endBusOf(join(here.folder, '.muster-demo')));
  await program.says(
    /\.muster-demo\n[^]*the agents are simulated[^]*agent \d+ args \["12"\] of the bus 1 app true key false .* 1\n/,
  );
  program.kill('SIGTERM');
  t.is((await program.ended).code, 0);
});

for (const args of [['--simulate', 'many'], ['--simulate', '201'], ['--simulate'], ['--port', '1']]) {
  test(`wrong arguments are refused: ${args.join(' ')}`, async (t) => {
    const here = await site(t);
    const program = here.start(args);
    t.is((await program.ended).code, 2);
    t.regex(program.output(), /Muster did not start\. .*(--simulate|--port)/);
    t.notRegex(program.output(), / {4}at /);
  });
}

test('a wrong configuration is told without a stack', async (t) => {
  const here = await site(t);
  const program = here.start([], { MUSTER_HTTP: '0.0.0.0:1', MUSTER_ZON: 'x' });
  t.is((await program.ended).code, 2);
  t.regex(program.output(), /wrong in 2 places[^]*MUSTER_ZON is not[^]*MUSTER_HTTP must be a loopback/);
  t.notRegex(program.output(), / {4}at /);
});

test('a port in use is told with the variable that changes it', async (t) => {
  const here = await site(t);
  const other = createServer().listen(here.port, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const program = here.start();
  t.is((await program.ended).code, 1);
  t.regex(program.output(), new RegExp(`port ${here.port} is in use.*MUSTER_HTTP=127.0.0.1:${here.port + 1}`));
});

test('a port of the bus that is in use is told, and a bus that does not answer too', async (t) => {
  const here = await site(t);
  const other = createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  const address = other.address();
  const taken = typeof address === 'object' && address !== null ? address.port : 0;
  const program = here.start([], { MUSTER_NATS_PORT: String(taken) });
  t.is((await program.ended).code, 1);
  t.regex(program.output(), new RegExp(`port ${taken} is in use.*MUSTER_NATS_PORT=`));
  const free = await freeLoopbackPort();
  const away = here.start([], {
    MUSTER_NATS_URL: `nats://127.0.0.1:${free}`,
    ...busGatewayVariables(newBusSecrets()),
  });
  t.is((await away.ended).code, 1);
  t.regex(away.output(), /MUSTER_NATS_URL does not answer: nats:\/\/127.0.0.1:\d+ \(nobody listens\)/);
});

test('a second start on the same data is told the process and the address', async (t) => {
  const here = await site(t);
  const first = here.start();
  await first.says(/agent ready/);
  const second = here.start([], { MUSTER_HTTP: `127.0.0.1:${await freeLoopbackPort()}` });
  t.is((await second.ended).code, 1);
  t.regex(second.output(), new RegExp(`already runs on .*process ${first.pid}, http://127.0.0.1:${here.port}`));
  first.kill('SIGTERM');
  t.is((await first.ended).code, 0);
});

test('after a kill -9 the parts end by themselves, and the next start takes over the lock and the bus', async (t) => {
  const here = await site(t);
  const killed = here.start();
  const [gateway = 0, agent = 0, bus = 0] = await pidsOf(killed, here.data);
  killed.kill('SIGKILL');
  await killed.ended;
  await untilGone([gateway, agent]);
  t.truthy(await commandLine(bus), 'nats-server outlives its supervisor');
  const next = here.start();
  await next.says(new RegExp(`left behind \\(process ${bus}\\)`));
  await next.says(/agent ready/);
  t.is(await commandLine(bus), undefined);
  next.kill('SIGTERM');
  t.is((await next.ended).code, 0);
});

test('a part or the bus that is killed is started again', async (t) => {
  const here = await site(t);
  const program = here.start();
  const [gateway = 0, , bus = 0] = await pidsOf(program, here.data);
  process.kill(gateway, 'SIGKILL');
  await program.says(/gateway ended \(SIGKILL\); starting it again in 0\.2 s[^]*gateway is back/);
  process.kill(bus, 'SIGKILL');
  await program.says(/nats-server ended \(SIGKILL\)[^]*nats-server is back/);
  program.kill('SIGTERM');
  t.is((await program.ended).code, 0);
  t.is(await commandLine(await busPid(here.data).catch(() => bus)), undefined);
});

test('a gateway that never becomes ready ends the start, and nothing stays behind', async (t) => {
  const here = await site(t);
  await writeFile(join(here.folder, 'gateway.mjs'), 'console.error("no such stream"); process.exit(4);');
  const program = here.start();
  await program.says(/bus ready/);
  const bus = await busPid(here.data);
  t.is((await program.ended).code, 1);
  t.regex(program.output(), /no such stream[^]*gateway did not start: it ended 5 times \(exit code 4\)/);
  await untilGone([bus]);
});

test('a gateway that says that starting again is in vain ends the start at once, with its sentence', async (t) => {
  const here = await site(t);
  const refusal = `process.send({ type: 'refused', why: 'The store does not let us in.' }, () => process.exit(2));`;
  await writeFile(join(here.folder, 'gateway.mjs'), refusal);
  const program = here.start();
  await program.says(/bus ready/);
  const bus = await busPid(here.data);
  t.is((await program.ended).code, 2);
  t.regex(program.output(), /Muster did not start\. The store does not let us in\.\n$/);
  t.notRegex(program.output(), /starting it again/);
  await untilGone([bus]);
});

test('a signal during the start ends it', async (t) => {
  const here = await site(t);
  await writeFile(
    join(here.folder, 'gateway.mjs'),
    'console.log("gateway hangs"); setInterval(() => undefined, 60_000);',
  );
  const program = here.start();
  await program.says(/gateway hangs/);
  program.kill('SIGINT');
  t.is((await program.ended).code, 0);
  await untilGone([await busPid(here.data).catch(() => 0)]);
});

test('a second Ctrl-C ends a part that does not stop at once', async (t) => {
  const here = await site(t);
  await writeFile(join(here.folder, 'agent.mjs'), part('agent').replace('process.exit(0); });', '});'));
  const program = here.start();
  const pids = await pidsOf(program, here.data);
  program.kill('SIGINT');
  await program.says(/agent stops/);
  // One keystroke arrives as several signals within a moment, so press until one counts as the second.
  const pressed = setInterval(() => program.kill('SIGINT'), 100);
  t.is((await program.ended).code, 130);
  clearInterval(pressed);
  await untilGone(pids);
});

test('a data folder that cannot be written is told with the variable that changes it', async (t) => {
  const here = await site(t);
  await writeFile(here.data, 'a file');
  const overFile = here.start([], { MUSTER_DATA: join(here.data, 'inside') });
  t.is((await overFile.ended).code, 1);
  t.regex(overFile.output(), /cannot be written: a part of this path is a file.*MUSTER_DATA/);
});

test('a data folder of another user is told so', async (t) => {
  const here = await site(t);
  const folder = join(here.folder, 'theirs');
  await mkdir(folder);
  await chmod(folder, isRoot ? 0o700 : 0o500);
  await chmod(here.folder, 0o755);
  const nobody = 65_534;
  const program = here.start([], { MUSTER_DATA: join(folder, 'data') }, isRoot ? nobody : undefined);
  t.is((await program.ended).code, 1);
  t.regex(program.output(), /cannot be written: this user may not write there/);
});

if (isRoot) {
  test('a full disk is told with the variable that changes it', async (t) => {
    const here = await site(t);
    await mountSmall(t, here.data);
    await writeFile(join(here.data, 'filling'), Buffer.alloc(900 * 1024));
    const program = here.start();
    t.is((await program.ended).code, 1);
    t.regex(program.output(), /No space left on the disk of .*MUSTER_DATA/);
  });

  test('a read-only disk is told', async (t) => {
    const here = await site(t);
    await mountSmall(t, here.data);
    await promisify(execFile)('mount', ['-o', 'remount,ro', here.data]);
    const program = here.start();
    t.is((await program.ended).code, 1);
    t.regex(program.output(), /cannot be written: its file system is read-only/);
  });
} else {
  test.skip('a full disk and a read-only one: only root can mount a small file system', () => undefined);
}

async function mountSmall(t: ExecutionContext, folder: string): Promise<void> {
  await mkdir(folder);
  await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]);
  t.teardown(() => promisify(execFile)('umount', ['--lazy', folder]));
}
