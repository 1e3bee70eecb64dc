import type { Decision } from '../../domain/decision.ts';
import type { ZoneFact } from '../../domain/events.ts';
import type { FleetState } from '../../domain/fleet/state.ts';
import type { HeldSession } from '../../domain/sessions/state.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import type { AdmissionPorts } from '../../gateway/callout/admission.ts';
import { zoneMachine } from '../../gateway/controller/zoneMachine.ts';
import type { Core } from '../../gateway/core/core.ts';
import type { Clock } from '../../infra/clock.ts';
import { encodeCommit } from '../../infra/log/codec.ts';
import { createMemoryLog, type MemoryStore } from '../../infra/log/memory.ts';
import type { EventLog } from '../../infra/log/port.ts';
import type { AgentBug } from './agentHost.ts';
import { appendBlindly } from './store.ts';

/** Deliberate bugs, to see that the simulation finds them. All are planted from here: the product has no switch for them. */
export const Bug = {
  /** The store takes a commit whatever stands at its version. */
  ignoreExpected: 'ignore-expected',
  /** The store acknowledges, and writes a moment later. */
  ackFirst: 'ack-first',
  /** A session that somebody stops gives its claim back at once. */
  releaseOnStop: 'release-on-stop',
  /** A session that was withdrawn a while ago gives its claim back, whatever its host shows. */
  releaseOnTimeout: 'release-on-timeout',
  /** A check-in counts as if it had applied everything. */
  ignoreApplied: 'ignore-applied',
  /** When a claim is released nobody in the line is tried. */
  skipWakeUp: 'skip-wake-up',
  /** An agent forgets at its start what it has started before. */
  startTwice: 'start-twice',
  /** To an agent a missing document is an empty one. */
  obeyNothing: 'obey-nothing',
  /** A check-in counts whether or not its agent was revoked. */
  hearRevoked: 'hear-revoked',
  /** Who was revoked is let in as before. */
  admitRevoked: 'admit-revoked',
  /** Of a manager token only the beginning is compared, which names it. */
  tokenByPrefix: 'token-by-prefix',
} as const;
export type Bug = (typeof Bug)[keyof typeof Bug];

const TIMEOUT_MS = 2000;
const ACK_FIRST_MS = 400;

export function agentBugOf(bug: Bug | null): AgentBug | null {
  if (bug === Bug.startTwice) return 'forgets';
  return bug === Bug.obeyNothing ? 'obeys-nothing' : null;
}

export function buggyStore(store: MemoryStore, bug: Bug | null): EventLog {
  const sound = createMemoryLog(store);
  if (bug !== Bug.ignoreExpected) return sound;
  return { ...sound, append: async (log, _expected, commit) => ({ hash: appendBlindly(store, log, commit) }) };
}

export function buggyNetwork(sound: EventLog, clock: Clock, bug: Bug | null): EventLog {
  if (bug !== Bug.ackFirst) return sound;
  return {
    ...sound,
    async append(log, expected, commit) {
      const written = clock.sleep(ACK_FIRST_MS).then(() => sound.append(log, expected, commit));
      // Nobody hears of it when that fails: this is the bug.
      written.catch(() => undefined);
      return { hash: encodeCommit(commit).hash };
    },
  };
}

/** Runs what hears a check-in of the agent. */
export function hearing(bug: Bug | null, core: Core, agentId: string, hear: () => void): void {
  const { agents } = core.fleetProjection.state;
  const known = agents.get(agentId);
  if (bug !== Bug.hearRevoked || known === undefined) {
    hear();
    return;
  }
  agents.set(agentId, { ...known, revokedAt: null });
  hear();
  agents.set(agentId, known);
}

export function admitting(bug: Bug | null, sound: AdmissionPorts): AdmissionPorts {
  const { fleet, managerTokens } = sound;
  if (bug === Bug.admitRevoked) return { ...sound, fleet: () => withoutRevocations(fleet()) };
  if (bug !== Bug.tokenByPrefix) return sound;
  const verify = (text: string): string | null => {
    const live = [...fleet().managerTokens.keys()];
    return managerTokens.verify(text) ?? live.find((tokenId) => text.startsWith(`mt_${tokenId}_`)) ?? null;
  };
  return { ...sound, managerTokens: { verify } };
}

function withoutRevocations(fleet: FleetState): FleetState {
  const agents = new Map([...fleet.agents].map(([agentId, agent]) => [agentId, { ...agent, revokedAt: null }]));
  return { ...fleet, agents };
}

/** Plants a bug into the rules that every controller of this process runs. The result takes it out again. */
export function plantInRules(bug: Bug | null): () => void {
  const sound = { ...zoneMachine };
  switch (bug) {
    case Bug.releaseOnStop:
      zoneMachine.decide = (...asked) => withFacts(sound.decide(...asked), endedWhenStopped);
      break;
    case Bug.releaseOnTimeout:
      zoneMachine.decide = releasingOnTimeout((...asked) => sound.decide(...asked));
      break;
    case Bug.ignoreApplied:
      zoneMachine.decide = (state, command, context) => sound.decide(state, asIfApplied(state, command), context);
      break;
    case Bug.skipWakeUp:
      skipWakeUps(sound);
      break;
    case Bug.ignoreExpected:
    case Bug.ackFirst:
    case Bug.startTwice:
    case Bug.obeyNothing:
    case Bug.hearRevoked:
    case Bug.admitRevoked:
    case Bug.tokenByPrefix:
    case null:
      break;
  }
  return () => {
    Object.assign(zoneMachine, sound);
  };
}

type Decide = typeof zoneMachine.decide;

function withFacts(decision: Decision<ZoneFact>, change: (facts: readonly ZoneFact[]) => readonly ZoneFact[]) {
  return decision.kind === 'rejected' ? decision : { ...decision, facts: change(decision.facts) };
}

function endedWhenStopped(facts: readonly ZoneFact[]): readonly ZoneFact[] {
  return facts.flatMap((fact): ZoneFact[] =>
    fact.type === 'SessionStopRequested' && fact.data.cause === 'USER'
      ? [fact, { type: 'SessionEnded', data: fact.data }]
      : [fact],
  );
}

function releasingOnTimeout(decide: Decide): Decide {
  const since = new Map<string, number>();
  const isOver = ({ sessionId, withdrawn }: HeldSession, now: number): boolean => {
    if (withdrawn === null) return false;
    const first = since.get(sessionId) ?? now;
    since.set(sessionId, first);
    return now - first > TIMEOUT_MS;
  };
  return (state, command, context) => {
    const decision = decide(state, command, context);
    if (command.type !== 'AdvanceTime' && command.type !== 'RecordCheckIn') return decision;
    return withFacts(decision, (facts) => {
      const ended = new Set(facts.flatMap(({ type, data }) => (type === 'SessionEnded' ? [data.sessionId] : [])));
      const over = heldIn(state).filter((session) => isOver(session, Date.parse(context.now)));
      return [...facts, ...over.filter(({ sessionId }) => !ended.has(sessionId)).map(endOf)];
    });
  };
}

function heldIn(state: ZoneState): readonly HeldSession[] {
  return [...state.sessions.values()].filter((session): session is HeldSession => session.phase !== 'waiting');
}

function endOf({ sessionId, agentId, withdrawn }: HeldSession): ZoneFact {
  return { type: 'SessionEnded', data: { sessionId, agentId, cause: withdrawn?.cause ?? 'USER', exitCode: null } };
}

function asIfApplied({ agents }: ZoneState, command: ZoneCommand): ZoneCommand {
  if (command.type !== 'RecordCheckIn') return command;
  const appliedVersion = agents.get(command.checkIn.agentId)?.desiredVersion ?? 0;
  return { ...command, checkIn: { ...command.checkIn, appliedVersion } };
}

function skipWakeUps(sound: typeof zoneMachine): void {
  /** The count of chances is the same in every fold of one log, so it names the release for all of them. */
  const releases = new Set<number>();
  zoneMachine.evolve = (state, event, at) => {
    sound.evolve(state, event, at);
    if (event.type === 'SessionEnded') releases.add(state.chances);
  };
  zoneMachine.pending = (state) => (releases.has(state.chances) ? null : sound.pending(state));
}
