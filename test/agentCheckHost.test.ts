import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Finding } from '../agent/check/finding.ts';
import { ensureDesired } from '../infra/bus/streams.ts';
import { startDockerEngine } from '../infra/tools/dockerEngine.ts';
import { runCommand } from '../infra/tools/command.ts';
import { engineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';
import { APP_PASSWORD, startNats } from './support/nats.ts';
import { fill, smallDisk } from './support/smallDisk.ts';

/** `muster agent check` on a real engine and a real bus: as an operator types it, through the command `muster`. */

const MUSTER = join(import.meta.dirname, '../gateway/cli/main.ts');
const ENGINE_DISK_MB = 64;

interface Said {
  readonly code: number | null;
  readonly text: string;
  readonly findings: readonly Finding[];
}

/** What it says for people and for scripts; both end alike. No nvidia-smi of this machine is found. */
async function check(t: ExecutionContext, settings: Readonly<Record<string, string>>): Promise<Said> {
  const env = { PATH: await temporaryFolder(t), ...settings };
  const run = (words: readonly string[]) => runCommand(process.execPath, [MUSTER, 'agent', 'check', ...words], { env });
  const [people, scripts] = await Promise.all([run([]), run(['--json'])]);
  t.is(people.code, scripts.code, `${people.stdout}\n${scripts.stdout}`);
  const { findings }: { readonly findings: readonly Finding[] } = JSON.parse(scripts.stdout);
  return { code: people.code, text: people.stdout, findings };
}

/** The checks that found something wrong. */
function wrongs({ findings }: Said): readonly string[] {
  return findings.filter(({ level }) => level === 'wrong').map((each) => each.check);
}

/** A bus that a gateway has used, and what an agent is told of it. */
async function usedBus(t: ExecutionContext): Promise<Readonly<Record<string, string>>> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  await ensureDesired(await nats.connect('app'), 1);
  return { MUSTER_NATS_URL: nats.url, MUSTER_NATS_APP_PASSWORD: APP_PASSWORD, MUSTER_DATA: await temporaryFolder(t) };
}

engineTest('where all is well the check says so and ends with 0', async (t, engine) => {
  const said = await check(t, { ...(await usedBus(t)), DOCKER_HOST: engine.host });
  t.log(said.text);
  t.is(said.code, 0);
  t.deepEqual(wrongs(said), []);
  t.regex(said.text, /^✔ ok +engine +version \S+ \(API \S+\) at unix:/m);
  t.regex(said.text, /^✔ ok +bus +nats-server \S+ at nats:\/\/127\.0\.0\.1:\d+ takes this password$/m);
  t.regex(said.text, /^✔ ok +clock +0\.0 s off the bus's$/m);
  t.regex(said.text, /^\S+: ready for sessions/m);
  const checked = [
    'configuration',
    'data folder',
    'engine',
    'limits',
    'disk',
    'GPUs',
    'session address',
    'descriptors',
  ];
  for (const each of checked)
    t.true(
      said.findings.some((finding) => finding.check === each),
      each,
    );
});

engineTest(
  'a full disk of the engine, and an engine that is down, each have their sentence and end with 1',
  async (t) => {
    const disk = await smallDisk(t, ENGINE_DISK_MB);
    const engine = await startDockerEngine({
      root: join(disk, 'e'),
      network: 'private',
      onProgress: (step) => t.log(step),
    });
    t.teardown(() => engine.stop());
    const bus = await usedBus(t);
    await fill(disk);
    const data = join(disk, 'data');
    await mkdir(data);
    const full = await check(t, { ...bus, DOCKER_HOST: engine.host, MUSTER_DATA: data });
    t.is(full.code, 1);
    t.deepEqual(wrongs(full), ['data folder', 'disk']);
    t.regex(
      full.text,
      /^✘ wrong +disk +only 0 B of 64 MiB \(0 %\) are free for \S+: images and sessions have no room → docker /m,
    );
    t.regex(full.text, /^✘ wrong +data folder +no space is left on the disk of \S+ → free some/m);
    t.regex(full.text, /: 2 things keep sessions from running here/);

    process.kill(engine.dockerdPid, 'SIGKILL');
    const down = await check(t, { ...bus, DOCKER_HOST: engine.host });
    t.is(down.code, 1);
    t.deepEqual(wrongs(down), ['engine']);
    t.regex(down.text, /^✘ wrong +engine +(nobody listens at|there is no socket) .*→ sudo systemctl start docker/m);
    t.regex(down.text, /^✔ ok +bus /m, 'it hides nothing else');
  },
);

test('a wrong password and a file that others may read have their sentences, and hide nothing', async (t) => {
  const bus = await usedBus(t);
  const file = join(await temporaryFolder(t), 'agent.env');
  await writeFile(file, `MUSTER_NATS_URL=${bus['MUSTER_NATS_URL']}\nMUSTER_NATS_APP_PASSWORD=wrong\n`);
  await chmod(file, 0o644);
  const settings = {
    MUSTER_CONFIG: file,
    MUSTER_DATA: bus['MUSTER_DATA'] ?? '',
    DOCKER_HOST: 'unix:///nowhere/docker.sock',
  };
  const said = await check(t, settings);
  t.is(said.code, 1);
  t.deepEqual(wrongs(said), ['configuration', 'engine', 'bus']);
  t.true(
    said.text.includes(
      `${file} is open to others than its owner (mode 0644), and it holds a password: chmod 600 ${file}`,
    ),
  );
  t.regex(said.text, /^✘ wrong +bus +\S+ refuses the password of the user muster-app → set MUSTER_NATS_APP_PASSWORD/m);
  t.regex(said.text, /^✘ wrong +engine +there is no socket \/nowhere\/docker\.sock/m);
  await chmod(file, 0o600);
  t.deepEqual(wrongs(await check(t, { ...settings, MUSTER_NATS_APP_PASSWORD: APP_PASSWORD })), ['engine']);
});

test('a bus that says nothing is told in time, with progress, while everything else is told as well', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  const env = {
    PATH: await temporaryFolder(t),
    MUSTER_NATS_URL: `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    MUSTER_NATS_APP_PASSWORD: 'p',
    DOCKER_HOST: 'unix:///nowhere/docker.sock',
    MUSTER_DATA: await temporaryFolder(t),
  };
  const begun = performance.now();
  const said = await runCommand(process.execPath, [MUSTER, 'agent', 'check'], { env });
  t.true(performance.now() - begun < 20_000);
  t.is(said.code, 1);
  t.regex(said.stdout, /^✘ wrong +bus +\S+ does not answer as a nats-server/m);
  t.regex(said.stdout, /^✔ ok +data folder +/m);
  t.regex(said.stderr, /^still looking at bus \(1 s\)$/m);
});

test('a driver that does not fit its own library is told in its own words', async (t) => {
  const bin = await temporaryFolder(t);
  const driver = '#!/bin/sh\necho "Failed to initialize NVML: Driver/library version mismatch"\nexit 18\n';
  await writeFile(join(bin, 'nvidia-smi'), driver, { mode: 0o755 });
  const said = await check(t, { PATH: bin, DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  t.deepEqual(wrongs(said), ['engine', 'GPUs']);
  t.regex(said.text, /^✘ wrong +GPUs +nvidia-smi ended with 18: .*version mismatch.* → sudo dmesg/m);
});

test('wrong usage of the agent ends with 2 and says what there is', async (t) => {
  const run = (...words: string[]) => runCommand(process.execPath, [MUSTER, 'agent', ...words]);
  const misused = await run('chekc');
  t.is(misused.code, 2);
  t.regex(misused.stderr, /there is no "muster agent chekc"[\s\S]*muster agent check \[--json\]/);
  const help = await run('--help');
  t.is(help.code, 0);
  t.regex(help.stdout, /muster agent check \[--json\] +tell what is wrong with this host/);
});
