import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { AnyEvent } from '../domain/events.ts';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import type { EventLog, LogName } from '../infra/log/port.ts';
import type { AgentView } from '../projections/views.ts';
import { dockerOf, TEST_GPU_UUIDS, type TestEngine } from './support/engine.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { descendantsOf, startMuster, type RunningMuster, type StartAnswer } from './support/muster.ts';
import { STORES } from './support/stores.ts';
import { until } from './support/until.ts';

/** The thin path through every layer, on real parts: started as an operator starts it, driven over HTTP. */

const SLEEPER = { name: 'Sleeper', reference: 'muster-test/sleeper:1', cores: 1, memory: '64MiB' };

async function define(muster: RunningMuster, imageId: string, changes: object = {}): Promise<void> {
  const { status, body } = await muster.request('PUT', `/images/${imageId}`, { ...SLEEPER, ...changes });
  if (status !== 201) throw new Error(JSON.stringify(body));
}

async function request(muster: RunningMuster, imageId: string): Promise<StartAnswer> {
  const { status, body } = await muster.request('POST', '/sessions', { imageId });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body as StartAnswer;
}

async function started(muster: RunningMuster, imageId: string): Promise<string> {
  const { session } = await request(muster, imageId);
  await muster.untilSession(session.sessionId, ({ phase }) => phase === 'running');
  return session.sessionId;
}

async function untilOnline(muster: RunningMuster): Promise<AgentView> {
  await until(
    'the agent online',
    () => muster.agents(),
    (agents) => agents.some(({ connectivity }) => connectivity === 'online'),
  );
  return await muster.agent();
}

/**
 * The devices that a container's first process was given, by its environment: the test's CDI devices each leave a variable,
 * the `nvidia` driver names them in NVIDIA_VISIBLE_DEVICES (`void`: none).
 */
async function devicesOf(engine: TestEngine, sessionId: string): Promise<readonly string[]> {
  const exec = await dockerOf(engine)
    .getContainer(sessionId)
    .exec({ Cmd: ['cat', '/proc/1/environ'], AttachStdout: true, Tty: true });
  const stream = await exec.start({ Tty: true, hijack: true });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  const variables = text
    .split('\0')
    .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)] as const);
  const named = variables.filter(([name]) => /^(MUSTER_TEST_CDI_\d+|NVIDIA_VISIBLE_DEVICES)$/.test(name));
  return named.flatMap(([, value]) => value.split(',')).filter((uuid) => uuid !== 'void');
}

async function containerExists(engine: TestEngine, sessionId: string): Promise<boolean> {
  const found = await dockerOf(engine).listContainers({ all: true, filters: { name: [`^/${sessionId}$`] } });
  return found.length > 0;
}

async function eventTypes(muster: RunningMuster, sessionId: string): Promise<readonly string[]> {
  const { body } = await muster.request('GET', '/events?limit=1000');
  const { events } = body as { readonly events: readonly AnyEvent[] };
  return events.filter(({ data }) => 'sessionId' in data && data.sessionId === sessionId).map(({ type }) => type);
}

for (const { name, start } of STORES) {
  serialEngineTest(
    `${name}: a session gets a container with exactly its devices, and stopping it releases them`,
    async (t, engine) => {
      const { env } = await start(t);
      const muster = await startMuster(t, { engineHost: engine.host, env });
      const fresh = await untilOnline(muster);
      t.is(fresh.intent, 'enabled');
      t.is(fresh.gpuCounts.schedulable, TEST_GPU_UUIDS.length);
      t.true((fresh.physical?.memoryBytes ?? 0) > 0);
      await define(muster, 'gpu-sleeper', { requireGpu: true, gpuCount: 1 });
      await define(muster, 'plain-sleeper');

      const requestedAt = performance.now();
      const { session, placement } = await request(muster, 'gpu-sleeper');
      t.is(placement.decision, 'placed');
      await muster.untilSession(session.sessionId, ({ phase }) => phase === 'running');
      const seconds = (performance.now() - requestedAt) / 1000;
      t.log(`request to running: ${seconds.toFixed(2)} s`);
      t.true(seconds < 2, `request to running took ${seconds.toFixed(2)} s`);
      const [uuid] = placement.gpuUuids;
      t.is(placement.gpuUuids.length, 1);
      const devices = await devicesOf(engine, session.sessionId);
      t.deepEqual(devices, [uuid]);
      const busy = await muster.agent();
      t.deepEqual(busy.allocated, { millicores: 1000, memoryBytes: 64 * 1024 ** 2, gpus: 1 });
      t.deepEqual(busy.gpus.find((gpu) => gpu.uuid === uuid)?.heldBy, [session.sessionId]);

      const plain = await started(muster, 'plain-sleeper');
      t.deepEqual(await devicesOf(engine, plain), []);

      await Promise.all(
        [session.sessionId, plain].map(async (sessionId) => {
          t.is((await muster.request('DELETE', `/sessions/${sessionId}`)).status, 202);
          await muster.untilSession(sessionId, ({ phase }) => phase === 'ended');
          t.false(await containerExists(engine, sessionId));
        }),
      );
      t.deepEqual((await muster.agent()).allocated, { millicores: 0, memoryBytes: 0, gpus: 0 });
      const types = await eventTypes(muster, session.sessionId);
      t.deepEqual(
        types.filter((type) => type !== 'SessionStarting'),
        ['SessionRequested', 'SessionPlaced', 'SessionStarted', 'SessionStopRequested', 'SessionEnded'],
      );
    },
  );

  serialEngineTest(`${name}: more GPUs than any agent has are refused at once, with the numbers`, async (t, engine) => {
    const { env } = await start(t);
    const muster = await startMuster(t, { engineHost: engine.host, env });
    await untilOnline(muster);
    await define(muster, 'greedy', { requireGpu: true, gpuCount: TEST_GPU_UUIDS.length + 1 });
    const { status, body } = await muster.request('POST', '/sessions', { imageId: 'greedy' });
    t.is(status, 409);
    const { code, placement } = body as StartAnswer & { readonly code: string };
    t.is(code, 'SESSION_REFUSED');
    const reason = placement.candidates[0]?.reasons.find(({ code: why }) => why === 'GPU_TOTAL_INSUFFICIENT');
    t.deepEqual(reason?.numbers, { requested: 5, detected: 4, short: 1 });
    t.true(reason?.never);
  });

  serialEngineTest(
    `${name}: the gateway killed with SIGKILL comes back with the same state, sessions untouched`,
    async (t, engine) => {
      const store = await start(t);
      const muster = await startMuster(t, { engineHost: engine.host, env: store.env });
      await untilOnline(muster);
      await define(muster, 'sleeper');
      const sessionId = await started(muster, 'sleeper');
      const before = await muster.session(sessionId);
      const container = await dockerOf(engine).getContainer(sessionId).inspect();

      process.kill(await muster.pidOf('gateway/main.ts'), 'SIGKILL');
      await until(
        'the gateway gone',
        () => reachable(muster),
        (up) => !up,
      );
      await until(
        'the gateway back',
        () => reachable(muster),
        (up) => up,
      );

      t.deepEqual(await muster.session(sessionId), before);
      const after = await dockerOf(engine).getContainer(sessionId).inspect();
      t.is(after.State.StartedAt, container.State.StartedAt);
      const log = store.openLog(await busOf(t, muster));
      t.true((await verifiedCommits(log, 'zone-default')) > 0);
      t.true((await verifiedCommits(log, 'fleet')) > 0);
      t.is((await muster.request('DELETE', `/sessions/${sessionId}`)).status, 202);
      await muster.untilSession(sessionId, ({ phase }) => phase === 'ended');
    },
  );

  serialEngineTest(
    `${name}: SIGTERM ends every process, leaves sessions running, and the next start finds them`,
    async (t, engine) => {
      const { env } = await start(t);
      const first = await startMuster(t, { engineHost: engine.host, env });
      await untilOnline(first);
      await define(first, 'sleeper');
      const sessionId = await started(first, 'sleeper');
      const processes = await descendantsOf(first.program.pid);
      t.true(processes.length >= 4);
      first.program.kill('SIGTERM');
      t.is((await first.program.ended).code, 0);
      for (const pid of processes) await t.throwsAsync(access(`/proc/${pid}/status`));
      t.true((await dockerOf(engine).getContainer(sessionId).inspect()).State.Running);

      const second = await startMuster(t, { engineHost: engine.host, env, dataDir: first.dataDir });
      await untilOnline(second);
      t.is((await second.session(sessionId)).phase, 'running');
      await second.request('DELETE', `/sessions/${sessionId}`);
      await second.untilSession(sessionId, ({ phase }) => phase === 'ended');
      t.false(await containerExists(engine, sessionId));
    },
  );
}

async function reachable(muster: RunningMuster): Promise<boolean> {
  return await fetch(`${muster.url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** Muster's own bus, in the account of the event logs. */
async function busOf(t: ExecutionContext, muster: RunningMuster): Promise<Bus> {
  const secrets: unknown = JSON.parse(await readFile(join(muster.dataDir, 'bus.json'), 'utf8'));
  const { logPassword } = secrets as { readonly logPassword: string };
  const [, port = ''] = /port (\d+)\)/.exec(muster.program.output()) ?? [];
  const url = `nats://127.0.0.1:${port}`;
  const signal = AbortSignal.timeout(5000);
  const bus = await connectBus({ url, user: 'muster-log', password: logPassword, name: 'audit', signal });
  t.teardown(() => bus.close());
  return bus;
}

/** Reads a log past the gateway, as an auditor would; reading verifies the hash chain and throws at a break. */
async function verifiedCommits(log: EventLog, name: LogName): Promise<number> {
  let commits = 0;
  for await (const stored of log.read(name, 0)) commits = stored.commit.version;
  return commits;
}
