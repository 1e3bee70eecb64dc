import { setImmediate as turn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Bug } from './simulation/bugs.ts';
import { FAULT_NAMES, type FaultName } from './simulation/faults.ts';
import { liveBytes } from './simulation/liveBytes.ts';
import { drawPlan, type Wishes } from './simulation/plan.ts';
import { sourcesOf } from './simulation/random.ts';
import { REGRESSIONS } from './simulation/regressions.ts';
import { replayCommand, runSimulation, SimulationFailed } from './simulation/run.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
const OF_SESSIONS = ['SessionPlaced', 'SessionWaiting', 'SessionEnded', 'SessionStartFailed', 'AgentWentMissing'];
const OF_IDENTITY = ['AgentApproved', 'AgentRevoked', 'AgentLeft', 'AgentRemoved', 'ManagerTokenRevoked'];
/** Each planted bug must be found within so many worlds. */
const WORLDS_TO_FIND = 200;

// One at a time: the runs share the processor, and a deliberate bug must not reach another run.
const serial = test.serial;

serial(
  'in 20 worlds every invariant holds after every step, and in the calm after the storm everything settles',
  async (t) => {
    const events = new Set<string>();
    for (const seed of SEEDS) {
      const { events: seen } = await runSimulation({ seed });
      for (const type of seen.keys()) events.add(type);
    }
    for (const type of [...OF_SESSIONS, ...OF_IDENTITY]) t.true(events.has(type), `no world had a ${type}`);
  },
);

serial('worlds that once found something hold', async (t) => {
  for (const { found, ...options } of REGRESSIONS) {
    await t.notThrowsAsync(runSimulation(options), found);
  }
});

serial('the same seed gives the same log, and another seed another one', async (t) => {
  const hashes = [];
  for (const seed of [5, 6, 5, 6]) hashes.push((await runSimulation({ seed })).logHash);
  t.is(hashes[0], hashes[2]);
  t.is(hashes[1], hashes[3]);
  t.not(hashes[0], hashes[1]);
});

serial('nothing keeps a world that is over', async (t) => {
  const refs: WeakRef<object>[] = [];
  for (const seed of SEEDS.slice(0, 8)) {
    await runSimulation({ seed, onStep: (step, world) => step === 1 && refs.push(new WeakRef(world)) });
  }
  // What a reference was made or asked for in a turn stays for that turn.
  await turn();
  liveBytes();
  t.is(refs.length, 8);
  t.deepEqual(
    refs.map((ref) => ref.deref() === undefined),
    refs.map(() => true),
  );
});

test('every fault is in some of the first hundred worlds and lacks in others', (t) => {
  const plans = Array.from({ length: 100 }, (_, seed) => drawPlan(sourcesOf(seed), {}));
  for (const name of FAULT_NAMES) {
    const having = plans.filter(({ faults }) => faults[name] > 0).length;
    t.true(having > 0 && having < 100, `${name} is in ${having} of 100 worlds`);
  }
});

test('leaving faults away changes neither the fleet nor the faults that are left', (t) => {
  const only: readonly FaultName[] = ['delay', 'agent crash'];
  for (const seed of SEEDS) {
    const whole = drawPlan(sourcesOf(seed), { only: FAULT_NAMES });
    const part = drawPlan(sourcesOf(seed), { only });
    t.deepEqual({ ...part, faults: null }, { ...whole, faults: null });
    for (const name of only) t.is(part.faults[name], whole.faults[name]);
  }
});

/** In worlds that have what they are about, and as little else as can be. */
const OPEN = { identity: false };
const GUARDED = { identity: true };
const PLANTED: readonly (readonly [Bug, string, Wishes])[] = [
  [Bug.ignoreExpected, 'a log that takes a commit whatever it holds', OPEN],
  [Bug.ackFirst, 'an answer before the log has it', OPEN],
  [Bug.releaseOnStop, 'a rule that gives a claim back at the stop, without evidence', OPEN],
  [Bug.releaseOnTimeout, 'a rule that gives a claim back after a time, without evidence', OPEN],
  [Bug.ignoreApplied, 'a check-in that is believed whatever it has applied', OPEN],
  [Bug.skipWakeUp, 'a waiting line that is not looked at when a claim is released', OPEN],
  [Bug.startTwice, 'an agent that forgets what it has started', OPEN],
  [Bug.obeyNothing, 'an agent that takes a missing document for an empty one', OPEN],
  [Bug.hearRevoked, 'a gateway that hears revoked agents', GUARDED],
  [Bug.admitRevoked, 'a door that lets revoked agents in', GUARDED],
  [Bug.tokenByPrefix, 'a manager token of which only the beginning is compared', GUARDED],
];

for (const [bug, what, wishes] of PLANTED) {
  serial(`${what} is found`, async (t) => {
    const { error, worlds } = await firstFailure(bug, wishes);
    t.log(`found in world ${worlds}: ${error?.message.split('\n')[0] ?? 'nothing'}`);
    t.truthy(error, `${WORLDS_TO_FIND} worlds did not find it`);
    await t.notThrowsAsync(runSimulation({ seed: worlds, ...wishes }), 'and without it that world holds');
  });
}

serial('a run that fails says where, and how to see it again', async (t) => {
  const error = await t.throwsAsync(failing(t), { instanceOf: SimulationFailed });
  t.regex(
    error?.message ?? '',
    /^seed \d+, step \d+, 2026-01-01T.*Z: every claim is released exactly once, by evidence: /,
  );
  t.regex(error?.message ?? '', /npm run sim -- --seed \d+ --agents 3 --only 'delay,lost ack' --verbose$/);
  t.is(replayCommand({ seed: 7 }), 'npm run sim -- --seed 7 --verbose');
});

async function failing(t: ExecutionContext): Promise<void> {
  for (const seed of SEEDS)
    await runSimulation({ seed, agents: 3, only: ['delay', 'lost ack'], bug: Bug.releaseOnStop });
  t.fail('nothing failed');
}

async function firstFailure(
  bug: Bug,
  wishes: Wishes,
): Promise<{ readonly error: SimulationFailed | null; readonly worlds: number }> {
  for (let seed = 1; seed <= WORLDS_TO_FIND; seed += 1) {
    try {
      await runSimulation({ seed, bug, ...wishes });
    } catch (error) {
      if (error instanceof SimulationFailed) return { error, worlds: seed };
      throw error;
    }
  }
  return { error: null, worlds: WORLDS_TO_FIND };
}
