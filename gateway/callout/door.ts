import { randomUUID } from 'node:crypto';
import type { Rejection } from '../../domain/decision.ts';
import type { AnyEvent } from '../../domain/events.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import { closeConnection, connectionsIn } from '../../infra/bus/connections.ts';
import { AgentBudget } from '../../infra/bus/agentBudget.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import type { Clock } from '../../infra/clock.ts';
import { signerOf } from '../../infra/nkeys/nkey.ts';
import type { Access } from '../auth/access.ts';
import type { Core } from '../core/core.ts';
import { Admission, isRefusal, type Refusal } from './admission.ts';
import { answerCallouts, ACCOUNT, type CalloutOutcome } from './callout.ts';
import { Doorkeeper } from './doorkeeper.ts';
import { Quieted } from './quieted.ts';
import { Rejections } from './rejections.ts';

export interface DoorPorts {
  readonly authBus: Bus;
  readonly sysBus: Bus;
  /** The secret of the key that the bus knows as the issuer. */
  readonly issuerSeed: string;
  readonly core: Core;
  readonly access: Pick<Access, 'managerTokens' | 'keys'>;
  readonly clock: Clock;
  readonly countEntry: (outcome: CalloutOutcome, seconds: number) => void;
  readonly onNews: (fields: object, sentence: string) => void;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/** The door of the bus: who enters, who has to leave, and how many were turned away. */
export interface Door {
  /** Opens it, until the signal aborts; who is in then stays in. */
  run(signal: AbortSignal): Promise<void>;
  /** To be told of everything that the fleet's log says. */
  note(events: readonly Pick<AnyEvent, 'type'>[]): void;
  /** To be told who is heard: a revoked agent that is must still be in. */
  heard(agentId: string): void;
  /** To be told of an agent that says more than it may: it is thrown out, and let in again after a minute. */
  flooded(agentId: string): void;
  /** Whether a question of an agent is answered; one that asks too much is thrown out as well. */
  mayAsk(agentId: string): boolean;
}

/** An agent asks for its document every two minutes and when it has connected, and for definitions when it prunes. */
const QUESTIONS = { messages: { most: 600, perSecond: 1 }, bytes: { most: 1, perSecond: 1 } };
/** What another gateway records is folded here within milliseconds. */
const CATCH_UP_MS = 300;
/** After these somebody may have to leave, or may do more than when he entered. */
const CHANGES: ReadonlySet<string> = new Set<AnyEvent['type']>([
  'AgentApproved',
  'AgentRevoked',
  'AgentRemoved',
  'AccessKeyRevoked',
  'ManagerTokenRevoked',
]);

export function openDoor(ports: DoorPorts): Door {
  const { authBus, sysBus, core, access, clock, onTrouble } = ports;
  const fleet = () => core.fleetProjection.state;
  const rejections = new Rejections({ clock, record: (command) => recordInFleet(core, command), onTrouble });
  const quieted = new Quieted(clock);
  const questions = new AgentBudget(QUESTIONS);
  const isQuieted = (agentId: string): boolean => quieted.has(agentId);
  const admission = new Admission({
    fleet,
    ...access,
    enrol,
    isQuieted,
    catchUp: () => clock.sleep(CATCH_UP_MS),
    clock,
  });
  const doorkeeper = new Doorkeeper({
    connections: () => connectionsIn(sysBus, ACCOUNT),
    close: (connection) => closeConnection(sysBus, connection),
    fleet,
    keys: access.keys,
    isQuieted,
    isLeading: () => core.fleet.role === 'leading',
    clock,
    onClosed: (named) => ports.onNews(named, 'a connection was closed, since what it was let in as has changed'),
    onTrouble,
  });

  async function enrol(arrival: Parameters<Core['enrol']>[0]): Promise<Refusal | null> {
    const rejection = await core.enrol(arrival, randomUUID());
    if (rejection === null) return null;
    return isRefusal(rejection.code) ? rejection.code : 'UNAVAILABLE';
  }

  function count(outcome: CalloutOutcome, seconds: number): void {
    ports.countEntry(outcome, seconds);
    if (outcome === 'REQUEST_MALFORMED' || isRefusal(outcome)) rejections.count(outcome);
  }

  function flooded(agentId: string): void {
    quieted.add(agentId);
    doorkeeper.ring();
  }

  return {
    flooded,
    mayAsk(agentId) {
      const may = questions.take(agentId, 0, clock.now());
      if (!may) flooded(agentId);
      return may;
    },
    async run(signal) {
      const signer = signerOf(ports.issuerSeed);
      answerCallouts({ bus: authBus, signer, admission, clock, random: Math.random, count, onTrouble }, signal);
      await Promise.all([doorkeeper.run(signal), rejections.run(signal)]);
    },
    note(events) {
      if (events.some(({ type }) => CHANGES.has(type))) doorkeeper.ring();
    },
    heard(agentId) {
      const agent = fleet().agents.get(agentId);
      if (agent !== undefined && agent.revokedAt !== null) doorkeeper.ring();
    },
  };
}

/** What Muster itself has recorded in the fleet's log; null: it is. */
export async function recordInFleet(core: Core, command: FleetCommand): Promise<Rejection | null> {
  const actor = { kind: 'system', id: 'muster' } as const;
  const answer = await core.fleet.submit({ key: randomUUID(), recorded: false, actor, command });
  return answer.kind === 'rejected' ? answer.rejection : null;
}
