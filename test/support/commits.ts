import type { Commit } from '../../domain/commit.ts';
import type { AnyEvent } from '../../domain/events.ts';
import { nextCommit } from '../../infra/log/codec.ts';
import { eventId } from '../../infra/log/eventId.ts';
import type { StoredCommit } from '../../infra/log/port.ts';

/** Commits for tests of the event log, where what happened does not matter. */

const AT = '2026-11-01T12:00:00.000Z';

/** An agent was enabled; `key` makes it different from every other event. */
export function someEvent(key: string, index = 0): AnyEvent {
  return {
    id: eventId(key, index),
    type: 'AgentEnabled',
    schemaVersion: 1,
    occurredAt: AT,
    actor: { kind: 'operator', id: 'op-1' },
    correlationId: key,
    causationId: key,
    data: { agentId: 'agent-1' },
  };
}

/** The commit after `previous` that ends its epoch: something happened, and then the log was sealed. */
export function sealingCommit(previous: StoredCommit | null, epoch = 1): Commit {
  const commit = someCommit(previous, `seal-${epoch}`);
  const sealed: AnyEvent = { ...someEvent(`seal-${epoch}`, 1), type: 'LogSealed', data: { epoch } };
  return { ...commit, events: [...commit.events, sealed] };
}

/** The commit after `previous` with `events` events of that key. */
export function someCommit(previous: StoredCommit | null, key: string, events = 1): Commit {
  return nextCommit({
    previous,
    newLogId: 'log-of-tests',
    at: AT,
    events: Array.from({ length: events }, (_, index) => someEvent(key, index)),
    commands: [{ key, requestHash: 'hash', outcome: { accepted: true } }],
  });
}
