import test from 'ava';
import type { ContainerView } from '../agent/engine/port.ts';
import {
  acceptDocument,
  emptyLedger,
  noteFailed,
  noteStarted,
  noteStarting,
  settleLedger,
  type Ledger,
} from '../agent/ledger.ts';
import { reconcile, type Phase } from '../agent/reconcile.ts';
import { appliedVersion, report } from '../agent/report.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { desired, wanted } from './support/desired.ts';

const IDLE: ReadonlyMap<string, Phase> = new Map();

function container(sessionId: string, change: Partial<ContainerView> = {}): ContainerView {
  return {
    sessionId,
    containerId: `c-${sessionId}`,
    imageDigest: null,
    status: 'running',
    exitCode: null,
    oomKilled: false,
    startedAt: '2026-01-01T00:00:00.000Z',
    health: null,
    ports: [],
    ...change,
  };
}

/** A ledger that accepted these documents and started every session of them. */
function ledgerAfter(...documents: readonly DesiredDocument[]): Ledger {
  let ledger = emptyLedger;
  for (const document of documents) {
    ledger = acceptDocument(ledger, document);
    for (const session of document.sessions) {
      ledger = noteStarted(noteStarting(ledger, document, session), document.logId, session.sessionId);
    }
  }
  return ledger;
}

function kinds(
  document: DesiredDocument | null,
  ledger: Ledger,
  containers: readonly ContainerView[],
  inProgress = IDLE,
): string[] {
  return reconcile({ desired: document, ledger, containers, inProgress }).map((action) =>
    action.kind === 'start' ? `start ${action.session.sessionId}` : `${action.kind} ${action.sessionId}`,
  );
}

test('a wanted session without container and ledger entry is started', (t) => {
  const document = desired(1, [wanted('s1')]);
  t.deepEqual(kinds(document, acceptDocument(emptyLedger, document), []), ['start s1']);
});

test('a session that was started once is never started again, and reported as gone', (t) => {
  const document = desired(1, [wanted('s1')]);
  const ledger = ledgerAfter(document);
  t.deepEqual(kinds(document, ledger, []), []);
  t.is(report({ document, containers: [], strangers: [] }, ledger, IDLE).sessions[0]?.status, 'gone');
});

test('a session that may not be created is not started, and reported as gone', (t) => {
  const document = desired(1, [wanted('s1', { mayCreate: false })]);
  const ledger = acceptDocument(emptyLedger, document);
  t.deepEqual(kinds(document, ledger, []), []);
  t.is(report({ document, containers: [], strangers: [] }, ledger, IDLE).sessions[0]?.status, 'gone');
});

test('a failed start is reported with its reason and not tried again', (t) => {
  const document = desired(1, [wanted('s1')]);
  const failure = { code: 'IMAGE_NOT_FOUND', detail: 'no such image' };
  const ledger = noteFailed(acceptDocument(emptyLedger, document), document, 's1', failure);
  t.deepEqual(kinds(document, ledger, []), []);
  const [session] = report({ document, containers: [], strangers: [] }, ledger, IDLE).sessions;
  t.is(session?.status, 'failed');
  t.deepEqual(session?.failure, failure);
});

test('an exited container stays and is reported until a document without its session comes', (t) => {
  const document = desired(1, [wanted('s1')]);
  const exited = container('s1', { status: 'exited', exitCode: 137, oomKilled: true });
  const ledger = ledgerAfter(document);
  t.deepEqual(kinds(document, ledger, [exited]), []);
  const [session] = report({ document, containers: [exited], strangers: [] }, ledger, IDLE).sessions;
  t.like(session, { status: 'exited', exitCode: 137, oomKilled: true });
  const without = desired(2, []);
  t.deepEqual(kinds(without, acceptDocument(ledger, without), [exited]), ['remove s1']);
});

test('the digest of what a container was made from is told until the document knows that it was started', (t) => {
  const imageDigest = `sha256:${'a'.repeat(64)}`;
  const told = (mayCreate: boolean, change: Partial<ContainerView>) => {
    const document = desired(1, [wanted('s1', { mayCreate })]);
    const basis = { document, containers: [container('s1', change)], strangers: [] };
    return report(basis, ledgerAfter(document), IDLE).sessions[0]?.imageDigest;
  };
  t.is(told(true, { imageDigest }), imageDigest);
  t.is(told(false, { imageDigest }), undefined);
  t.is(told(true, {}), undefined);
});

test('a running container whose session was withdrawn is stopped first', (t) => {
  const without = desired(2, []);
  const ledger = acceptDocument(ledgerAfter(desired(1, [wanted('s1')])), without);
  t.deepEqual(kinds(without, ledger, [container('s1')]), ['stop s1']);
});

test('a pull whose session was withdrawn is cancelled', (t) => {
  const without = desired(2, []);
  const ledger = acceptDocument(emptyLedger, without);
  t.deepEqual(kinds(without, ledger, [], new Map([['s1', 'pulling']])), ['cancel s1']);
});

test('a labelled container that this log is not known to have placed is an orphan and is left alone', (t) => {
  const document = desired(5, []);
  const ledger = acceptDocument(emptyLedger, document);
  t.deepEqual(kinds(document, ledger, [container('s9')]), []);
  const seen = report(
    { document, containers: [container('s9')], strangers: [{ sessionId: 's8', logId: 'log-b' }] },
    ledger,
    IDLE,
  );
  t.deepEqual(seen.sessions, []);
  t.deepEqual(seen.orphans, [
    { sessionId: 's8', logId: 'log-b' },
    { sessionId: 's9', logId: 'log-a' },
  ]);
});

test('without a document nothing is done', (t) => {
  t.deepEqual(kinds(null, ledgerAfter(desired(1, [wanted('s1')])), [container('s1')]), []);
});

test('a document older than one accepted before is not accepted, and obeyed by nobody', (t) => {
  const ledger = ledgerAfter(desired(7, [wanted('s1')]));
  const older = desired(3, []);
  t.is(acceptDocument(ledger, older), ledger);
  t.deepEqual(kinds(older, ledger, [container('s1')]), []);
});

test('a document of another log ends nothing that the first log started', (t) => {
  const other = desired(9, [], 'log-b');
  const ledger = acceptDocument(ledgerAfter(desired(1, [wanted('s1')])), other);
  t.deepEqual(kinds(other, ledger, [container('s1')]), []);
  t.is(acceptDocument(ledger, desired(0, [], 'log-a')), ledger, 'and the first log cannot go back in between');
});

test('a running container of a wanted session that the ledger does not know is adopted', (t) => {
  const document = desired(4, [wanted('s1')]);
  const ledger = settleLedger(acceptDocument(emptyLedger, document), document, [container('s1')], new Set());
  t.deepEqual(kinds(document, ledger, [container('s1')]), []);
  const without = desired(5, []);
  t.deepEqual(kinds(without, acceptDocument(ledger, without), [container('s1')]), ['stop s1']);
});

test('a start of which no container came is closed as interrupted, and one that ran is not', (t) => {
  const document = desired(1, [wanted('s1'), wanted('s2')]);
  let ledger = acceptDocument(emptyLedger, document);
  for (const session of document.sessions) ledger = noteStarting(ledger, document, session);
  const containers = [container('s2', { status: 'exited', exitCode: 0 })];
  ledger = settleLedger(ledger, document, containers, new Set());
  const seen = report({ document, containers, strangers: [] }, ledger, IDLE).sessions;
  t.deepEqual(
    seen.map(({ sessionId, status }) => [sessionId, status]),
    [
      ['s1', 'failed'],
      ['s2', 'exited'],
    ],
  );
  t.is(seen[0]?.failure?.code, 'START_INTERRUPTED');
});

test('a version is applied when nothing is left of what it withdrew; a slow end does not hold back what came before', (t) => {
  const first = desired(1, [wanted('s1'), wanted('s2')]);
  const second = desired(4, [wanted('s2')]);
  const third = desired(6, []);
  let ledger = acceptDocument(acceptDocument(ledgerAfter(first), second), third);
  const at = (containers: readonly ContainerView[]) =>
    appliedVersion({ document: third, containers, strangers: [] }, ledger, IDLE);
  t.is(at([container('s1'), container('s2')]), 3);
  t.is(at([container('s2')]), 5);
  t.is(at([container('s2', { status: 'exited', exitCode: 0 })]), 5);
  t.is(at([]), 6);
  ledger = settleLedger(ledger, third, [], new Set());
  t.is(ledger.entries.size, 0, 'and nothing of them is remembered');
});

test('sessions that are still starting do not hold back the applied version', (t) => {
  const document = desired(3, [wanted('s1')]);
  const ledger = acceptDocument(emptyLedger, document);
  const basis = { document, containers: [], strangers: [] };
  t.is(appliedVersion(basis, ledger, new Map([['s1', 'pulling']])), 3);
});
