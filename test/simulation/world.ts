import type { MemoryFeeds } from '../../infra/bus/memoryFeed.ts';
import type { MemoryStore } from '../../infra/log/memory.ts';
import type { EventLog } from '../../infra/log/port.ts';
import type { Hardware } from '../../domain/schemas.ts';
import { createMemorySecrets } from '../../infra/secrets/memory.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import { wrongAdmission } from './admissions.ts';
import { AgentHost } from './agentHost.ts';
import { agentBugOf, buggyNetwork, buggyStore, type Bug } from './bugs.ts';
import { SimulatedBus } from './bus.ts';
import { Client } from './client.ts';
import { VirtualClock } from './clock.ts';
import { Entrance } from './entrance.ts';
import { networkLog } from './eventLog.ts';
import type { FaultName, Faults } from './faults.ts';
import { FeedWatch, networkFeed } from './feeds.ts';
import { LOCAL_IMAGE } from './images.ts';
import { gatewayNetwork, type GatewayNetwork } from './gatewayNetwork.ts';
import { GatewayProcess, type DoorWay, type StoreWay } from './gatewayProcess.ts';
import { drawPlan, type Plan, type Wishes } from './plan.ts';
import { sourcesOf, type Random, type Sources } from './random.ts';
import { drawSecret, drawToken, showsSecret, type DrawnToken } from './secretTexts.ts';
import { Witness } from './witness.ts';

/** Everything there is in one run. */
export interface World {
  readonly plan: Plan;
  readonly sources: Sources;
  readonly clock: VirtualClock;
  /** What goes wrong just now. */
  readonly faults: Faults;
  readonly bus: SimulatedBus;
  readonly store: MemoryStore;
  readonly hosts: readonly AgentHost[];
  /** The gateways that run. */
  readonly gateways: GatewayProcess[];
  readonly client: Client;
  witness: Witness;
  /** What must never happen and did, in words. */
  readonly mishaps: string[];
  logAway: boolean;
  readonly network: GatewayNetwork;
  readonly feeds: MemoryFeeds;
  readonly feedWatch: FeedWatch;
  /** The zone's log was cut back: the hosts have seen what it does not know. */
  isRestored: boolean;
  /** Chance for one kind of fault, the same from step to step. */
  befalling(fault: FaultName): Random;
  /** Told of what gateways find worth a line in their log. */
  onTrouble: (sentence: string, cause: unknown) => void;
  /** Who may be in, and who is; null: nobody asks. */
  readonly trust: Trust | null;
  /** A gateway more starts. */
  startGateway(): void;
}

/** What a world with identity has besides. */
export interface Trust {
  readonly entrance: Entrance;
  readonly secrets: SecretStore;
  /** For secrets and tokens. */
  readonly random: Random;
  /** Every manager token that was ever made, by its id. */
  readonly issued: Map<string, string>;
  readonly first: DrawnToken;
  /** What people give to hosts. */
  present: Pick<DrawnToken, 'tokenId' | 'text'>;
  /** What people are doing just now. */
  readonly underWay: Set<string>;
  /** Agents that are revoked in the end. */
  readonly outcasts: ReadonlySet<string>;
}

const OUTCASTS = 0.15;
const START = Date.UTC(2026, 0, 1);

export function makeWorld(seed: number, wishes: Wishes, bug: Bug | null): World {
  const sources = sourcesOf(seed);
  const plan = drawPlan(sources, wishes);
  const clock = new VirtualClock(START);
  const faults = { ...plan.faults };
  const store: MemoryStore = new Map();
  const mishaps: string[] = [];
  const note = (problem: string | null) => {
    if (problem !== null) mishaps.push(problem);
  };
  const onDeath = (error: unknown) => note(`a program died: ${textOf(error)}`);
  const bus = new SimulatedBus({
    clock,
    random: sources('bus'),
    faults,
    onDocument: (document) => note(world.witness.wrongDocument(document)),
    onLost: (agentId) => trust?.entrance.drop(({ from }) => agentId === null || agentId === from),
  });
  const trust = plan.identity ? makeTrust() : null;
  const choices = sources('choices');
  const client = new Client({
    clock,
    gateway: () => choices.any(world.gateways.filter(({ isReady }) => isReady)),
    witness: () => world.witness,
    onWrongAnswer: note,
  });
  const newHost = (number: number, hardware: Hardware) =>
    new AgentHost({
      agentId: `agent-${number}`,
      random: sources(`host ${number}`),
      hardware,
      images: new Set([LOCAL_IMAGE]),
      checkInSeconds: plan.patience.checkInSeconds,
      bug: agentBugOf(bug),
      pruneGraceMs: plan.pruneGraceMs,
      onMishap: note,
      onEnding: (sessionId) => note(endedUnasked(world, sessionId)),
      clock,
      faults,
      bus,
      onDeath,
      way: wayOf(trust, sources, number),
    });
  const befalling = new Map<FaultName, Random>();
  const feeds: MemoryFeeds = new Map();
  const world: World = {
    plan,
    sources,
    clock,
    faults,
    bus,
    store,
    hosts: plan.hardware.map((hardware, index) => newHost(index + 1, hardware)),
    gateways: [],
    client,
    witness: new Witness(store, bus.sent),
    mishaps,
    logAway: false,
    feeds,
    feedWatch: new FeedWatch(feeds),
    network: gatewayNetwork({ clock, random: sources('gateways'), faults, isAway: () => isAway(world) }),
    isRestored: false,
    trust,
    befalling(fault) {
      const random = befalling.get(fault) ?? sources(fault);
      befalling.set(fault, random);
      return random;
    },
    onTrouble: () => {},
    startGateway: () => startGateway(),
  };
  const startGateway = gatewayStarter(world, bug, onDeath);
  return world;

  function makeTrust(): Trust {
    const entrance = new Entrance({
      clock,
      random: sources('entrance'),
      porters: () => world.gateways.filter(({ isAtDoor }) => isAtDoor),
      reaches: (machine) => (machine === '' ? !bus.isAway : !bus.isCutOff(machine)),
    });
    return trustOf(plan, sources, entrance);
  }
}

function trustOf({ agents }: Plan, sources: Sources, entrance: Entrance): Trust {
  const random = sources('trust');
  const first = drawToken(random);
  const ids = Array.from({ length: agents }, (_, index) => `agent-${index + 1}`);
  return {
    entrance,
    secrets: createMemorySecrets(),
    random,
    issued: new Map(),
    first,
    present: first,
    underWay: new Set(),
    outcasts: new Set(ids.filter(() => random.chance(OUTCASTS))),
  };
}

function wayOf(trust: Trust | null, sources: Sources, number: number) {
  if (trust === null) return null;
  const credential = { token: trust.first.text, secret: drawSecret(trust.random) };
  return { entrance: trust.entrance, random: sources(`link ${number}`), credential };
}

function doorOf(world: World, newArrival: () => string): DoorWay | null {
  const { trust, mishaps } = world;
  if (trust === null) return null;
  return {
    ...trust,
    newArrival,
    onAdmitted(admitted) {
      world.witness.look();
      const problem = wrongAdmission(admitted, world.witness.lives, trust.issued);
      if (problem !== null) mishaps.push(problem);
    },
    onWrong: (problem) => mishaps.push(problem),
  };
}

/** Each new gateway has the clock of its machine, and its own way to the one log. */
function gatewayStarter(world: World, bug: Bug | null, onDeath: (error: unknown) => void): () => void {
  const { sources, bus, clock, plan, faults, network, feeds } = world;
  const logBehind = worldLog(world, bug);
  const [ids, skews] = [sources('ids'), sources('skews')];
  const feedNetwork = { feeds, clock, random: sources('feeds'), faults, isAway: () => bus.isAway };
  let started = 0;
  let arrivals = 0;
  const door = doorOf(world, () => `arrival-${(arrivals += 1)}`);
  return () => {
    started += 1;
    const number = started;
    const storeWay = { isAway: false };
    const gateway = new GatewayProcess({
      gatewayId: `gateway-${number}`,
      newLogId: () => `log-${ids.int(1, 1e9)}`,
      patience: plan.patience,
      onTrouble(sentence, cause) {
        if (showsSecret(`${sentence} ${textOf(cause)}`))
          world.mishaps.push(`a secret is in a line of the log: ${sentence}`);
        world.onTrouble(`gateway-${number}: ${sentence}`, cause);
      },
      door,
      bug,
      storeWay,
      eventLog: logBehind(storeWay),
      network,
      feedOf: (log) => networkFeed(log, feedNetwork),
      bus,
      clock,
      onDeath,
    });
    gateway.clockOffset.ms = skews.int(-faults['clock skew'], faults['clock skew']);
    world.gateways.push(gateway);
  };
}

/** The store, watched, at the end of a gateway's own way through one network. */
function worldLog(world: World, bug: Bug | null): (way: StoreWay) => EventLog {
  const { store, mishaps, clock, sources, faults } = world;
  const inner = buggyStore(store, bug);
  const watched: EventLog = {
    ...inner,
    async append(log, expected, commit) {
      const answer = await inner.append(log, expected, commit);
      const problem = world.witness.acknowledged(log, commit.version, answer.hash);
      if (problem !== null) mishaps.push(problem);
      // Both logs are read in the order in which they were written.
      if (world.trust !== null) world.witness.look();
      return answer;
    },
  };
  const random = sources('network');
  return (way) => {
    const isThisAway = (): boolean => isAway(world) || way.isAway;
    return buggyNetwork(networkLog({ inner: watched, clock, random, faults, isAway: isThisAway }), clock, bug);
  };
}

/** The log, the leases and the gateways' own calls are in one account of the bus, unless the log's store is another. */
function isAway({ logAway, bus }: World): boolean {
  return logAway || bus.isAway;
}

/** An agent may stop and remove only what the log has withdrawn; what the log never placed was another history's. */
function endedUnasked({ witness, isRestored }: World, sessionId: string): string | null {
  witness.look();
  const session = witness.zone.sessions.get(sessionId);
  const wanted = session !== undefined && session.phase !== 'waiting' && session.withdrawn === null;
  return wanted && !isRestored ? `${sessionId} was stopped or removed although the log wants it` : null;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
