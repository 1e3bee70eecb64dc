import type { DesiredDocument, DesiredSession } from '../domain/desired.ts';
import type { ContainerView } from './engine/port.ts';
import { entryOf, type Ledger } from './ledger.ts';

/** What an action is doing just now. A start is `starting` until it turns out that the image must be pulled first. */
export type Phase = 'pulling' | 'starting' | 'stopping' | 'removing';

/** One step towards the document. `cancel` ends a pull whose session was withdrawn. */
export type Action =
  | { readonly kind: 'start'; readonly session: DesiredSession }
  | { readonly kind: 'cancel'; readonly sessionId: string }
  | { readonly kind: 'stop'; readonly sessionId: string }
  | { readonly kind: 'remove'; readonly sessionId: string };

export interface Situation {
  readonly desired: DesiredDocument | null;
  /** Every container labelled with the document's log. */
  readonly containers: readonly ContainerView[];
  readonly ledger: Ledger;
  readonly inProgress: ReadonlyMap<string, Phase>;
}

/**
 * What to do next, from the whole state and nothing else, so that a lost message, a restart or a repetition changes
 * nothing. A session is started at most once: not when a container or a ledger entry of it exists, nor when the document
 * says that it has run before. A container is stopped and removed only when this log placed it, at or before the
 * document's version, and names it no more. Without a document, or with one older than the newest accepted, nothing happens.
 */
export function reconcile(situation: Situation): readonly Action[] {
  const { desired, ledger, inProgress } = situation;
  if (desired === null || desired.version < (ledger.accepted.get(desired.logId) ?? 0)) return [];
  const wanted = new Set(desired.sessions.map((session) => session.sessionId));
  const present = new Set(situation.containers.map((container) => container.sessionId));
  const actions: Action[] = [];
  for (const [sessionId, phase] of inProgress) {
    if (phase === 'pulling' && !wanted.has(sessionId)) actions.push({ kind: 'cancel', sessionId });
  }
  for (const container of situation.containers) {
    const { sessionId } = container;
    if (wanted.has(sessionId) || inProgress.has(sessionId) || !endedByLog(ledger, desired, sessionId)) continue;
    const action = nextEnd(container);
    if (action !== null) actions.push(action);
  }
  for (const session of desired.sessions) {
    const { sessionId, mayCreate } = session;
    if (!mayCreate || present.has(sessionId) || inProgress.has(sessionId)) continue;
    if (entryOf(ledger, desired.logId, sessionId) === null) actions.push({ kind: 'start', session });
  }
  return actions;
}

/** Whether this agent can prove that the document's log placed the session, so that its absence there means its end. */
export function endedByLog(ledger: Ledger, document: DesiredDocument, sessionId: string): boolean {
  const entry = entryOf(ledger, document.logId, sessionId);
  return entry !== null && entry.placedVersion <= document.version;
}

function nextEnd({ sessionId, status }: ContainerView): Action | null {
  switch (status) {
    case 'running':
    case 'paused':
    case 'restarting':
      return { kind: 'stop', sessionId };
    case 'created':
    case 'exited':
    case 'dead':
      return { kind: 'remove', sessionId };
    case 'removing':
      return null;
  }
}
