import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DCLinter } from 'dclint';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { busServerVariables } from '../infra/start/busSecrets.ts';
import { busSecretsFiles } from '../infra/start/busSecretsFiles.ts';
import { runCommand } from '../infra/tools/command.ts';
import { breaches, parseCompose } from './support/composeFile.ts';
import { dockerCompose } from './support/dockerCompose.ts';
import { dockerOf, inNetworkOf, type TestEngine } from './support/engine.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { PINNED_ESDB_IMAGE } from './support/eventStoreContainer.ts';
import { temporaryFolder } from './support/folder.ts';
import { BUS_SECRETS } from './support/nats.ts';
import { importNatsImage } from './support/natsImage.ts';

/** The compose files that an operator takes: as the specification and as our own rules want them, and the bus really started. */

const DEPLOY = join(import.meta.dirname, '../infra/deploy');
/** What is started together, and whether EventStoreDB goes without passwords and TLS then; null: there is none. */
const SETS = [
  { files: ['compose.nats.yaml'], insecure: null },
  { files: ['compose.eventstore.yaml'], insecure: 'true' },
  { files: ['compose.eventstore.yaml', 'compose.eventstore-tls.yaml'], insecure: 'false' },
] as const;
const NATS_IMAGE = /^ +image: (nats:\S+)$/m;
const PASSWORDS = { log: 'lo g1$x#', app: '1e5' };

async function composeFiles(): Promise<readonly string[]> {
  return (await readdir(DEPLOY)).filter((name) => name.startsWith('compose.'));
}

async function deployed(name: string): Promise<string> {
  return await readFile(join(DEPLOY, name), 'utf8');
}

interface Finding {
  readonly line: number;
  readonly message: string;
}

function linted(path: string): readonly string[] {
  // Keys stand in the order in which they are read.
  const linter = new DCLinter({ rules: { 'service-keys-order': 0 }, quiet: false, debug: false, exclude: [] });
  const results: readonly { readonly messages: readonly Finding[] }[] = linter.lintFiles([path], false);
  return results.flatMap(({ messages }) => messages.map(({ line, message }) => `${line}: ${message}`));
}

test('every compose file is one by the compose specification, and every one is started somewhere', async (t) => {
  const files = await composeFiles();
  t.deepEqual(files.toSorted(), [...new Set(SETS.flatMap((set) => set.files))].toSorted());
  for (const file of files) t.deepEqual(linted(join(DEPLOY, file)), [], file);

  const broken = join(await temporaryFolder(t), 'compose.yaml');
  await writeFile(broken, (await deployed('compose.nats.yaml')).replace('mem_limit: 2g', 'memory_limit: 2g'));
  t.regex(linted(broken).join('\n'), /services\/nats.*must NOT have additional properties/, 'a wrong key is seen');
});

test('every service is pinned, watched, bounded, on loopback, and without a secret in its file', async (t) => {
  for (const file of await composeFiles()) t.deepEqual(breaches(parseCompose(await deployed(file))), [], file);

  const bus = await deployed('compose.nats.yaml');
  for (const [from, to, breach] of [
    [
      "'127.0.0.1:${MUSTER_BUS_PORT:-4222}:4222'",
      "'4222:4222'",
      'nats: the port 4222:4222 is not published on loopback',
    ],
    ['nats:2.15.0-alpine', 'nats:2.15-alpine', 'nats: nats:2.15-alpine is not pinned to a patch'],
    [
      'bus:/data',
      '/srv:/data',
      'nats: the volume "/srv:/data" is neither a named one of the file nor a read-only bind of what is there',
    ],
    ['GOMEMLIMIT:', 'NATS_PASSWORD:', 'nats: NATS_PASSWORD stands in the file'],
    ['/etc/muster/bus.env', './bus.env', 'nats: the secrets are in ${MUSTER_BUS_ENV:-./bus.env}'],
    ['healthcheck:', 'x-check:', 'nats: it has no health check that needs no shell'],
    ['cap_drop: [ALL]', 'cap_drop: [CHOWN]', 'nats: it has privileges'],
  ] as const) {
    t.true(bus.includes(from), from);
    t.deepEqual(breaches(parseCompose(bus.replace(from, to))), [breach]);
  }
});

test('the instructions name what the files read, and the example of a secret holds none', async (t) => {
  const instructions = await deployed('README.md');
  for (const file of await composeFiles()) {
    const text = await deployed(file);
    t.true(instructions.includes(file), file);
    for (const [, path = ''] of text.matchAll(/\$\{\w+:-(\/\S+)\}/g)) t.true(instructions.includes(` ${path}`), path);
  }
  const example = 'eventstore/events.env';
  const values = [...(await deployed(example)).matchAll(/^\w+=(.*)$/gm)].map(([, value]) => value);
  t.true(values.length > 0 && values.every((value) => value === "''"));
  t.true(instructions.includes(`-m 600 infra/deploy/${example}`));
  t.true(instructions.includes('bus-secrets --out /etc/muster'), 'those of the bus are made, not written by hand');
});

test('the image of the compose file is the one that the tests take', async (t) => {
  t.true((await deployed('compose.eventstore.yaml')).includes(`image: ${PINNED_ESDB_IMAGE}\n`));
});

/** Files in place of those in /etc/muster, and a free port. */
async function installed(t: ExecutionContext) {
  const folder = await temporaryFolder(t);
  const bus = join(folder, 'bus.env');
  const [{ text }] = busSecretsFiles({ ...BUS_SECRETS, logPassword: PASSWORDS.log, appPassword: PASSWORDS.app });
  await writeFile(bus, text, { mode: 0o600 });
  const events = join(folder, 'events.env');
  await writeFile(events, await deployed('eventstore/events.env'), { mode: 0o600 });
  const port = String(await freeLoopbackPort());
  return { MUSTER_BUS_ENV: bus, MUSTER_EVENTS_ENV: events, MUSTER_EVENTS_CERTIFICATES: folder, MUSTER_BUS_PORT: port };
}

function filesOf(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ['--file', join(DEPLOY, name)]);
}

test('docker compose takes every file, and hands every password on as it was meant', async (t) => {
  const env = await installed(t);
  for (const { files, insecure } of SETS) {
    const { code, stdout, stderr } = await dockerCompose([...filesOf(files), 'config', '--format', 'json'], env);
    t.is(code, 0, stderr);
    const { services } = JSON.parse(stdout);
    // Compose writes a dollar twice, as it would have to be written in a file.
    t.is(services.nats.environment.MUSTER_NATS_LOG_PASSWORD, `"${PASSWORDS.log.replaceAll('$', '$$$$')}"`);
    t.is(services.nats.environment.MUSTER_NATS_APP_PASSWORD, `"${PASSWORDS.app}"`);
    t.like(services.nats.environment, { MUSTER_NATS_ISSUER: busServerVariables(BUS_SECRETS)['MUSTER_NATS_ISSUER'] });
    t.is(services.eventstore?.environment.EVENTSTORE_INSECURE ?? null, insecure);
    for (const { ports } of Object.values<{ readonly ports: readonly { readonly host_ip: string }[] }>(services)) {
      t.deepEqual([...new Set(ports.map(({ host_ip: ip }) => ip))], ['127.0.0.1']);
    }
  }
});

/** What a gateway sees of the bus, from where the engine publishes ports. */
async function probe(engine: TestEngine, url: string, password: string): Promise<string> {
  const [program, ...args] = inNetworkOf(engine);
  const script = join(import.meta.dirname, 'support/busProbe.ts');
  const env = { PROBE_PASSWORD: password, NODE_NO_WARNINGS: '1' };
  const { stdout, stderr } = await runCommand(program, [...args, process.execPath, script, url, 'PROBE_PASSWORD'], {
    env,
  });
  return stdout.trim() + stderr;
}

serialEngineTest(
  'the bus that compose starts is well, keeps what it acknowledged, and asks for its password',
  async (t, engine) => {
    const reference = NATS_IMAGE.exec(await deployed('compose.nats.yaml'))?.[1] ?? '';
    await importNatsImage(t, dockerOf(engine), reference);
    const env = { ...(await installed(t)), DOCKER_HOST: engine.host };
    const project = `muster-${process.pid}`;
    const compose = async (...args: readonly string[]): Promise<string> => {
      const all = ['--project-name', project, ...filesOf(['compose.nats.yaml']), ...args];
      const { code, stdout, stderr } = await dockerCompose(all, env);
      if (code !== 0) throw new Error(`compose ${args.join(' ')} ended with ${code}: ${stderr}`);
      return stdout;
    };
    t.teardown(async () => await compose('down', '--volumes'));
    await compose('up', '--detach', '--wait', '--pull', 'never');
    const { Health: health } = JSON.parse(await compose('ps', '--format', 'json'));
    t.is(health, 'healthy');

    const url = `nats://127.0.0.1:${env.MUSTER_BUS_PORT}`;
    t.is(await probe(engine, url, PASSWORDS.log), '1');
    t.is(await probe(engine, url, PASSWORDS.app), 'BUS_REFUSED');
    await compose('down');
    await compose('up', '--detach', '--wait', '--pull', 'never');
    t.is(await probe(engine, url, PASSWORDS.log), '2', 'what was acknowledged is in the volume');
  },
);
