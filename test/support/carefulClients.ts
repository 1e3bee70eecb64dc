import { setTimeout as pause } from 'node:timers/promises';
import type { Commit } from '../../domain/commit.ts';
import type { AnyEvent } from '../../domain/events.ts';
import type { EventLog } from '../../infra/log/port.ts';
import type { Rest, StartAnswer } from './gateway.ts';
import { collect } from './logs.ts';
import { until } from './until.ts';

/** Clients that start sessions as a careful one does, whatever fails meanwhile, and what the log knows of it. */
export interface CarefulClients {
  /** The session of every answer so far, in the order of the answers. */
  readonly acknowledged: readonly string[];
  readonly answered: (count: number) => Promise<unknown>;
  /** Resolves when every client has all its answers. */
  readonly done: Promise<unknown>;
}

export function startClients(rest: Rest, options: { readonly clients: number; readonly each: number }): CarefulClients {
  const acknowledged: string[] = [];
  const clients = Array.from({ length: options.clients }, async (_, client) => {
    for (let request = 0; request < options.each; request += 1) {
      acknowledged.push(await ask(rest, `client-${client}-${request}`));
    }
  });
  return {
    acknowledged,
    answered: (count) =>
      until(
        `${count} answers`,
        async () => acknowledged.length,
        (length) => length >= count,
        ANSWER_LIMIT_MS,
      ),
    done: Promise.all(clients),
  };
}

const ANSWER_LIMIT_MS = 60_000;
const AGAIN_MS = 50;

/** The same key again until there is an answer that is neither an outage nor a lost reply. Gives the session's id. */
export async function ask(rest: Rest, key: string): Promise<string> {
  for (;;) {
    const answer = await rest
      .request('POST', '/sessions', { body: { imageId: 'one' }, headers: { 'idempotency-key': key } })
      .catch(() => null);
    if (answer?.status === 201 || answer?.status === 202) return (answer.body as StartAnswer).session.sessionId;
    if (answer !== null && answer.status !== 503) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    await pause(AGAIN_MS);
  }
}

/** Sessions as the zone's log has them: each time one was requested, and each time one was placed. */
export function sessionsIn(events: readonly AnyEvent[]): {
  readonly requested: readonly string[];
  readonly placed: readonly string[];
} {
  const requested: string[] = [];
  const placed: string[] = [];
  for (const { type, data } of events) {
    if (type === 'SessionRequested') requested.push(data.sessionId);
    if (type === 'SessionPlaced') placed.push(data.sessionId);
  }
  return { requested, placed };
}

/** Every commit of the zone's log, verified on the way, and all their events. */
export async function recorded(
  log: EventLog,
): Promise<{ readonly commits: readonly Commit[]; readonly events: readonly AnyEvent[] }> {
  const commits = (await collect(log.read('zone-default', 0))).map(({ commit }) => commit);
  return { commits, events: commits.flatMap(({ events }) => events) };
}
