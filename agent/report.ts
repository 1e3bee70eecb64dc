import type { CheckIn, ObservedPull, ObservedSession } from '../domain/checkIn.ts';
import type { DesiredDocument, DesiredSession } from '../domain/desired.ts';
import type { ContainerView } from './engine/port.ts';
import { entryOf, type Failure, type Ledger } from './ledger.ts';
import { endedByLog, type Phase } from './reconcile.ts';

/** What one look at the engine showed, and the document that was known before the look began. */
export interface Basis {
  readonly document: DesiredDocument | null;
  readonly containers: readonly ContainerView[];
  /** Containers labelled with other logs that this agent has worked for. */
  readonly strangers: readonly { readonly sessionId: string; readonly logId: string }[];
}

export type Report = Pick<CheckIn, 'sessions' | 'orphans'>;

const SESSIONS_LIMIT = 4096;
const ORPHANS_LIMIT = 256;

/**
 * The sessions part of a check-in: every wanted session, every container that is being ended, and the orphans. `pulls`:
 * how far the images of sessions are that are being pulled.
 */
export function report(
  basis: Basis,
  ledger: Ledger,
  inProgress: ReadonlyMap<string, Phase>,
  pulls: ReadonlyMap<string, ObservedPull> = new Map(),
): Report {
  const { document } = basis;
  if (document === null) return { sessions: [], orphans: basis.strangers.slice(0, ORPHANS_LIMIT) };
  const containers = new Map(basis.containers.map((container) => [container.sessionId, container]));
  const wanted = new Set(document.sessions.map((session) => session.sessionId));
  const sessions = document.sessions.map((session) =>
    wantedSession(session, document, containers.get(session.sessionId), ledger, inProgress.get(session.sessionId)),
  );
  const orphans = [...basis.strangers];
  for (const container of basis.containers) {
    const { sessionId } = container;
    if (wanted.has(sessionId)) continue;
    if (endedByLog(ledger, document, sessionId)) sessions.push(fromContainer(container, null));
    else orphans.push({ sessionId, logId: document.logId });
  }
  for (const [sessionId, phase] of inProgress) {
    if (wanted.has(sessionId) || containers.has(sessionId)) continue;
    if (phase === 'pulling' || phase === 'starting') sessions.push(without(sessionId, phase, null));
  }
  return {
    sessions: sessions.slice(0, SESSIONS_LIMIT).map((session) => withPull(session, pulls.get(session.sessionId))),
    orphans: orphans.slice(0, ORPHANS_LIMIT),
  };
}

function withPull(session: ObservedSession, pull: ObservedPull | undefined): ObservedSession {
  return session.status === 'pulling' && pull !== undefined ? { ...session, pull } : session;
}

/**
 * The newest version whose withdrawals are complete: one less than the first withdrawal of which something is left. So a
 * session that is slow to stop holds back what came after it, and never what came before.
 */
export function appliedVersion(basis: Basis, ledger: Ledger, inProgress: ReadonlyMap<string, Phase>): number {
  const { document } = basis;
  if (document === null) return 0;
  const before = ledger.applied?.logId === document.logId ? ledger.applied.version : 0;
  const wanted = new Set(document.sessions.map((session) => session.sessionId));
  const left = new Set(inProgress.keys());
  for (const { sessionId } of basis.containers) if (endedByLog(ledger, document, sessionId)) left.add(sessionId);
  let applied = document.version;
  for (const sessionId of left) {
    if (wanted.has(sessionId)) continue;
    const withdrawn = entryOf(ledger, document.logId, sessionId)?.withdrawnVersion ?? null;
    applied = Math.min(applied, withdrawn === null ? before : withdrawn - 1);
  }
  return Math.max(before, applied);
}

function wantedSession(
  session: DesiredSession,
  document: DesiredDocument,
  container: ContainerView | undefined,
  ledger: Ledger,
  phase: Phase | undefined,
): ObservedSession {
  const { sessionId } = session;
  const entry = entryOf(ledger, document.logId, sessionId);
  if (container !== undefined) {
    const seen = fromContainer(container, entry?.failure ?? null);
    const { imageDigest } = container;
    // Once the log knows that it was started, it knows the digest.
    return session.mayCreate && imageDigest !== null ? { ...seen, imageDigest } : seen;
  }
  if (phase !== undefined) return without(sessionId, phase === 'pulling' ? 'pulling' : 'starting', null);
  switch (entry?.state) {
    case 'started':
      return without(sessionId, 'gone', null);
    case 'failed':
      return without(sessionId, 'failed', entry.failure);
    case 'starting':
      return without(sessionId, 'starting', null);
    case undefined:
      return without(sessionId, session.mayCreate ? 'starting' : 'gone', null);
  }
}

function without(sessionId: string, status: ObservedSession['status'], failure: Failure | null): ObservedSession {
  return { sessionId, status, containerId: null, exitCode: null, oomKilled: false, endpoints: [], failure };
}

function fromContainer(container: ContainerView, failure: Failure | null): ObservedSession {
  const status = observedStatus(container, failure);
  return {
    sessionId: container.sessionId,
    status,
    containerId: container.containerId,
    exitCode: status === 'exited' ? container.exitCode : null,
    oomKilled: container.oomKilled,
    endpoints: container.ports.slice(0, 64),
    failure: status === 'failed' ? failure : null,
    ...(container.health === null ? {} : { health: container.health }),
  };
}

function observedStatus({ status }: ContainerView, failure: Failure | null): ObservedSession['status'] {
  switch (status) {
    case 'created':
      return failure === null ? 'starting' : 'failed';
    case 'running':
    case 'restarting':
      return 'running';
    case 'paused':
      return 'paused';
    case 'exited':
    case 'dead':
    case 'removing':
      return 'exited';
  }
}
