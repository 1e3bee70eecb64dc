import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { EngineError, EngineErrorCode } from '../agent/engine/errors.ts';
import type { OutputWanted } from '../agent/engine/port.ts';
import { OutputDesk } from '../agent/outputDesk.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import type { OutputEnd, OutputLine } from '../domain/output.ts';
import { answerWithOutput, hearOutputCalls, type OutputAnswer } from '../infra/bus/outputCalls.ts';
import { realClock } from '../infra/clock.ts';
import { quietLog } from './support/agentRig.ts';
import { ADMIN_KEY, startGateway, type ProblemBody, type StartAnswer, type TestGateway } from './support/gateway.ts';
import { openStream } from './support/sse.ts';
import { until } from './support/until.ts';

/** A line of a session that prints one a second. */
function line(second: number, text = `line ${second}`): OutputLine {
  return { at: `2026-11-27T10:00:${String(second).padStart(2, '0')}.000000000Z`, from: 'stdout', text, goesOn: false };
}

type Read = (wanted: OutputWanted, signal: AbortSignal) => Promise<AsyncIterable<readonly OutputLine[]>>;

/** A gateway with an agent that has one running session, whose output `read` gives; null: it knows no such calls. */
async function rig(t: ExecutionContext, read: Read | null) {
  const muster = await startGateway(t);
  const agent = await muster.agentOnline({ agentId: 'host-1', cores: 4, memoryGib: 8 });
  await muster.defineImage('notebook');
  const { body } = await muster.request('POST', '/sessions', { body: { imageId: 'notebook' } });
  const { sessionId } = (body as StartAnswer).session;
  await until('running', muster.sessions, ([session]) => session?.phase === 'running');
  const bus = await muster.nats.connect('app');
  const desk = new OutputDesk({
    clock: realClock,
    log: quietLog,
    logId: () => agent.document()?.logId ?? null,
    read: read ?? (() => Promise.reject(new Error('not asked'))),
    answer: (callId, answer) => answerWithOutput(bus, 'host-1', callId, answer),
  });
  if (read !== null)
    hearOutputCalls(
      bus,
      'host-1',
      (call) => call !== null && desk.take(call),
      (error) => t.fail(error.message),
    );
  await bus.connection.flush();
  t.teardown(() => desk.close());
  return { muster, sessionId, desk, path: `/sessions/${sessionId}/logs` };
}

async function* given(...lines: readonly OutputLine[]): AsyncGenerator<readonly OutputLine[]> {
  yield lines;
}

const follow = (muster: TestGateway, path: string, headers: Readonly<Record<string, string>> = {}) =>
  openStream(`${muster.url}/api/v1${path}${path.includes('?') ? '&' : '?'}follow=true`, headers);

test('what a session has printed is told as text, with the time before each line when it is asked for', async (t) => {
  const asked: OutputWanted[] = [];
  const long = { ...line(3, 'a long '), goesOn: true };
  const { muster, path, sessionId } = await rig(t, (wanted) => {
    asked.push(wanted);
    return Promise.resolve(given(line(1), line(2), long, line(4, 'line')));
  });
  const plain = await muster.request('GET', path);
  t.is(plain.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.is(plain.body, 'line 1\nline 2\na long line\n');
  const timed = await muster.request('GET', `${path}?tail=3&timestamps=true&after=2026-11-27T10:00:00Z`);
  t.true(String(timed.body).startsWith('2026-11-27T10:00:01.000000000Z line 1\n'));
  t.true(String(timed.body).endsWith('2026-11-27T10:00:03.000000000Z a long line\n'));
  t.like(asked[0], { sessionId, tail: 100, after: null, follow: false });
  t.like(asked[1], { sessionId, tail: 3, after: '2026-11-27T10:00:00.000000000Z', follow: false });
  t.is((await muster.request('GET', `${path}?tail=5001`)).status, 400);
});

test('output is followed as events, goes on where it was left, and says why it ends', async (t) => {
  const asked: OutputWanted[] = [];
  const { muster, path, desk } = await rig(t, (wanted) => {
    asked.push(wanted);
    return Promise.resolve(given(line(1), line(2)));
  });
  const stream = await follow(muster, path);
  const lines = await stream.next();
  t.deepEqual([lines.event, lines.id], ['lines', line(2).at]);
  t.deepEqual(lines.data, [line(1), line(2)]);
  const { event, data } = await stream.next();
  t.is(event, 'end');
  t.is((data as OutputEnd).code, 'CONTAINER_ENDED');
  t.true(await stream.ended());
  t.is(desk.readings, 0);
  await (await follow(muster, path, { 'last-event-id': lines.id })).next();
  t.is(asked[1]?.after, line(2).at);
});

test('whoever reads slowly slows the reading, and whoever leaves ends it', async (t) => {
  let [read, closed] = [0, false];
  async function* endless(): AsyncGenerator<readonly OutputLine[]> {
    try {
      for (;;) {
        read += 1;
        yield [line(1, 'x'.repeat(16_000))];
        if (read % 10 === 0) await new Promise(setImmediate);
      }
    } finally {
      closed = true;
    }
  }
  const { muster, path, desk } = await rig(t, () => Promise.resolve(endless()));
  // By hand: a client that keeps connections would open another one for the one that is cut.
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  const slow = get(`${muster.url}/api/v1${path}?follow=true`, { headers, agent: false });
  const [response] = (await once(slow, 'response')) as [IncomingMessage];
  t.is(response.statusCode, 200);
  // It is still when it no longer reads on: by then the sockets between are full, and nothing else is.
  let before = -1;
  await until(
    'a standstill',
    async () => {
      const same = read === before;
      before = read;
      await realClock.sleep(500);
      return same;
    },
    (same) => same,
  );
  t.true(read < 2000, `${read} lines of 16 kB were read for somebody who takes none`);
  t.is(desk.readings, 1);
  slow.destroy();
  await until(
    'its end',
    async () => closed,
    (is) => is,
  );
  t.is(desk.readings, 0);
});

test('an agent that is away or too old is told within 3 s, with what to do', async (t) => {
  const { muster, path } = await rig(t, null);
  const begun = performance.now();
  const { status, body, headers } = await muster.request('GET', path);
  t.deepEqual([status, (body as ProblemBody).code], [503, 'AGENT_NO_ANSWER']);
  t.regex((body as ProblemBody).detail, /host-1 did not answer within 3 s: .*older.*update/);
  t.truthy(headers.get('retry-after'));
  t.true(performance.now() - begun < 6000);
});

test('every no has its sentence: no container yet, none any more, no engine, no such session', async (t) => {
  let code: EngineErrorCode = EngineErrorCode.containerGone;
  const { muster, path } = await rig(t, () => Promise.reject(new EngineError(code, 'The engine says so.')));
  const asked = async (of = path): Promise<readonly unknown[]> => {
    const { status, body } = await muster.request('GET', of);
    return [status, (body as ProblemBody).code, (body as ProblemBody).detail];
  };
  t.deepEqual(await asked(), [410, 'CONTAINER_GONE', 'The engine says so.']);
  code = EngineErrorCode.engineDown;
  t.deepEqual(await asked(), [503, 'ENGINE_DOWN', 'The engine says so.']);
  t.deepEqual((await asked('/sessions/none/logs')).slice(0, 2), [404, 'SESSION_UNKNOWN']);
  await muster.defineImage('big', { cores: 4 });
  const { body } = await muster.request('POST', '/sessions', { body: { imageId: 'big' } });
  const { sessionId } = (body as StartAnswer).session;
  t.deepEqual((await asked(`/sessions/${sessionId}/logs`)).slice(0, 2), [409, 'NO_CONTAINER_YET']);
});

test('of one agent only so many are read at once, and the further one is told so', async (t) => {
  const never = async function* (): AsyncGenerator<readonly OutputLine[]> {
    yield [line(1)];
    await new Promise(() => undefined);
  };
  const { muster, path } = await rig(t, () => Promise.resolve(never()));
  const streams = await Promise.all(Array.from({ length: 12 }, () => follow(muster, path)));
  for (const stream of streams) t.is(stream.status, 200);
  const { status, body } = await muster.request('GET', path);
  t.deepEqual([status, (body as ProblemBody).code], [503, 'TOO_MANY_READERS']);
  await Promise.all(streams.map((stream) => stream.close()));
});

test('lines that were lost on the way end the reading, and are never left out in silence', async (t) => {
  const { muster, path } = await rig(t, null);
  const bus = await muster.nats.connect('app');
  const answer = (callId: string, said: OutputAnswer) => answerWithOutput(bus, 'host-1', callId, said);
  hearOutputCalls(
    bus,
    'host-1',
    (call) => {
      if (call?.kind !== 'read') return;
      answer(call.callId, { kind: 'heard' });
      answer(call.callId, { kind: 'opened' });
      answer(call.callId, { kind: 'lines', number: 1, lines: [line(1)] });
      answer(call.callId, { kind: 'lines', number: 3, lines: [line(3)] });
    },
    (error) => t.fail(error.message),
  );
  await bus.connection.flush();
  const stream = await follow(muster, path);
  t.is((await stream.next()).event, 'lines');
  t.like(await stream.next(), { event: 'end', data: { code: 'LINES_LOST' } });
  await t.throwsAsync(
    muster.request('GET', path),
    undefined,
    'a text breaks off: half of it must not pass for the whole',
  );
});

test('a gateway that stops ends what is followed', async (t) => {
  const { muster, path, desk } = await rig(t, async (_wanted, signal) => {
    return (async function* () {
      yield [line(1)];
      await realClock.sleep(60_000, signal);
    })();
  });
  const stream = await follow(muster, path);
  await stream.next();
  const stopped = muster.gateway.stop();
  t.true(await stream.ended());
  await stopped;
  await until(
    'the end of the reading',
    async () => desk.readings,
    (readings) => readings === 0,
  );
});

test('what happened to a session is told from its own commits, and of nobody else', async (t) => {
  const { muster, sessionId } = await rig(t, null);
  await muster.request('POST', '/sessions', { body: { imageId: 'notebook' } });
  await muster.request('DELETE', `/sessions/${sessionId}`, { body: { reason: 'it is over' } });
  await until('its end', muster.sessions, (sessions) => sessions.some(({ phase }) => phase === 'ended'));
  const { events, complete } = await muster.read<{ readonly events: readonly EventRow[]; readonly complete: boolean }>(
    `/sessions/${sessionId}/events`,
  );
  t.true(complete);
  t.deepEqual(
    events.map(({ type }) => type),
    ['SessionRequested', 'SessionPlaced', 'SessionStarted', 'SessionStopRequested', 'SessionEnded'],
  );
  t.deepEqual(
    events,
    (await muster.events()).filter(({ data }) => 'sessionId' in data && data.sessionId === sessionId),
  );
  t.is(events.find(({ type }) => type === 'SessionStopRequested')?.reason, 'it is over');
});
