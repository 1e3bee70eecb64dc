import test, { type ExecutionContext } from 'ava';
import { runSimulation, SimulationFailed } from './simulation/run.ts';
import { Bug } from './simulation/world.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
const SIZE = { steps: 150, agents: 5 };

// One at a time: the runs share the processor, and a deliberate bug must not reach another run.
const serial = test.serial;

serial(
  'in 20 storms every invariant holds after every step, and in the calm after them everything settles',
  async (t) => {
    const events = new Set<string>();
    for (const seed of SEEDS) {
      const result = await runSimulation({ seed, ...SIZE });
      for (const type of result.events.keys()) events.add(type);
    }
    for (const type of ['SessionPlaced', 'SessionWaiting', 'SessionEnded', 'SessionStartFailed', 'AgentWentMissing']) {
      t.true(events.has(type), `no storm had a ${type}`);
    }
  },
);

serial('the same seed gives the same log, and another seed another one', async (t) => {
  const hashes = [];
  for (const seed of [1, 2, 1, 2]) hashes.push((await runSimulation({ seed, ...SIZE })).logHash);
  t.is(hashes[0], hashes[2]);
  t.is(hashes[1], hashes[3]);
  t.not(hashes[0], hashes[1]);
});

serial('a rule that gives a claim back at the stop, without evidence, is found', async (t) => {
  await assertFound(t, Bug.releaseOnStop, /without a claim|in two containers/);
});

serial('a log that takes a commit whatever it holds is found', async (t) => {
  await assertFound(t, Bug.ignoreExpected, /a commit says that it is version/);
});

serial('an agent that forgets what it has started is found', async (t) => {
  await assertFound(t, Bug.startTwice, /twice|has kept|without a claim/);
});

serial('a run that fails says where, and how to see it again', async (t) => {
  const error = await firstFailure(Bug.releaseOnStop);
  t.regex(error?.message ?? '', /^seed \d+, step \d+, 2026-01-01T.*Z: /);
  t.regex(error?.message ?? '', /npm run sim -- --seed \d+ --steps 150 --agents 5 --verbose$/);
});

async function assertFound(t: ExecutionContext, bug: Bug, sign: RegExp): Promise<void> {
  t.regex((await firstFailure(bug))?.message ?? 'no seed found it', sign);
}

async function firstFailure(bug: Bug): Promise<SimulationFailed | null> {
  for (const seed of SEEDS) {
    try {
      await runSimulation({ seed, ...SIZE, bug });
    } catch (error) {
      if (error instanceof SimulationFailed) return error;
      throw error;
    }
  }
  return null;
}
