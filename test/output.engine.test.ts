import type { ExecutionContext } from 'ava';
import type { Engine, OutputWanted } from '../agent/engine/port.ts';
import type { OutputEnd, OutputLine } from '../domain/output.ts';
import { BUSYBOX_IMAGE } from './support/engineImages.ts';
import { sessionBench } from './support/engineSessions.ts';
import { dockerOf, type TestEngine } from './support/engine.ts';
import { engineTest, serialEngineTest } from './support/engineTest.ts';
import { startMuster, type RunningMuster, type StartAnswer } from './support/muster.ts';
import { startProgram } from './support/program.ts';
import { openStream, type TestStream } from './support/sse.ts';
import { until } from './support/until.ts';

/** What sessions print, on a real engine: from the container to whoever reads it. */

const PRINTS = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done';

async function all(engine: Engine, wanted: OutputWanted): Promise<readonly OutputLine[]> {
  const lines: OutputLine[] = [];
  for await (const part of await engine.output(wanted, new AbortController().signal)) lines.push(...part);
  return lines;
}

engineTest(
  'the last lines of a session are read with their times, both what it says and what it complains of',
  async (t, { host }) => {
    const { engine, logId, spec, output, view } = sessionBench(t, { host });
    const session = spec('for i in 1 2 3 4 5; do echo line $i; done; sleep 0.2; echo trouble >&2; printf "no end"');
    await output(session);
    const wanted = { logId, sessionId: session.sessionId, tail: 100, after: null, follow: true };
    const lines = await all(engine, wanted);
    t.deepEqual(lines.map(({ text }) => text).toSorted(), [
      'line 1',
      'line 2',
      'line 3',
      'line 4',
      'line 5',
      'no end',
      'trouble',
    ]);
    t.is(lines.find(({ text }) => text === 'trouble')?.from, 'stderr');
    t.true(lines.find(({ text }) => text === 'no end')?.goesOn);
    t.regex(lines[0]?.at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    const { at = null } = lines.find(({ text }) => text === 'line 5') ?? {};
    t.deepEqual((await all(engine, { ...wanted, after: at, follow: false })).map(({ text }) => text).toSorted(), [
      'no end',
      'trouble',
    ]);
    t.is((await all(engine, { ...wanted, tail: 1, follow: false })).length, 1);
    t.is((await view(session.sessionId)).status, 'exited');
  },
);

engineTest('no container is read but that of this session and this log', async (t, { host }) => {
  const { engine, logId, spec } = sessionBench(t, { host });
  const session = spec(PRINTS);
  await engine.start(session);
  const wanted = { logId, sessionId: session.sessionId, tail: 10, after: null, follow: false };
  await t.notThrowsAsync(all(engine, wanted));
  await t.throwsAsync(all(engine, { ...wanted, logId: 'another' }), { code: 'CONTAINER_GONE' });
  await t.throwsAsync(all(engine, { ...wanted, sessionId: 'another' }), { code: 'CONTAINER_GONE' });
  const docker = dockerOf({ host });
  const foreign = await docker.createContainer({ Image: BUSYBOX_IMAGE, name: `foreign-${logId}`, Cmd: ['true'] });
  t.teardown(() => foreign.remove({ force: true }));
  for (const sessionId of [`foreign-${logId}`, foreign.id])
    await t.throwsAsync(all(engine, { ...wanted, sessionId }), { code: 'CONTAINER_GONE' });
});

engineTest('a container that prints without end is read no faster than somebody takes it', async (t, { host }) => {
  const { engine, logId, spec } = sessionBench(t, { host });
  const session = spec('yes a line of output that goes on and on');
  await engine.start(session);
  const end = new AbortController();
  const wanted = { logId, sessionId: session.sessionId, tail: 5000, after: null, follow: true };
  const output = (await engine.output(wanted, end.signal))[Symbol.asyncIterator]();
  let largest = 0;
  const before = process.memoryUsage().rss;
  for (let taken = 0; taken < 200; taken += 1) {
    const { value } = await output.next();
    largest = Math.max(largest, (value as readonly OutputLine[]).length);
  }
  t.true(largest < 10_000, `${largest} lines at once`);
  t.true(process.memoryUsage().rss - before < 128 * 1024 ** 2);
  end.abort();
  t.true((await output.next()).done, 'and it ends at once');
});

interface Followed {
  readonly muster: RunningMuster;
  readonly sessionId: string;
  readonly follow: (headers?: Readonly<Record<string, string>>) => Promise<TestStream>;
}

async function followed(t: ExecutionContext, engine: TestEngine, script: string): Promise<Followed> {
  const muster = await startMuster(t, { engineHost: engine.host, env: { MUSTER_CHECKIN_SECONDS: '1' } });
  await until(
    'the agent online',
    () => muster.agents(),
    ([agent]) => agent?.connectivity === 'online',
  );
  const image = {
    name: 'Printer',
    reference: BUSYBOX_IMAGE,
    cores: 1,
    memory: '64MiB',
    command: ['/bin/sh', '-c', script],
  };
  t.is((await muster.request('PUT', '/images/printer', image)).status, 201);
  const { body } = await muster.request('POST', '/sessions', { imageId: 'printer' });
  const { sessionId } = (body as StartAnswer).session;
  await muster.untilSession(sessionId, ({ phase }) => phase === 'running');
  return {
    muster,
    sessionId,
    follow: (headers = {}) =>
      openStream(`${muster.url}/api/v1/sessions/${sessionId}/logs?follow=true`, {
        authorization: `Bearer ${muster.key}`,
        ...headers,
      }),
  };
}

const isLines = ({ event }: { readonly event: string }): boolean => event === 'lines';
const endOf = async (stream: TestStream): Promise<OutputEnd> =>
  (await stream.until(({ event }) => event === 'end')).data as OutputEnd;

serialEngineTest(
  'output is followed through the loss of agent and gateway, and ends with the container',
  async (t, engine) => {
    const { muster, sessionId, follow } = await followed(t, engine, PRINTS);
    const first = await follow();
    const { id, data } = await first.until(isLines);
    t.regex((data as readonly OutputLine[])[0]?.text ?? '', /^line \d+$/);

    process.kill(await muster.pidOf('agent/main.ts'), 'SIGKILL');
    t.is((await endOf(first)).code, 'AGENT_SILENT');
    const again = await until(
      'the agent back',
      () => follow({ 'last-event-id': id }),
      ({ status }) => status === 200,
    );
    const [next] = (await again.until(isLines)).data as readonly OutputLine[];
    const last = (data as readonly OutputLine[]).at(-1)?.text.split(' ')[1];
    t.is(next?.text, `line ${Number(last) + 1}`, 'it goes on exactly where it was left');

    process.kill(await muster.pidOf('gateway/main.ts'), 'SIGKILL');
    await t.throwsAsync(endOf(again), undefined, 'the connection breaks');
    const third = await until(
      'the gateway back',
      () => follow().catch(() => null),
      (stream) => stream?.status === 200,
    );
    await third?.until(isLines);

    await dockerOf(engine).getContainer(sessionId).kill();
    t.is((await endOf(third ?? again)).code, 'CONTAINER_ENDED');
    await muster.untilSession(sessionId, ({ phase }) => phase === 'ended');
    const over = await follow();
    t.is(over.status, 410);
  },
);

serialEngineTest('the command line prints what a session has printed, and follows it to its end', async (t, engine) => {
  const { muster, sessionId } = await followed(t, engine, 'echo first; echo trouble >&2; sleep 3; echo last');
  const run = (...args: readonly string[]) =>
    startProgram(t, process.execPath, ['infra/run.mjs', 'gateway/cli/main.ts', 'sessions', 'logs', ...args], {
      env: { MUSTER_HTTP: new URL(muster.url).host, MUSTER_ADMIN_KEY: muster.key },
    });
  const following = run(sessionId, '-f', '-n', '10');
  await following.says(/first/);
  const once = run(sessionId, '--timestamps');
  t.is((await once.ended).code, 0, once.output());
  t.regex(once.stdout(), /^\d{4}-\S+Z first$/m);
  t.is((await following.ended).code, 0, following.output());
  t.deepEqual(following.stdout().split('\n').toSorted(), ['', 'first', 'last', 'trouble']);
  await muster.untilSession(sessionId, ({ phase }) => phase === 'ended');
  const gone = run(sessionId);
  t.not((await gone.ended).code, 0);
  t.regex(gone.output(), /not there any more.* removed when its session has ended/);
});
