import type { CheckIn } from '../checkIn.ts';
import { accept, type Decision } from '../decision.ts';
import { isDeepEqual } from '../deepEqual.ts';
import type { ZoneFact } from '../events.ts';
import { decideEvidence } from '../sessions/decideEvidence.ts';
import type { ZoneContext } from '../zone/commands.ts';
import type { ZoneState } from '../zone/state.ts';
import type { AgentState } from './state.ts';

/**
 * Turns what changed between check-ins into events; a check-in that changes nothing gives none. The controller drops
 * what arrives out of order within a boot. A superseded boot never comes back: its process is a clone, and only that is
 * recorded.
 */
export function decideCheckIn(state: ZoneState, checkIn: CheckIn, context: ZoneContext): Decision<ZoneFact> {
  const agent = state.agents.get(checkIn.agentId);
  if (agent === undefined) return accept([], {});
  if (isOfThePast(agent, checkIn)) return accept([], {});
  if (agent.supersededBoots.has(checkIn.bootId)) return accept(raise(agent, 'IDENTITY_CONFLICT', CLONE), {});
  // Nearly every check-in is of an agent that has nothing to come back from, and then nobody asks.
  const comesBack = agent.connectivity !== 'online' || agent.conditions.has('DOCKER_DOWN');
  const caughtUp = comesBack && isCaughtUp(state, agent, checkIn, context);
  const facts = [...boot(agent, checkIn), ...hardwareChange(agent, checkIn), ...conditions(agent, checkIn, caughtUp)];
  if (agent.conditions.has('LOG_REWOUND')) return accept([...facts, ...goOn(agent, checkIn, context)], {});
  if (isRewound(agent, checkIn, context)) return accept([...facts, ...raise(agent, 'LOG_REWOUND', REWOUND)], {});
  // Evidence counts only from an agent that speaks about this very log.
  if (speaksOfThisLog(checkIn, context))
    facts.push(...decideEvidence(state, agent, checkIn), ...prunes(agent, checkIn));
  // With its engine down an agent cannot catch up, but it is there; it takes nothing until the engine is back.
  if (caughtUp || checkIn.engine.status === 'down') facts.push(...comeback(agent));
  // A commit holds 256 events. What one check-in proves beyond this, the next one proves again.
  return accept(facts.slice(0, MOST_PER_CHECKIN), {});
}

const MOST_PER_CHECKIN = 200;

const CLONE = {
  detail: 'a second process checks in with the identity of this agent',
  mend: 'stop one of them, or give it an id of its own (MUSTER_AGENT_ID)',
};

const REWOUND = {
  detail: 'the agent has applied a version that this log does not have: the log was restored from an older backup',
  mend: 'nothing is removed or started there by itself: save what its containers hold and remove those without a session here; then it goes on',
};

/**
 * A word of an earlier boot that the bus delivered after its successor's: an agent that is killed and starts again at once
 * may be overtaken by itself. Both times are of one host's clock. When that clock was set back meanwhile, a new boot is heard
 * after as long as that, and at once when it was set back by more than any message takes.
 */
function isOfThePast({ bootId, bootObservedAt }: AgentState, checkIn: CheckIn): boolean {
  if (bootObservedAt === null || checkIn.bootId === bootId) return false;
  const earlierMs = Date.parse(bootObservedAt) - Date.parse(checkIn.observedAt);
  return earlierMs > 0 && earlierMs < LONGEST_UNDERWAY_MS;
}

const LONGEST_UNDERWAY_MS = 60_000;

function boot(agent: AgentState, { bootId, agentVersion, observedAt }: CheckIn): ZoneFact[] {
  if (agent.bootId === bootId) return [];
  const { agentId, bootId: previousBootId } = agent;
  return [
    { type: 'AgentBooted', data: { agentId, bootId, previousBootId, agentVersion, observedAt } },
    ...clear(agent, 'IDENTITY_CONFLICT'),
  ];
}

function hardwareChange(agent: AgentState, { hardware }: CheckIn): ZoneFact[] {
  if (agent.hardware !== null && isDeepEqual(agent.hardware, hardware)) return [];
  return [{ type: 'AgentHardwareChanged', data: { agentId: agent.agentId, hardware, previous: agent.hardware } }];
}

function conditions(agent: AgentState, { engine, hardware }: CheckIn, caughtUp: boolean): ZoneFact[] {
  const failed = hardware.gpus.filter((gpu) => gpu.health === 'failed');
  const facts: ZoneFact[] = [];
  if (engine.status === 'down')
    facts.push(...raise(agent, 'DOCKER_DOWN', { detail: engine.detail, mend: engine.mend }));
  // What came due while the engine was down has to be done before the agent is a candidate again.
  else if (caughtUp) facts.push(...clear(agent, 'DOCKER_DOWN'));
  if (failed.length === 0) return [...facts, ...clear(agent, 'GPU_FAILED')];
  const detail = `the driver reports ${failed.length === 1 ? 'a failed GPU' : `${failed.length} failed GPUs`}`;
  const mend = 'look at the kernel log for Xid messages; reset or replace the device';
  return [...facts, ...raise(agent, 'GPU_FAILED', { detail, mend })];
}

/** Each once: what the log has is told again until the agent hears so. */
function prunes({ agentId, pruneMark }: AgentState, { prunes: told }: CheckIn): ZoneFact[] {
  if (told === undefined) return [];
  const { series } = told;
  let last = pruneMark?.series === series ? pruneMark.number : 0;
  const facts: ZoneFact[] = [];
  for (const { outcome, freedBytes, ...record } of told.records) {
    if (record.number <= last) continue;
    last = record.number;
    const data = { agentId, series, ...record };
    facts.push(
      outcome === 'removed'
        ? { type: 'ImageRemoved', data: { ...data, freedBytes } }
        : { type: 'ImageRemovalSkipped', data },
    );
  }
  return facts;
}

type Raised = Extract<ZoneFact, { type: 'AgentConditionRaised' }>['data'];

function raise(agent: AgentState, condition: Raised['condition'], words: Pick<Raised, 'detail' | 'mend'>): ZoneFact[] {
  if (agent.conditions.has(condition)) return [];
  return [{ type: 'AgentConditionRaised', data: { agentId: agent.agentId, condition, ...words } }];
}

function clear(agent: AgentState, condition: Raised['condition']): ZoneFact[] {
  if (!agent.conditions.has(condition)) return [];
  return [{ type: 'AgentConditionCleared', data: { agentId: agent.agentId, condition } }];
}

/**
 * It goes on when the log has grown past what the agent has heard, since it ignores older documents, and when its check-in
 * shows no container of which this log knows nothing: growing alone does not mend it, because the next document would end
 * every session that the backup lacks.
 */
function goOn(agent: AgentState, checkIn: CheckIn, context: ZoneContext): ZoneFact[] {
  if (!speaksOfThisLog(checkIn, context) || checkIn.engine.status === 'down') return [];
  if (checkIn.appliedVersion > context.version) return [];
  const nothingUnknown = checkIn.sessions.every(
    ({ sessionId, status }) => status === 'gone' || status === 'failed' || agent.sessions.has(sessionId),
  );
  return nothingUnknown ? clear(agent, 'LOG_REWOUND') : [];
}

/**
 * The agent has carried out a document that this log has never given it. Compared with its own document and not with the
 * log's head, which the first commits after a restored backup push past agents that have not spoken yet.
 */
function isRewound(agent: AgentState, checkIn: CheckIn, context: ZoneContext): boolean {
  return speaksOfThisLog(checkIn, context) && checkIn.appliedVersion > agent.desiredVersion;
}

/**
 * After its first approval or a silence an agent becomes a candidate only when it has carried out its newest document and
 * shows no container of a session that has ended.
 */
function isCaughtUp(state: ZoneState, agent: AgentState, checkIn: CheckIn, context: ZoneContext): boolean {
  if (!speaksOfThisLog(checkIn, context) || checkIn.engine.status === 'down') return false;
  if (checkIn.appliedVersion < agent.desiredVersion) return false;
  return checkIn.sessions.every(({ sessionId }) => state.sessions.has(sessionId));
}

function speaksOfThisLog(checkIn: CheckIn, { logId }: ZoneContext): boolean {
  return logId !== null && checkIn.logId === logId;
}

function comeback(agent: AgentState): ZoneFact[] {
  if (agent.connectivity === 'online') return [];
  return [{ type: 'AgentReturned', data: { agentId: agent.agentId, from: agent.connectivity } }];
}
