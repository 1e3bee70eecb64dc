import test from 'ava';
import type { CheckIn, ObservedSession } from '../domain/checkIn.ts';
import { isControllerUnavailable } from '../gateway/controller/machine.ts';
import { Core } from '../gateway/core/core.ts';
import { isoTime } from '../infra/clock.ts';
import { decodeCommit } from '../infra/log/codec.ts';
import { createMemoryLog, type MemoryStore } from '../infra/log/memory.ts';
import { aCheckIn, aRequest, observed } from './support/builders.ts';
import { submission, ZONE_LOG } from './support/controllerRig.ts';
import { memoryCorePorts } from './support/corePorts.ts';
import { beyond } from './support/logWay.ts';
import { manualClock } from './support/manualClock.ts';

/** A gateway whose log is away while it hears its agents as always: the log may be kept elsewhere than on the bus. */

const CHECK_IN_SECONDS = 10;
const START_TIMEOUT_SECONDS = 60;
const AGENT = 'agent-1';

/** A gateway that leads, with one agent that is online and one session that has just been placed on it. */
async function house() {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const store: MemoryStore = new Map();
  const way = { isOpen: true };
  const troubles: string[] = [];
  const ports = memoryCorePorts(clock, (sentence) => troubles.push(sentence));
  const core = new Core({
    ...ports,
    eventLog: beyond(createMemoryLog(store), way),
    patience: { ...ports.patience, startTimeoutSeconds: START_TIMEOUT_SECONDS },
    approvesItself: () => true,
  });
  await core.start();
  const zone = core.zones.get('default');
  if (zone === undefined) throw new Error('there is no zone');
  let seq = 0;
  const checkIn = (sessions: readonly ObservedSession[]): CheckIn => {
    seq += 1;
    const logId = zone.replica.logId;
    const appliedVersion = zone.projection.state.agents.get(AGENT)?.desiredVersion ?? 0;
    return aCheckIn({ seq, logId, appliedVersion, sessions: [...sessions] });
  };
  const say = (sessions: readonly ObservedSession[]) => core.receive(checkIn(sessions), isoTime(clock.now()));
  /** So many seconds go by, each with its tick; every tenth the agent checks in, unless it is silent. */
  const pass = async (seconds: number, sessions: readonly ObservedSession[] | 'silent') => {
    for (let second = 1; second <= seconds; second += 1) {
      await clock.advance(1000);
      void core.tick();
      if (sessions !== 'silent' && second % CHECK_IN_SECONDS === 0) say(sessions);
    }
    await clock.advance(10);
  };
  say([]);
  await clock.advance(100);
  void core.tick();
  await clock.advance(100);
  await pass(2 * CHECK_IN_SECONDS, []);
  await zone.replica.submit(submission('request', aRequest({ sessionId: 's-1' })));
  const types = () =>
    (store.get(ZONE_LOG) ?? []).flatMap((bytes) => decodeCommit(bytes).commit.events.map(({ type }) => type));
  return { core, zone, way, troubles, pass, types };
}

const RUNNING = [observed('running', { sessionId: 's-1' })];

for (const [how, known] of [
  ['and the gateway knows it', true],
  ['and the gateway finds out by its commits', false],
] as const) {
  test(`while the log is away ${how}, nobody becomes late and nothing is withdrawn for what could not be written`, async (t) => {
    const { core, zone, way, troubles, pass, types } = await house();
    t.is(types().at(-1), 'SessionPlaced');
    way.isOpen = false;
    if (known) core.pause();
    const other = t.throwsAsync(zone.replica.submit(submission('other', aRequest({ sessionId: 's-2' }))));
    await pass(2 * CHECK_IN_SECONDS, []);
    t.true(isControllerUnavailable(await other), 'it is not waited for without end');
    await pass(5 * START_TIMEOUT_SECONDS, RUNNING);
    t.is(types().at(-1), 'SessionPlaced', 'nothing was written');
    way.isOpen = true;
    if (known) core.freshWindow();
    await pass(2 * CHECK_IN_SECONDS, RUNNING);
    t.is(zone.projection.state.agents.get(AGENT)?.connectivity, 'online');
    const since = types().slice(types().indexOf('SessionPlaced') + 1);
    t.deepEqual(since, ['SessionRequested', 'SessionPlaced', 'SessionStarted'], 'what was decided before lands');
    t.true(troubles.filter((sentence) => sentence.startsWith('a check-in')).length <= 1, 'it is told once');
  });
}

test('an agent that fell silent while the log was away is late a full window after it is back, and missing after two', async (t) => {
  const { zone, way, pass } = await house();
  const connectivity = () => zone.projection.state.agents.get(AGENT)?.connectivity;
  way.isOpen = false;
  // Something that cannot be written, by which the gateway finds out.
  await pass(CHECK_IN_SECONDS, RUNNING);
  await pass(100, 'silent');
  t.is(connectivity(), 'online');
  way.isOpen = true;
  await pass(3 * CHECK_IN_SECONDS - 5, 'silent');
  t.is(connectivity(), 'online');
  await pass(10, 'silent');
  t.is(connectivity(), 'late');
  await pass(3 * CHECK_IN_SECONDS, 'silent');
  t.is(connectivity(), 'missing');
});
