import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { GetEventsOptions } from 'dockerode';
import { linesOf } from '../agent/engine/calls.ts';
import { ledgerInFolder } from '../agent/ledgerFile.ts';
import type { CheckIn, ObservedSession } from '../domain/checkIn.ts';
import type { DesiredSession } from '../domain/desired.ts';
import { putDesired } from '../infra/bus/desired.ts';
import { agentWorld, endOf, type AgentWorld } from './support/agentProcess.ts';
import { desired, plainImage, wanted } from './support/desired.ts';
import { dockerOf, type TestEngine } from './support/engine.ts';
import { startRegistry } from './support/engineRegistry.ts';
import { engineProxy, type EngineProxy, type HoldPoint, type Moment } from './support/engineProxy.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';

/**
 * The agent is killed at every call that it makes to the engine for a start and for a stop: before the engine hears of
 * it, while it works on it, and when it has done it and the agent has not heard. Between two calls stands every write of
 * the ledger, so these are all the steps there are. What must come of it stands in the tables.
 */

/** `running`: it runs, once. `interrupted`: failed with START_INTERRUPTED. `either`: the engine may have got so far, or not. */
type Outcome = 'running' | 'interrupted' | 'either';

interface Step {
  readonly call: string;
  readonly since?: string;
  readonly outcomes: Partial<Readonly<Record<Moment, Outcome>>>;
}

const LOOK = 'list the containers of a log';

/** Until the ledger says that the start has begun, another agent may begin it; from then on nobody may. */
const START: readonly Step[] = [
  { call: LOOK, outcomes: { before: 'running', after: 'running' } },
  { call: 'inspect the image', outcomes: { before: 'running', after: 'running' } },
  { call: 'inspect a network', outcomes: { before: 'interrupted', after: 'interrupted' } },
  {
    call: 'create the container',
    outcomes: { before: 'interrupted', during: 'interrupted', after: 'interrupted' },
  },
  {
    call: 'join the second network',
    outcomes: { before: 'interrupted', during: 'interrupted', after: 'interrupted' },
  },
  { call: 'start the container', outcomes: { before: 'interrupted', during: 'either', after: 'running' } },
  { call: LOOK, since: 'start the container', outcomes: { before: 'running', after: 'running' } },
  {
    call: 'inspect the container',
    since: 'start the container',
    outcomes: { before: 'running', after: 'running' },
  },
];

/** Steps that all come to the same end, whichever of them is cut. */
interface PlainStep {
  readonly call: string;
  readonly since?: string;
  readonly moments: readonly Moment[];
}

/** An image that is not there is pulled first. Nothing has been asked of the engine yet that could make a container. */
const PULL: readonly PlainStep[] = [
  { call: 'pull the image', moments: ['before', 'during', 'after'] },
  { call: 'inspect the image', since: 'pull the image', moments: ['before', 'after'] },
];

/** The engine refuses to start what was created, and the agent clears it away. */
const REFUSED: readonly PlainStep[] = [
  { call: 'start the container', moments: ['after'] },
  { call: 'remove the container', moments: ['before', 'during', 'after'] },
];

const STOP: readonly PlainStep[] = [
  { call: LOOK, moments: ['before', 'after'] },
  { call: 'inspect the container', moments: ['before', 'after'] },
  { call: 'find the container of a session', moments: ['before', 'after'] },
  { call: 'stop the container', moments: ['before', 'during', 'after'] },
  { call: LOOK, since: 'stop the container', moments: ['before', 'after'] },
  { call: 'inspect the container', since: 'stop the container', moments: ['before', 'after'] },
  { call: 'find the container of a session', since: 'stop the container', moments: ['before', 'after'] },
  { call: 'remove the container', moments: ['before', 'during', 'after'] },
  { call: LOOK, since: 'remove the container', moments: ['before', 'after'] },
];

/** What the agent asks by the clock, whether it starts and stops anything or not. */
const BESIDE = [
  'read the facts',
  'read the version',
  'follow the events',
  'list what to measure',
  'measure the container',
  'list all containers',
  'list all images',
];

/** One agent, its engine's line, and sessions that come and go one after another. */
class Walk {
  readonly #t: ExecutionContext;
  readonly #engine: TestEngine;
  readonly #world: AgentWorld;
  readonly #proxy: EngineProxy;
  readonly #folder: string;
  readonly #logId: string;
  /** Session ids of the containers that the engine made, as it told. */
  readonly made: string[] = [];
  readonly seen = new Set<string>();
  /** Boots that were killed: what they said last may be heard late. */
  readonly #killed = new Set<string>();
  #agent: ChildProcess | null = null;
  #version = 0;
  #sessions = 0;

  private constructor(
    t: ExecutionContext,
    engine: TestEngine,
    around: { readonly world: AgentWorld; readonly proxy: EngineProxy; readonly folder: string },
  ) {
    this.#t = t;
    this.#engine = engine;
    this.#world = around.world;
    this.#proxy = around.proxy;
    this.#folder = around.folder;
    this.#logId = `log-${process.pid}-${process.hrtime.bigint()}`;
  }

  static async begin(t: ExecutionContext, engine: TestEngine): Promise<Walk> {
    const folder = await temporaryFolder(t);
    const world = await agentWorld(t, folder);
    const walk = new Walk(t, engine, { world, proxy: await engineProxy(t, engine, folder), folder });
    await walk.#followCreations();
    t.teardown(() => walk.#clear());
    await walk.launch();
    return walk;
  }

  get version(): number {
    return this.#version;
  }

  newSession(change: Partial<DesiredSession> = {}): DesiredSession {
    this.#sessions += 1;
    return wanted(`${this.#logId}-${this.#sessions}`.replace('log-', 's-'), change);
  }

  async launch(): Promise<void> {
    this.#agent = await this.#world.launch('agent/main.ts', [], {
      DOCKER_HOST: this.#proxy.host,
      MUSTER_LOG_LEVEL: 'error',
    });
  }

  async want(sessions: readonly DesiredSession[]): Promise<number> {
    this.#version += 1;
    await putDesired(this.#world.bus, desired(this.#version, sessions, this.#logId));
    return this.#version;
  }

  /** Has the agent killed at this point of what the document makes it do, and started again. */
  async killedAt(point: HoldPoint, sessions: readonly DesiredSession[]): Promise<void> {
    const { reached } = this.#proxy.hold(point);
    await this.want(sessions);
    await within(reached, () => `never reached ${textOf(point)}; it called: ${this.#proxy.calls.join(', ')}`);
    if (this.#agent !== null) await endOf(this.#agent, 'SIGKILL');
    for (const { bootId } of this.#world.heard) this.#killed.add(bootId);
    this.#note();
    await ledgerInFolder(join(this.#folder, 'agent')).load();
    this.#proxy.hold(null);
    await this.launch();
  }

  /** The first check-in from now on in which the session is over its start, of an agent that has applied the document. */
  async outcomeOf(sessionId: string): Promise<ObservedSession> {
    const find = (said: CheckIn) => said.sessions.find((session) => session.sessionId === sessionId);
    const said = await this.#hear(`${sessionId} running or failed`, (checkIn) => {
      const status = find(checkIn)?.status;
      return status === 'running' || status === 'failed' || status === 'gone';
    });
    this.#t.is(said.appliedVersion, this.#version, 'the version that wants the session is applied');
    const found = find(said);
    if (found === undefined) throw new Error('just seen');
    return found;
  }

  /** The evidence that ends a claim: the withdrawal is applied, and at that moment nothing of the session is there. */
  async nothingLeft(version: number): Promise<void> {
    const over = await this.#hear(`version ${version} applied`, (said) => said.appliedVersion >= version);
    this.#t.deepEqual(await this.#containers(), [], 'applied, and yet there is a container');
    this.#t.deepEqual(over.sessions, []);
    this.#t.deepEqual(over.orphans, []);
    this.#note();
  }

  async statusOf(sessionId: string): Promise<readonly string[]> {
    const containers = await this.#containers();
    return containers.filter((each) => each.Labels['muster.session'] === sessionId).map((each) => each.State);
  }

  /** Nobody was made twice, and the memory of the agent is as it was. */
  async over(table: readonly Pick<Step, 'call'>[]): Promise<void> {
    this.#t.deepEqual(this.made.toSorted(), [...new Set(this.made)].toSorted(), 'a session had two containers');
    if (this.#agent !== null) this.#t.is(await endOf(this.#agent, 'SIGTERM'), 0);
    const ledger = await ledgerInFolder(join(this.#folder, 'agent')).load();
    this.#t.is(ledger.entries.size, 0);
    const known = new Set([...BESIDE, ...table.map(({ call }) => call)]);
    this.#t.deepEqual(
      [...this.seen].filter((call) => !known.has(call)),
      [],
      'calls that the table of steps does not know: add them to it',
    );
  }

  #hear(what: string, isWanted: (said: CheckIn) => boolean): Promise<CheckIn> {
    return this.#world.hear(what, (said) => !this.#killed.has(said.bootId) && isWanted(said));
  }

  #note(): void {
    for (const call of this.#proxy.calls) this.seen.add(call);
  }

  async #containers() {
    const filters = { label: [`muster.log=${this.#logId}`] };
    return await dockerOf(this.#engine).listContainers({ all: true, filters });
  }

  async #followCreations(): Promise<void> {
    const filters = { event: ['create'], label: [`muster.log=${this.#logId}`] };
    const end = new AbortController();
    this.#t.teardown(() => end.abort());
    const events = await dockerOf(this.#engine).getEvents({ filters, abortSignal: end.signal } as GetEventsOptions);
    void this.#noteCreations(events, end.signal);
  }

  async #noteCreations(events: AsyncIterable<string | Buffer>, signal: AbortSignal): Promise<void> {
    try {
      for await (const line of linesOf(events)) {
        const told: { readonly Actor: { readonly Attributes: Readonly<Record<string, string>> } } = JSON.parse(line);
        this.made.push(told.Actor.Attributes['muster.session'] ?? '');
      }
    } catch (error) {
      if (!signal.aborted) this.#t.fail(`the events of the engine ended: ${String(error)}`);
    }
  }

  async #clear(): Promise<void> {
    const left = await this.#containers();
    await Promise.all(
      left.map((each) => dockerOf(this.#engine).getContainer(each.Id).remove({ force: true, v: true })),
    );
  }
}

serialEngineTest(
  'killed at any step of a start, the session runs once, or is failed as interrupted, and ends in peace',
  async (t, engine) => {
    const walk = await Walk.begin(t, engine);
    for (const { call, since, outcomes } of START) {
      for (const [moment, outcome] of momentsOf(outcomes)) {
        const point = pointOf(call, since, moment);
        const session = walk.newSession();
        await walk.killedAt(point, [session]);
        const found = await walk.outcomeOf(session.sessionId);
        const came = found.status === 'running' ? 'running' : 'interrupted';
        if (outcome !== 'either') t.is(came, outcome, textOf(point));
        if (came === 'running') t.deepEqual(await walk.statusOf(session.sessionId), ['running'], textOf(point));
        else t.is(found.failure?.code, 'START_INTERRUPTED', textOf(point));
        await walk.nothingLeft(await walk.want([]));
      }
    }
    await walk.over([...START, ...STOP]);
  },
);

serialEngineTest('killed at any step of a pull, the session runs, once, with the next boot', async (t, engine) => {
  const walk = await Walk.begin(t, engine);
  const reference = `${await startRegistry(t, engine)}/muster/present:1`;
  const image = { ...plainImage, reference, command: ['/bin/sh', '-c', "trap 'exit 0' TERM; sleep 1000000 & wait"] };
  for (const point of pointsOf(PULL)) {
    const session = walk.newSession({ image });
    await walk.killedAt(point, [session]);
    t.is((await walk.outcomeOf(session.sessionId)).status, 'running', textOf(point));
    t.deepEqual(await walk.statusOf(session.sessionId), ['running'], textOf(point));
    await walk.nothingLeft(await walk.want([]));
    await dockerOf(engine).getImage(reference).remove();
  }
  await walk.over([...PULL, ...START, ...STOP]);
});

serialEngineTest('killed at any step of a start that the engine refuses, nothing of it is left', async (t, engine) => {
  const walk = await Walk.begin(t, engine);
  const image = { ...plainImage, command: ['/there/is/no/such/program'] };
  for (const point of pointsOf(REFUSED)) {
    const session = walk.newSession({ image });
    await walk.killedAt(point, [session]);
    const found = await walk.outcomeOf(session.sessionId);
    t.is(found.status, 'failed', textOf(point));
    t.is(found.failure?.code, 'START_INTERRUPTED', textOf(point));
    await walk.nothingLeft(await walk.want([]));
  }
  await walk.over([...START, ...STOP]);
});

serialEngineTest(
  'killed at any step of a stop, the container is gone when the withdrawal is said to be applied',
  async (t, engine) => {
    const walk = await Walk.begin(t, engine);
    for (const point of pointsOf(STOP)) {
      const session = walk.newSession();
      await walk.want([session]);
      t.is((await walk.outcomeOf(session.sessionId)).status, 'running');
      await walk.killedAt(point, []);
      await walk.nothingLeft(walk.version);
    }
    await walk.over([...START, ...STOP]);
  },
);

function pointOf(call: string, since: string | undefined, moment: Moment): HoldPoint {
  return since === undefined ? { call, moment } : { call, since, moment };
}

function pointsOf(steps: readonly PlainStep[]): readonly HoldPoint[] {
  return steps.flatMap(({ call, since, moments }) => moments.map((moment) => pointOf(call, since, moment)));
}

function momentsOf(outcomes: Step['outcomes']): readonly (readonly [Moment, Outcome])[] {
  return (['before', 'during', 'after'] as const).flatMap((moment) => {
    const outcome = outcomes[moment];
    return outcome === undefined ? [] : [[moment, outcome] as const];
  });
}

function textOf({ call, since, moment }: HoldPoint): string {
  return `${moment} "${call}"${since === undefined ? '' : ` since "${since}"`}`;
}

const REACH_LIMIT_MS = 20_000;

async function within(reached: Promise<void>, sentence: () => string): Promise<void> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(sentence())), REACH_LIMIT_MS);
  try {
    await Promise.race([reached, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}
