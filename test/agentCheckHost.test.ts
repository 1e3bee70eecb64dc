import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Finding } from '../agent/check/finding.ts';
import { agentBusOptions } from '../agent/bus.ts';
import { openCredential, type CredentialFiles } from '../agent/credential.ts';
import { connectBus } from '../infra/bus/connect.ts';
import { startDockerEngine } from '../infra/tools/dockerEngine.ts';
import { runCommand } from '../infra/tools/command.ts';
import { engineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';
import { agentWorld, WORLD_TOKEN } from './support/agentProcess.ts';
import { startGateway, writeManagerToken } from './support/gateway.ts';
import { fill, smallDisk } from './support/smallDisk.ts';

/** `muster agent check` on a real engine and a real bus: as an operator types it, through the command `muster`. */

const MUSTER = join(import.meta.dirname, '../gateway/cli/main.ts');
const ENGINE_DISK_MB = 64;
const AGENT_ID = 'host-1';
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

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

/** A bus that lets this agent in and answers it, and what an agent is told of it that has joined before. */
async function joinedBus(t: ExecutionContext): Promise<Readonly<Record<string, string>>> {
  const data = await temporaryFolder(t);
  const { nats } = await agentWorld(t, data);
  await openCredential(filesIn(data));
  return { MUSTER_NATS_URL: nats.url, MUSTER_DATA: data, MUSTER_AGENT_ID: AGENT_ID };
}

function filesIn(data: string): CredentialFiles {
  return { secret: join(data, 'agent', 'credential'), managerToken: join(data, 'manager.token') };
}

engineTest('where all is well the check says so and ends with 0', async (t, engine) => {
  const said = await check(t, { ...(await joinedBus(t)), DOCKER_HOST: engine.host });
  t.log(said.text);
  t.is(said.code, 0);
  t.deepEqual(wrongs(said), []);
  t.regex(said.text, /^✔ ok +engine +version \S+ \(API \S+\) at unix:/m);
  t.regex(said.text, /^✔ ok +bus +nats-server \S+ at nats:\/\/127\.0\.0\.1:\d+ lets this agent in$/m);
  t.regex(said.text, /^✔ ok +clock +\d\.\d s off the gateway's$/m);
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
    const bus = await joinedBus(t);
    await fill(disk);
    const data = join(disk, 'data');
    await mkdir(data);
    const token = { MUSTER_MANAGER_TOKEN_FILE: filesIn(bus['MUSTER_DATA'] ?? '').managerToken };
    const full = await check(t, { ...bus, ...token, DOCKER_HOST: engine.host, MUSTER_DATA: data });
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

test('a configuration file that others may read has its sentence, and hides nothing', async (t) => {
  const { MUSTER_NATS_URL = '', ...bus } = await joinedBus(t);
  const file = join(await temporaryFolder(t), 'agent.env');
  await writeFile(file, `MUSTER_NATS_URL=${MUSTER_NATS_URL}\n`);
  await chmod(file, 0o644);
  const settings = { ...bus, ...NO_ENGINE, MUSTER_CONFIG: file };
  const said = await check(t, settings);
  t.is(said.code, 1);
  t.deepEqual(wrongs(said), ['configuration', 'engine']);
  t.true(
    said.text.includes(
      `${file} is open to others than its owner (mode 0644), and it may hold a password: chmod 600 ${file}`,
    ),
  );
  t.regex(said.text, /^✘ wrong +engine +there is no socket \/nowhere\/docker\.sock/m);
  t.regex(said.text, /^✔ ok +bus /m);
  await chmod(file, 0o600);
  t.deepEqual(wrongs(await check(t, settings)), ['engine']);
});

test('what an agent has to show the bus is checked before the bus is asked', async (t) => {
  const data = await temporaryFolder(t);
  const { managerToken } = filesIn(data);
  // Nobody is there to be asked.
  const settings = { ...NO_ENGINE, MUSTER_NATS_URL: 'nats://127.0.0.1:1', MUSTER_DATA: data };
  const said = async (): Promise<string> => {
    const one = await check(t, settings);
    t.true(wrongs(one).includes('bus'));
    return one.text;
  };
  t.regex(await said(), /^✘ wrong +bus +there is no manager token in \S+manager\.token: .*→ .*manager-token issue/m);
  await writeFile(managerToken, `${WORLD_TOKEN}\n`);
  await chmod(managerToken, 0o640);
  t.regex(await said(), /^✘ wrong +bus +\S+ is open to others than its owner \(mode 0640\): chmod 600 \S+token/m);
  await writeFile(managerToken, 'a password\n');
  await chmod(managerToken, 0o600);
  t.regex(await said(), /^✘ wrong +bus +what stands in \S+ is no manager token/m);
  await writeFile(managerToken, `${WORLD_TOKEN}\n`);
  t.regex(await said(), /^✘ wrong +bus +nobody listens at nats:\/\/127\.0\.0\.1:1 /m);
});

test('from a stranger to an approved agent, one that was revoked and one without a gateway, a real gateway says how it stands', async (t) => {
  const muster = await startGateway(t);
  const data = await temporaryFolder(t);
  const files = filesIn(data);
  await writeManagerToken(muster, files.managerToken);
  const settings = { ...NO_ENGINE, MUSTER_NATS_URL: muster.nats.url, MUSTER_DATA: data, MUSTER_AGENT_ID: AGENT_ID };
  const said = async (): Promise<string> => (await check(t, settings)).text;

  t.regex(await said(), /^✔ ok +bus +a nats-server answers at \S+; whether it lets this agent in shows when/m);
  t.deepEqual(await muster.agents(), [], 'a check is no reason to join');

  const credential = await openCredential(files);
  const host = { hostname: 'host-1', simulated: false };
  const signal = AbortSignal.timeout(30_000);
  const where = { url: muster.nats.url, tls: {} };
  const bus = await connectBus({ ...agentBusOptions(where, AGENT_ID, host, credential), signal });
  await bus.close();
  const pending = await said();
  t.regex(pending, /^! warning +bus +nats-server \S+ at \S+ let this agent in, which waits for its approval → /m);
  t.true(pending.includes(`approve it: ${credential.fingerprint}\n`));
  t.regex(pending, /^! warning +clock +not compared/m);

  const approval = { body: { fingerprint: credential.fingerprint } };
  t.is((await muster.request('POST', `/agents/${AGENT_ID}/approve`, approval)).status, 200);
  const approved = await said();
  t.regex(approved, /^✔ ok +bus +nats-server \S+ at \S+ lets this agent in$/m);
  t.regex(approved, /^✔ ok +clock +\d\.\d s off the gateway's$/m);

  t.is((await muster.request('POST', `/agents/${AGENT_ID}/revoke`, { body: { reason: 'sold' } })).status, 200);
  const refused = /^✘ wrong +bus +\S+ does not let this agent in → see that a gateway runs.*was not revoked$/m;
  t.regex(await said(), refused);
  await muster.gateway.stop();
  t.regex(await said(), refused);
});

test('a bus that says nothing is told in time, with progress, while everything else is told as well', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  t.teardown(() => silent.close());
  await once(silent, 'listening');
  const env = {
    PATH: await temporaryFolder(t),
    MUSTER_NATS_URL: `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    ...NO_ENGINE,
    MUSTER_DATA: await temporaryFolder(t),
  };
  await writeFile(filesIn(env.MUSTER_DATA).managerToken, `${WORLD_TOKEN}\n`, { mode: 0o600 });
  const begun = performance.now();
  const said = await runCommand(process.execPath, [MUSTER, 'agent', 'check'], { env });
  t.true(performance.now() - begun < 30_000);
  t.is(said.code, 1);
  t.regex(said.stdout, /^✘ wrong +bus +\S+ does not answer as a nats-server/m);
  t.regex(said.stdout, /^✔ ok +data folder +/m);
  t.regex(said.stderr, /^still looking at .*bus \(1 s\)$/m);
});

test('a driver that does not fit its own library is told in its own words', async (t) => {
  const bin = await temporaryFolder(t);
  const driver = '#!/bin/sh\necho "Failed to initialize NVML: Driver/library version mismatch"\nexit 18\n';
  await writeFile(join(bin, 'nvidia-smi'), driver, { mode: 0o755 });
  const said = await check(t, { PATH: bin, ...NO_ENGINE });
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
