import type { Decision } from '../../domain/decision.ts';
import type { ZoneFact } from '../../domain/events.ts';
import { zoneMachine } from '../../gateway/controller/zoneMachine.ts';
import { isoTime } from '../../infra/clock.ts';
import { calm } from './faults.ts';
import { InvariantBroken, checkInvariants } from './invariants.ts';
import { someAct, startLoad } from './load.ts';
import { seededRandom } from './random.ts';
import { unexplained, unsettled } from './settled.ts';
import { Bug, makeWorld, type World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly steps: number;
  readonly agents: number;
  readonly bug?: Bug;
  readonly onStep?: (step: number, world: World) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly logHash: string;
  readonly version: number;
  readonly virtualSeconds: number;
  readonly events: ReadonlyMap<string, number>;
}

/** A run that failed: where, when, and how to see it again. */
export class SimulationFailed extends Error {
  override readonly name = 'SimulationFailed';
  readonly code = 'SIMULATION_FAILED';
}

const CALM_STEPS = 50;
const CALM_STEP_MS = 5000;

/**
 * One run: a storm of `steps` acts and faults, in which the invariants hold after every step, then a calm in which
 * everything settles, then the end of every session, after which nothing is left. Throws SimulationFailed.
 */
export async function runSimulation(options: RunOptions): Promise<RunResult> {
  const { seed, steps, agents, bug = null, onStep } = options;
  const random = seededRandom(seed);
  const world = makeWorld(random, agents, bug);
  startLoad();
  let step = 0;
  const began = world.clock.now();
  const restore = bug === Bug.releaseOnStop ? releaseOnStop() : () => {};
  const pass = async (ms: number) => {
    step += 1;
    await world.clock.pass(ms);
    world.witness.look();
    checkInvariants(world);
    for (const gateway of world.gateways) forgetTouched(gateway.core);
    onStep?.(step, world);
  };
  try {
    world.startGateway();
    for (const host of world.hosts) host.boot();
    await pass(2000);
    for (let act = 0; act < steps; act += 1) {
      someAct(world);
      await pass(random.int(20, 1800));
    }
    calmDown(world);
    for (let index = 0; index < CALM_STEPS; index += 1) await pass(CALM_STEP_MS);
    settle(world, 'everything settles');
    await endEverything(world, pass);
    const [odd] = await unexplained(world);
    if (odd !== undefined) throw new InvariantBroken('a placement is explained as it was decided', odd);
  } catch (error) {
    throw new SimulationFailed(describe(options, step, world, error), { cause: error });
  } finally {
    restore();
  }
  const { witness, clock } = world;
  const virtualSeconds = Math.round((clock.now() - began) / 1000);
  return { seed, logHash: witness.logHash, version: witness.version, virtualSeconds, events: witness.counts };
}

function describe({ seed, steps, agents }: RunOptions, step: number, world: World, error: unknown): string {
  const what = error instanceof Error ? error.message : String(error);
  const replay = `npm run sim -- --seed ${seed} --steps ${steps} --agents ${agents} --verbose`;
  return `seed ${seed}, step ${step}, ${isoTime(world.clock.now())}: ${what}\nsee it again: ${replay}`;
}

function calmDown(world: World): void {
  Object.assign(world.faults, calm());
  for (const host of world.hosts) {
    host.engine.comeUp();
    world.bus.setAway(host.agentId, false);
    for (let index = 0; index < host.gpuCount; index += 1) host.setGpuHealth(index, 'ok');
  }
}

function settle(world: World, what: string): void {
  const [problem] = unsettled(world);
  if (problem !== undefined) throw new InvariantBroken(what, unsettled(world).join('; '));
}

/** Stops every session: the waiting ones first, so that nobody takes a place that becomes free. */
async function endEverything(world: World, pass: (ms: number) => Promise<void>): Promise<void> {
  const { zone } = world.witness;
  for (const { sessionId } of [...zone.line, ...zone.sessions.values()]) {
    world.client.send(`end-${sessionId}`, { type: 'StopSession', sessionId, cause: 'OPERATOR' });
  }
  for (let index = 0; index < 12; index += 1) await pass(CALM_STEP_MS);
  settle(world, 'everything settles at the end');
  const left = [
    ...zone.sessions.keys(),
    ...world.hosts.flatMap(({ engine }) => engine.containers.map((c) => c.sessionId)),
  ];
  if (left.length > 0) throw new InvariantBroken('nothing is left at the end', left.join());
}

/** As the live views do once they have told everybody. */
function forgetTouched(core: World['gateways'][number]['core']): void {
  if (core === null) return;
  for (const { projection } of core.zones.values()) {
    projection.touched.agents.clear();
    projection.touched.sessions.clear();
  }
}

/** The deliberate bug of a rule: stopping a session gives its claim back at once. */
function releaseOnStop(): () => void {
  const sound = { ...zoneMachine };
  zoneMachine.decide = (state, command, context): Decision<ZoneFact> => {
    const decision = sound.decide(state, command, context);
    if (decision.kind === 'rejected') return decision;
    const released = decision.facts.flatMap((fact): ZoneFact[] =>
      fact.type === 'SessionStopRequested' && fact.data.cause === 'USER'
        ? [fact, { type: 'SessionEnded', data: fact.data }]
        : [fact],
    );
    return { ...decision, facts: released };
  };
  return () => {
    Object.assign(zoneMachine, sound);
  };
}
