import { isoTime } from '../../infra/clock.ts';
import { restoreBackup } from './backup.ts';
import { endFaults, someFaults } from './befall.ts';
import { InvariantBroken, assertHolds } from './broken.ts';
import { plantInRules, type Bug } from './bugs.ts';
import { noFaults } from './faults.ts';
import { checkInvariants, checkRefold } from './invariants.ts';
import { somePeople } from './load.ts';
import type { Wishes } from './plan.ts';
import { somePrunes } from './prunes.ts';
import { unexplained, unsettled } from './settled.ts';
import { someTrust, tidyTrust } from './trust.ts';
import { makeWorld, type World } from './world.ts';

export interface RunOptions extends Wishes {
  readonly seed: number;
  readonly bug?: Bug;
  readonly onStep?: (step: number, world: World) => void;
  /** Told of what gateways find worth a line in their log. */
  readonly onTrouble?: World['onTrouble'];
}

export interface RunResult {
  readonly seed: number;
  readonly logHash: string;
  readonly version: number;
  readonly virtualSeconds: number;
  /** How long it took until everything had settled after the storm, in seconds of the fleet. */
  readonly settledSeconds: number;
  readonly events: ReadonlyMap<string, number>;
}

/** A run that failed: where, when, and how to see it again. */
export class SimulationFailed extends Error {
  override readonly name = 'SimulationFailed';
  readonly code = 'SIMULATION_FAILED';
}

/**
 * Within this time after the last fault everything is as it should be: 20 s for a gateway to start and to lead, 90 s until
 * an agent that has heard nothing reads its document whole, 60 s until the last of those who wait has given up, and that
 * again for what comes of it.
 */
const SETTLED_WITHIN_MS = 300_000;
const CALM_STEP_MS = 5000;
const STAYS_MS = 20_000;

/**
 * One run: a storm of acts and faults, in which the invariants hold after every step, then a calm in which everything
 * settles, then the end of every session, after which nothing is left. Throws SimulationFailed.
 */
export async function runSimulation(options: RunOptions): Promise<RunResult> {
  const { seed, bug = null, onStep } = options;
  const world = makeWorld(seed, options, bug);
  if (options.onTrouble !== undefined) world.onTrouble = options.onTrouble;
  const restoreRules = plantInRules(bug);
  const { clock, plan } = world;
  const began = clock.now();
  let step = 0;
  let settledMs = 0;
  const pass = async (ms: number) => {
    step += 1;
    await clock.pass(ms);
    world.witness.look();
    checkInvariants(world, step);
    onStep?.(step, world);
  };
  try {
    await storm(world, pass);
    settledMs = await settle(world, pass, 'everything settles');
    // What a zone's older backup makes of agents that have left meanwhile is for people.
    if (plan.faults['restored backup'] > 0 && !plan.identity) {
      await restoreBackup(world, pass);
      await settle(world, pass, 'everything settles after a restored backup');
    }
    await endEverything(world, pass);
    checkRefold(world);
    assertHolds('a placement is explained as it was decided', await unexplained(world));
  } catch (error) {
    throw new SimulationFailed(describe(options, step, world, error), { cause: error });
  } finally {
    restoreRules();
    for (const program of [...world.gateways, ...world.hosts]) program.crash();
  }
  const { logHash, version, counts } = world.witness;
  const virtualSeconds = Math.round((clock.now() - began) / 1000);
  return { seed, logHash, version, virtualSeconds, settledSeconds: settledMs / 1000, events: counts };
}

/** The command that replays a run. */
export function replayCommand({ seed, steps, agents, gateways, labels, identity, only }: RunOptions): string {
  const wishes = [
    ...(steps === undefined ? [] : [`--steps ${steps}`]),
    ...(agents === undefined ? [] : [`--agents ${agents}`]),
    ...(gateways === undefined ? [] : [`--gateways ${gateways}`]),
    ...(labels === undefined ? [] : [labels ? '--labels' : '--no-labels']),
    ...(identity === undefined ? [] : [identity ? '--identity' : '--no-identity']),
    ...(only === undefined ? [] : [`--only '${only.join(',')}'`]),
  ];
  return ['npm run sim -- --seed', seed, ...wishes, '--verbose'].join(' ');
}

type Pass = (ms: number) => Promise<void>;

async function storm(world: World, pass: Pass): Promise<void> {
  const { plan, sources } = world;
  const [people, pruning, pace] = [sources('acts'), sources('prunes'), sources('pace')];
  const trusting = sources('identity acts');
  for (let index = 0; index < plan.gateways; index += 1) world.startGateway();
  for (const host of world.hosts) host.boot();
  await pass(2000);
  for (let index = 0; index < plan.steps; index += 1) {
    somePeople(world, people);
    somePrunes(world, pruning);
    someTrust(world, trusting);
    someFaults(world);
    await pass(pace.int(20, plan.paceMs));
  }
}

/**
 * Nothing goes wrong any more. Answers after how many milliseconds everything had settled, and stayed so for a while: what
 * somebody does of his own accord then, such as giving up waiting, may set things moving once more.
 */
async function settle(world: World, pass: Pass, what: string): Promise<number> {
  Object.assign(world.faults, noFaults());
  endFaults(world);
  let settledFor = 0;
  for (let ms = CALM_STEP_MS; ms <= SETTLED_WITHIN_MS; ms += CALM_STEP_MS) {
    tidyTrust(world);
    await pass(CALM_STEP_MS);
    settledFor = unsettled(world).length === 0 ? settledFor + CALM_STEP_MS : 0;
    if (settledFor >= STAYS_MS) return ms - settledFor + CALM_STEP_MS;
  }
  assertHolds(what, problemsOf(world));
  throw new InvariantBroken(what, `it is so just now, and never for ${STAYS_MS} ms`);
}

function problemsOf(world: World): string | null {
  const problems = unsettled(world);
  return problems.length === 0 ? null : problems.join('; ');
}

/** Stops every session: the waiting ones first, so that nobody takes a place that becomes free. */
async function endEverything(world: World, pass: Pass): Promise<void> {
  const { zone } = world.witness;
  for (const { sessionId } of [...zone.line, ...zone.sessions.values()]) {
    void world.client.send(`end-${sessionId}`, { type: 'StopSession', sessionId, cause: 'OPERATOR' });
  }
  await settle(world, pass, 'everything settles at the end');
  // Nobody ends anything on a host that is not heard any more.
  const heard = world.hosts.filter(({ agentId }) => world.trust?.outcasts.has(agentId) !== true);
  const containers = heard.flatMap(({ engine }) => engine.containers.map(({ sessionId }) => sessionId));
  const left = [...zone.sessions.keys(), ...containers];
  assertHolds('nothing is left at the end', left.length === 0 ? null : left.join());
}

function describe(options: RunOptions, step: number, world: World, error: unknown): string {
  const what = error instanceof Error ? error.message : String(error);
  const when = isoTime(world.clock.now());
  return `seed ${options.seed}, step ${step}, ${when}: ${what}\nsee it again: ${replayCommand(options)}`;
}
