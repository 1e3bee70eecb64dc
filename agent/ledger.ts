import type { DesiredDocument, DesiredSession } from '../domain/desired.ts';
import type { ContainerView } from './engine/port.ts';
import { dropRecorded, emptyPruneLedger, type LedgerImage, type PruneLedger } from './prune/memory.ts';

/**
 * The agent's own memory: which sessions it has begun to start, so that none is ever started twice, and the last
 * document it accepted, so that it goes on without the bus. All of this is pure; `ledgerFile.ts` keeps it on disk.
 */
export interface LedgerEntry {
  readonly sessionId: string;
  readonly logId: string;
  /** Version of the document that asked for the session when it was started (or found running). */
  readonly placedVersion: number;
  /** First accepted version without the session, while something of it may be left; null while it is wanted. */
  readonly withdrawnVersion: number | null;
  readonly state: 'starting' | 'started' | 'failed';
  readonly failure: Failure | null;
}

export interface Failure {
  readonly code: string;
  readonly detail: string;
}

export interface Ledger {
  readonly document: DesiredDocument | null;
  /** Newest version accepted, per log: a lower one is never obeyed, not even after another log came between. */
  readonly accepted: ReadonlyMap<string, number>;
  /** Newest version carried out of the document's log. */
  readonly applied: { readonly logId: string; readonly version: number } | null;
  /** By `entryKey`. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  /** By the engine's id, what the agent pulled itself and nobody has removed, the longest ago first. */
  readonly images: ReadonlyMap<string, LedgerImage>;
  readonly prunes: PruneLedger;
}

export const emptyLedger: Ledger = {
  document: null,
  accepted: new Map(),
  applied: null,
  entries: new Map(),
  images: new Map(),
  prunes: emptyPruneLedger,
};

/** Logs remembered at most; the oldest is forgotten with its entries. */
const LOGS_LIMIT = 16;

const START_INTERRUPTED: Failure = {
  code: 'START_INTERRUPTED',
  detail: 'the agent or the container engine stopped while the container was being started; request the session again',
};

export function entryKey(logId: string, sessionId: string): string {
  return `${logId}/${sessionId}`;
}

export function entryOf(ledger: Ledger, logId: string, sessionId: string): LedgerEntry | null {
  return ledger.entries.get(entryKey(logId, sessionId)) ?? null;
}

/**
 * Takes a document into the ledger, or returns the very same ledger when it is older than what this log has said before,
 * or nothing new. Sessions that it no longer names are marked as withdrawn by it.
 */
export function acceptDocument(ledger: Ledger, document: DesiredDocument): Ledger {
  const known = ledger.accepted.get(document.logId);
  const current = ledger.document;
  if (known !== undefined && document.version < known) return ledger;
  if (current !== null && current.logId === document.logId && current.version === document.version) return ledger;
  const accepted = new Map(ledger.accepted);
  accepted.delete(document.logId);
  accepted.set(document.logId, document.version);
  const forgotten = [...accepted.keys()].slice(0, Math.max(0, accepted.size - LOGS_LIMIT));
  for (const logId of forgotten) accepted.delete(logId);

  const wanted = wantedIds(document);
  const entries = new Map<string, LedgerEntry>();
  for (const [key, entry] of ledger.entries) {
    if (!accepted.has(entry.logId)) continue;
    entries.set(key, entry.logId === document.logId ? withdrawnBy(entry, wanted, document.version) : entry);
  }
  const applied = ledger.applied?.logId === document.logId ? ledger.applied : null;
  const prunes = dropRecorded(ledger.prunes, document.pruneMark);
  return { ...ledger, document, accepted, applied, entries, prunes };
}

function withdrawnBy(entry: LedgerEntry, wanted: ReadonlySet<string>, version: number): LedgerEntry {
  if (wanted.has(entry.sessionId))
    return entry.withdrawnVersion === null ? entry : { ...entry, withdrawnVersion: null };
  return entry.withdrawnVersion === null ? { ...entry, withdrawnVersion: version } : entry;
}

/** Written, and synced, before the engine is asked to make the container. */
export function noteStarting(ledger: Ledger, document: DesiredDocument, session: DesiredSession): Ledger {
  return withEntry(ledger, {
    sessionId: session.sessionId,
    logId: document.logId,
    placedVersion: document.version,
    withdrawnVersion: withdrawnSince(ledger, document.logId, session.sessionId),
    state: 'starting',
    failure: null,
  });
}

export function noteStarted(ledger: Ledger, logId: string, sessionId: string): Ledger {
  const entry = entryOf(ledger, logId, sessionId);
  return entry === null ? ledger : withEntry(ledger, { ...entry, state: 'started', failure: null });
}

/** A start that came to nothing, also one that never reached the engine (no image): it is not tried again. */
export function noteFailed(ledger: Ledger, document: DesiredDocument, sessionId: string, failure: Failure): Ledger {
  const entry = entryOf(ledger, document.logId, sessionId);
  return withEntry(ledger, {
    sessionId,
    logId: document.logId,
    placedVersion: entry?.placedVersion ?? document.version,
    withdrawnVersion: entry?.withdrawnVersion ?? withdrawnSince(ledger, document.logId, sessionId),
    state: 'failed',
    failure,
  });
}

/** A start can end after its session was withdrawn: the newest document tells. */
function withdrawnSince(ledger: Ledger, logId: string, sessionId: string): number | null {
  const current = ledger.document;
  if (current === null || current.logId !== logId) return null;
  return wantedIds(current).has(sessionId) ? null : current.version;
}

/**
 * Brings the ledger in line with what the engine shows. `busy` names sessions with an action in progress, which are left
 * alone. A running container of a wanted session that the ledger does not know is adopted; a start of which nothing is
 * known is closed as interrupted; an entry leaves when its session is neither wanted nor there.
 */
export function settleLedger(
  ledger: Ledger,
  document: DesiredDocument,
  containers: readonly ContainerView[],
  busy: ReadonlySet<string>,
): Ledger {
  const wanted = wantedIds(document);
  const seen = new Map(containers.map((container) => [container.sessionId, container]));
  const entries = new Map(ledger.entries);
  let changed = false;
  for (const [key, entry] of ledger.entries) {
    if (entry.logId !== document.logId || busy.has(entry.sessionId)) continue;
    const container = seen.get(entry.sessionId);
    if (container === undefined && !wanted.has(entry.sessionId)) {
      entries.delete(key);
      changed = true;
      continue;
    }
    const settled = settleEntry(entry, container);
    if (settled !== entry) {
      entries.set(key, settled);
      changed = true;
    }
  }
  for (const { sessionId } of document.sessions) {
    const key = entryKey(document.logId, sessionId);
    const container = seen.get(sessionId);
    if (entries.has(key) || container === undefined || busy.has(sessionId)) continue;
    entries.set(key, adopted(document, container));
    changed = true;
  }
  return changed ? { ...ledger, entries } : ledger;
}

function settleEntry(entry: LedgerEntry, container: ContainerView | undefined): LedgerEntry {
  const ran = container !== undefined && container.status !== 'created';
  if (ran) return entry.state === 'started' ? entry : { ...entry, state: 'started', failure: null };
  return entry.state === 'starting' ? { ...entry, state: 'failed', failure: START_INTERRUPTED } : entry;
}

function adopted(document: DesiredDocument, container: ContainerView): LedgerEntry {
  const never = container.status === 'created';
  return {
    sessionId: container.sessionId,
    logId: document.logId,
    placedVersion: document.version,
    withdrawnVersion: null,
    state: never ? 'failed' : 'started',
    failure: never ? START_INTERRUPTED : null,
  };
}

export function noteApplied(ledger: Ledger, logId: string, version: number): Ledger {
  const applied = ledger.applied;
  if (applied !== null && applied.logId === logId && applied.version >= version) return ledger;
  return { ...ledger, applied: { logId, version } };
}

function withEntry(ledger: Ledger, entry: LedgerEntry): Ledger {
  return { ...ledger, entries: new Map(ledger.entries).set(entryKey(entry.logId, entry.sessionId), entry) };
}

function wantedIds(document: DesiredDocument): ReadonlySet<string> {
  return new Set(document.sessions.map((session) => session.sessionId));
}

/** Undoes `noteStarting` when it could not be written: the engine has not been asked for anything yet. */
export function unnoteStarting(ledger: Ledger, logId: string, sessionId: string): Ledger {
  const entries = new Map(ledger.entries);
  entries.delete(entryKey(logId, sessionId));
  return { ...ledger, entries };
}
