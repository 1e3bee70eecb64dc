import { fc, testProp } from '@fast-check/ava';
import type { ContainerView } from '../agent/engine/port.ts';
import {
  acceptDocument,
  emptyLedger,
  noteApplied,
  noteFailed,
  noteStarted,
  noteStarting,
  settleLedger,
  type Ledger,
} from '../agent/ledger.ts';
import { reconcile, type Action } from '../agent/reconcile.ts';
import { appliedVersion } from '../agent/report.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { desired, wanted } from './support/desired.ts';

const SESSIONS = ['s0', 's1', 's2', 's3', 's4'];
/** Containers that look like ours and were placed by nobody we know. */
const ORPHANS = ['o0', 'o1'];

/** Where an action is cut short: nothing done, only the ledger written, the engine done but not noted, or not at all. */
const cut = fc.constantFrom('never', 'before', 'after-ledger', 'after-engine', 'fails');

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('decide' as const), session: fc.constantFrom(...SESSIONS) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deliver' as const), back: fc.nat({ max: 3 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('work' as const), cuts: fc.array(cut, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('exit' as const), session: fc.constantFrom(...SESSIONS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('vanish' as const), session: fc.constantFrom(...SESSIONS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('plant' as const), session: fc.constantFrom(...ORPHANS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('other-log' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A log that decides, an engine that runs containers, and an agent whose memory is the ledger on its disk. */
class World {
  documents: DesiredDocument[] = [desired(1, [])];
  readonly decided = new Map<string, 'wanted' | 'ended'>();
  readonly containers = new Map<string, ContainerView>();
  readonly starts: string[] = [];
  readonly faults: string[] = [];
  ledger: Ledger = emptyLedger;

  get newest(): DesiredDocument {
    return this.documents.at(-1) ?? desired(1, []);
  }

  take(step: Step): void {
    switch (step.kind) {
      case 'decide':
        return this.decide(step.session);
      case 'deliver':
        return this.deliver(this.documents.at(-1 - step.back) ?? this.newest);
      case 'work':
        return this.work(step.cuts);
      case 'exit':
        return this.alter(step.session, 'exited');
      case 'vanish':
        this.containers.delete(step.session);
        return;
      case 'plant':
        this.containers.set(step.session, view(step.session, 'running'));
        return;
      case 'other-log':
        return this.deliver(desired(1, [], 'log-b'));
    }
  }

  /** A session is wanted once, then ended for ever: ids are never used again. */
  decide(sessionId: string): void {
    const now = this.decided.get(sessionId);
    if (now === 'ended') return;
    this.decided.set(sessionId, now === undefined ? 'wanted' : 'ended');
    const sessions = [...this.decided].filter(([, state]) => state === 'wanted').map(([id]) => wanted(id));
    this.documents.push(desired(this.newest.version + 1, sessions));
  }

  deliver(document: DesiredDocument): void {
    this.ledger = acceptDocument(this.ledger, document);
  }

  /** One round of the loop; every cut but `never` and `fails` is a crash of the agent, which ends the round. */
  work(cuts: readonly string[]): void {
    const { document } = this.ledger;
    if (document === null) return;
    const containers = document.logId === 'log-a' ? [...this.containers.values()] : [];
    const idle = new Map();
    this.ledger = settleLedger(this.ledger, document, containers, new Set());
    const version = appliedVersion({ document, containers, strangers: [] }, this.ledger, idle);
    this.ledger = noteApplied(this.ledger, document.logId, version);
    const actions = reconcile({ desired: document, containers, ledger: this.ledger, inProgress: idle });
    for (const [index, action] of actions.entries()) {
      if (!this.act(action, document, cuts[index % cuts.length] ?? 'never')) return;
    }
  }

  act(action: Action, document: DesiredDocument, cut: string): boolean {
    if (cut === 'before') return false;
    switch (action.kind) {
      case 'start':
        return this.start(action.session.sessionId, document, cut);
      case 'stop':
        this.checkMayEnd(action.sessionId, document);
        if (cut !== 'fails') this.alter(action.sessionId, 'exited');
        return true;
      case 'remove':
        this.checkMayEnd(action.sessionId, document);
        if (cut !== 'fails') this.containers.delete(action.sessionId);
        return true;
      case 'cancel':
        return true;
    }
  }

  start(sessionId: string, document: DesiredDocument, cut: string): boolean {
    this.ledger = noteStarting(this.ledger, document, wanted(sessionId));
    if (cut === 'after-ledger') return false;
    if (cut === 'fails') {
      this.ledger = noteFailed(this.ledger, document, sessionId, { code: 'CONTAINER_START_FAILED', detail: '' });
      return true;
    }
    this.starts.push(sessionId);
    this.containers.set(sessionId, view(sessionId, 'running'));
    if (cut === 'after-engine') return false;
    this.ledger = noteStarted(this.ledger, document.logId, sessionId);
    return true;
  }

  checkMayEnd(sessionId: string, document: DesiredDocument): void {
    if (ORPHANS.includes(sessionId)) this.faults.push(`${sessionId} is an orphan and was ended`);
    if (this.decided.get(sessionId) !== 'ended') this.faults.push(`${sessionId} was not ended by the log`);
    if (document.logId !== 'log-a') this.faults.push(`${sessionId} was ended by another log`);
  }

  alter(sessionId: string, status: ContainerView['status']): void {
    if (this.containers.has(sessionId)) this.containers.set(sessionId, view(sessionId, status));
  }
}

function view(sessionId: string, status: ContainerView['status']): ContainerView {
  const exitCode = status === 'exited' ? 0 : null;
  return { sessionId, containerId: sessionId, status, exitCode, oomKilled: false, startedAt: null, ports: [] };
}

testProp(
  'whatever comes, no session is started twice, nothing is ended that may not be, and all settles',
  [fc.array(step, { maxLength: 60 })],
  (t, steps) => {
    const world = new World();
    for (const each of steps) world.take(each);
    world.deliver(world.newest);
    for (let round = 0; round < 4; round++) world.work(['never']);

    t.is(new Set(world.starts).size, world.starts.length, 'a session was started twice');
    t.deepEqual(world.faults, []);
    const { ledger } = world;
    const document = world.newest;
    t.is(ledger.document?.version, document.version);
    t.is(ledger.applied?.version, document.version, 'the newest version is applied');
    const left = [...world.containers.keys()].filter((id) => world.decided.get(id) === 'ended');
    t.deepEqual(left, [], 'something of an ended session is left');
    for (const { sessionId } of document.sessions) t.true(ledger.entries.has(`log-a/${sessionId}`));
    t.is(ledger.entries.size, document.sessions.length, 'the ledger is bounded by the document');
    const containers = [...world.containers.values()];
    t.deepEqual(reconcile({ desired: document, containers, ledger, inProgress: new Map() }), []);
  },
  { numRuns: 1500 },
);
