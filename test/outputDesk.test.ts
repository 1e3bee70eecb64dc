import test from 'ava';
import { EngineError, EngineErrorCode } from '../agent/engine/errors.ts';
import type { OutputWanted } from '../agent/engine/port.ts';
import { OutputDesk } from '../agent/outputDesk.ts';
import type { OutputLine } from '../domain/output.ts';
import type { OutputAnswer, OutputCall } from '../infra/bus/outputCalls.ts';
import { agentRig, quietLog } from './support/agentRig.ts';
import { desired, specOf, wanted } from './support/desired.ts';
import { manualClock } from './support/manualClock.ts';

const CALL: Extract<OutputCall, { kind: 'read' }> = {
  kind: 'read',
  callId: 'call-1',
  logId: 'log-1',
  sessionId: 's-1',
  tail: 10,
  after: null,
  follow: true,
  credit: 2,
};

const line = (text: string): OutputLine => ({ at: null, from: 'stdout', text, goesOn: false });

/** A desk whose containers print a line whenever they are asked for one, and count how often that is. */
function deskRig(read?: (wanted: OutputWanted) => Promise<AsyncIterable<readonly OutputLine[]>>) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const answers: OutputAnswer[] = [];
  const asked = { lines: 0, closed: 0 };
  async function* endless(): AsyncGenerator<readonly OutputLine[]> {
    try {
      for (;;) yield [line(`line ${(asked.lines += 1)}`)];
    } finally {
      asked.closed += 1;
    }
  }
  const desk = new OutputDesk({
    clock,
    log: quietLog,
    logId: () => 'log-1',
    read: read ?? (() => Promise.resolve(endless())),
    answer: (_callId, answer) => answers.push(answer),
  });
  return { clock, desk, answers, asked, kinds: () => answers.map(({ kind }) => kind) };
}

test('an agent reads on only as far as the gateway has room, so that a slow reader slows the reading', async (t) => {
  const { clock, desk, answers, asked, kinds } = deskRig();
  desk.take(CALL);
  await clock.advance(1);
  t.deepEqual(kinds(), ['heard', 'opened', 'lines', 'lines']);
  t.is(asked.lines, 3, 'one is read ahead, and waits');
  desk.take({ kind: 'credit', callId: 'call-1', credit: 2 });
  await clock.advance(1);
  t.is(answers.length, 4, 'the same credit is no further room');
  desk.take({ kind: 'credit', callId: 'call-1', credit: 4 });
  await clock.advance(1);
  t.deepEqual(
    answers.flatMap((answer) => (answer.kind === 'lines' ? [answer.number] : [])),
    [1, 2, 3, 4],
  );
  desk.take({ kind: 'stop', callId: 'call-1' });
  await clock.advance(1);
  t.is(desk.readings, 0);
  t.is(asked.closed, 1, 'the container is read no more');
});

test('a gateway that falls silent ends the reading; one that only waits does not', async (t) => {
  const { clock, desk, asked, kinds } = deskRig();
  desk.take(CALL);
  for (let seconds = 0; seconds < 60; seconds += 5) {
    await clock.advance(5000);
    desk.take({ kind: 'credit', callId: 'call-1', credit: 2 });
  }
  t.is(desk.readings, 1);
  t.true(kinds().filter((kind) => kind === 'alive').length >= 10, 'and it hears that the agent is there');
  await clock.advance(30_000);
  t.is(desk.readings, 0);
  t.is(asked.closed, 1);
});

test('a call for another log is refused without a look at the engine', async (t) => {
  const { clock, desk, answers, asked } = deskRig();
  desk.take({ ...CALL, logId: 'log-2' });
  await clock.advance(1);
  t.like(answers.at(-1), { kind: 'end', number: 1, end: { code: 'OTHER_LOG' } });
  t.is(asked.lines, 0);
});

test('only so many are read at once, and an agent that ends tells those that read', async (t) => {
  const { clock, desk, answers } = deskRig();
  for (let index = 0; index < 17; index += 1) desk.take({ ...CALL, callId: `call-${index}` });
  await clock.advance(1);
  t.is(desk.readings, 16);
  t.is(answers.filter((answer) => answer.kind === 'end' && answer.end.code === 'TOO_MANY_READERS').length, 1);
  desk.close();
  await clock.advance(1);
  t.is(desk.readings, 0);
  t.is(answers.filter((answer) => answer.kind === 'end' && answer.end.code === 'AGENT_STOPPING').length, 16);
});

for (const [code, end] of [
  [EngineErrorCode.containerGone, 'CONTAINER_GONE'],
  [EngineErrorCode.engineDown, 'ENGINE_DOWN'],
  [EngineErrorCode.timeout, 'ENGINE_DOWN'],
  [EngineErrorCode.refused, 'ENGINE_REFUSED'],
] as const) {
  test(`${code} of the engine is told as ${end}, with its sentence`, async (t) => {
    const { clock, desk, answers } = deskRig(() => Promise.reject(new EngineError(code, 'Why, and what to do.')));
    desk.take(CALL);
    await clock.advance(1);
    t.deepEqual(answers.at(-1), { kind: 'end', number: 1, end: { code: end, sentence: 'Why, and what to do.' } });
  });
}

test('an agent reads its own sessions only, and a simulated one makes lines up', async (t) => {
  const rig = agentRig();
  const { clock, bus, engine } = rig;
  bus.put(desired(1, [wanted('s-1')]));
  engine.plant(specOf('s-2', 'of-another'), 'running');
  const stop = rig.start();
  await clock.advance(5000);
  const { logId } = desired(1, []);
  bus.call({ ...CALL, logId, credit: 100 });
  await clock.advance(7000);
  const lines = bus.answers.flatMap((answer) => (answer.kind === 'lines' ? answer.lines : []));
  t.is(lines[0]?.text, 'simulated session: this output is made up');
  t.true(lines.length >= 4, `${lines.length} lines`);
  bus.call({ ...CALL, callId: 'call-2', logId, sessionId: 's-2' });
  await clock.advance(100);
  const ends = (): readonly string[] =>
    bus.answers.flatMap((answer) => (answer.kind === 'end' ? [answer.end.code] : []));
  t.deepEqual(ends(), ['CONTAINER_GONE']);
  engine.exit('s-1', 0);
  await clock.advance(4000);
  t.deepEqual(ends(), ['CONTAINER_GONE', 'CONTAINER_ENDED']);
  await stop();
});
