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
  unnoteStarting,
  type Ledger,
} from '../agent/ledger.ts';
import { reconcile, type Action } from '../agent/reconcile.ts';
import { appliedVersion, report, type Basis } from '../agent/report.ts';
import type { DesiredDocument } from '../domain/desired.ts';
import { desired, wanted } from './support/desired.ts';

/** Two logs that this agent works for in turn, as after a zone was restored or the agent moved. Ids are never shared. */
const LOGS = ['log-a', 'log-b'] as const;
type LogId = (typeof LOGS)[number];
const SESSIONS = ['s0', 's1', 's2'];
/** Containers that look like ours and were placed by nobody we know. */
const ORPHANS = ['o0', 'o1'];
/** What a check-in may say of a session that holds nothing any more, and what containers hold something. */
const OVER: ReadonlySet<string> = new Set(['exited', 'failed', 'gone']);
const ALIVE: ReadonlySet<string> = new Set(['running', 'paused', 'restarting']);
const STATUSES = ['created', 'running', 'paused', 'restarting', 'exited', 'dead', 'removing'] as const;

/**
 * How an action goes. The agent crashes `before` it, with the ledger written and the engine not asked, with a container
 * `made` that was not started, or with all done and nothing noted. Or it lives, and the ledger cannot be written, the
 * engine refuses, or its answer is lost.
 */
const COURSES = ['well', 'before', 'after-ledger', 'made', 'after-engine', 'unsaved', 'refused', 'unanswered'] as const;
type Course = (typeof COURSES)[number];

/** Mostly of the one log: with each change of logs the agent begins anew. */
const log = fc.constantFrom(LOGS[0], LOGS[0], LOGS[0], LOGS[1]);
const place = { log, session: fc.constantFrom(...SESSIONS) };
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('decide' as const), ...place }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('deliver' as const), log, back: fc.nat({ max: 3 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      saved: fc.constantFrom(true, true, true, false),
      courses: fc.array(fc.constantFrom<Course>('well', 'well', ...COURSES), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('become' as const), ...place, status: fc.constantFrom(...STATUSES) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('vanish' as const), ...place }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('plant' as const),
      session: fc.constantFrom(...ORPHANS),
      status: fc.constantFrom(...STATUSES),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A log that decides: a session is wanted once, then ended for ever. */
class Log {
  readonly id: LogId;
  readonly documents: DesiredDocument[];
  /** By session id: the version that ended it; null while it is wanted. */
  readonly ended = new Map<string, number | null>();

  constructor(id: LogId) {
    this.id = id;
    this.documents = [desired(1, [], id)];
  }

  get newest(): DesiredDocument {
    return this.documents.at(-1) ?? desired(1, [], this.id);
  }

  decide(sessionId: string): void {
    const version = this.newest.version + 1;
    const before = this.ended.get(sessionId);
    if (typeof before === 'number') return;
    this.ended.set(sessionId, before === undefined ? null : version);
    const sessions = [...this.ended].filter(([, end]) => end === null).map(([id]) => wanted(id));
    this.documents.push(desired(version, sessions, this.id));
  }
}

/** Logs, an engine that runs containers, and an agent that remembers more than it has written down. */
class World {
  readonly logs: Readonly<Record<LogId, Log>> = { 'log-a': new Log('log-a'), 'log-b': new Log('log-b') };
  /** By log and session. */
  readonly containers = new Map<string, ContainerView>();
  /** Every container that was made for a session. */
  readonly made: string[] = [];
  readonly faults: string[] = [];
  /** Sessions whose claims are free: a check-in said that they were withdrawn, and nothing of them was there. */
  readonly released = new Set<string>();
  memory: Ledger = emptyLedger;
  disk: Ledger = emptyLedger;

  take(step: Step): void {
    switch (step.kind) {
      case 'decide':
        return this.logs[step.log].decide(idIn(step.log, step.session));
      case 'deliver': {
        const { documents, newest } = this.logs[step.log];
        return this.deliver(documents.at(-1 - step.back) ?? newest);
      }
      case 'work':
        return this.work(step.courses, step.saved);
      case 'crash':
        return this.crash();
      case 'become':
        return this.become(`${step.log}/${idIn(step.log, step.session)}`, step.status);
      case 'vanish':
        this.containers.delete(`${step.log}/${idIn(step.log, step.session)}`);
        return;
      case 'plant':
        this.containers.set(`log-a/${step.session}`, view(step.session, step.status));
        return;
    }
  }

  deliver(document: DesiredDocument): void {
    this.memory = acceptDocument(this.memory, document);
  }

  crash(): void {
    this.memory = this.disk;
  }

  /** One round of the loop: look, settle, write, say, act. */
  work(courses: readonly Course[], saved: boolean): void {
    const { document } = this.memory;
    if (document === null) return;
    const containers = this.containersOf(document.logId);
    const idle = new Map();
    this.memory = settleLedger(this.memory, document, containers, new Set());
    const version = appliedVersion({ document, containers, strangers: [] }, this.memory, idle);
    this.memory = noteApplied(this.memory, document.logId, version);
    if (saved) this.disk = this.memory;
    this.say({ document, containers, strangers: [] });
    const actions = reconcile({ desired: document, containers, ledger: this.memory, inProgress: idle });
    for (const [index, action] of actions.entries()) {
      const lives = this.act(action, document, courses[index % courses.length] ?? 'well');
      if (!lives) return this.crash();
    }
  }

  /** The check-in, and what its log makes of it: a claim ends when the withdrawal is applied and the session is over. */
  say(basis: Basis): void {
    const { applied } = this.disk;
    if (applied === null || applied.logId !== basis.document?.logId) return;
    const { sessions } = report(basis, this.memory, new Map());
    for (const [sessionId, end] of this.logs[logOf(applied.logId)].ended) {
      if (end === null || end > applied.version) continue;
      const told = sessions.find((session) => session.sessionId === sessionId)?.status ?? 'gone';
      if (!OVER.has(told)) continue;
      this.released.add(sessionId);
      const { status } = this.containers.get(`${applied.logId}/${sessionId}`) ?? { status: null };
      if (status !== null && ALIVE.has(status)) this.faults.push(`${sessionId} is ${status} and said to be ${told}`);
    }
  }

  /** False when the agent crashes in it. */
  act(action: Action, document: DesiredDocument, course: Course): boolean {
    if (course === 'before') return false;
    switch (action.kind) {
      case 'start':
        return this.start(action.session.sessionId, document, course);
      case 'stop':
      case 'remove':
        this.end(action.kind, action.sessionId, document, course);
        return course !== 'after-engine';
      case 'cancel':
        return true;
    }
  }

  end(how: 'stop' | 'remove', sessionId: string, document: DesiredDocument, course: Course): void {
    const key = `${document.logId}/${sessionId}`;
    if (ORPHANS.includes(sessionId)) this.faults.push(`${sessionId} is an orphan and was ended`);
    if (typeof this.logs[logOf(document.logId)].ended.get(sessionId) !== 'number') {
      this.faults.push(`${sessionId} was not ended by its log`);
    }
    if (course === 'refused') return;
    if (how === 'stop') this.become(key, 'exited');
    else this.containers.delete(key);
  }

  start(sessionId: string, document: DesiredDocument, course: Course): boolean {
    if (this.released.has(sessionId)) this.faults.push(`${sessionId} was started, and its claim was free`);
    this.memory = noteStarting(this.memory, document, wanted(sessionId));
    if (course === 'unsaved') {
      this.memory = unnoteStarting(this.memory, document.logId, sessionId);
      return true;
    }
    this.disk = this.memory;
    if (course === 'after-ledger') return false;
    if (course === 'refused') {
      this.memory = noteFailed(this.memory, document, sessionId, { code: 'CONTAINER_START_FAILED', detail: '' });
      return true;
    }
    this.made.push(sessionId);
    const half = course === 'made';
    this.containers.set(`${document.logId}/${sessionId}`, view(sessionId, half ? 'created' : 'running'));
    if (half || course === 'after-engine') return false;
    if (course !== 'unanswered') this.memory = noteStarted(this.memory, document.logId, sessionId);
    return true;
  }

  become(key: string, status: ContainerView['status']): void {
    const container = this.containers.get(key);
    // What the engine removes is not coming back.
    if (container === undefined || container.status === 'removing') return;
    this.containers.set(key, view(container.sessionId, status));
  }

  /** The engine finishes what it had begun to remove. */
  finishRemovals(): void {
    for (const [key, { status }] of this.containers) if (status === 'removing') this.containers.delete(key);
  }

  containersOf(logId: string): readonly ContainerView[] {
    return [...this.containers].filter(([key]) => key.startsWith(`${logId}/`)).map(([, container]) => container);
  }
}

function idIn(log: LogId, session: string): string {
  return log === 'log-a' ? session : `${session}-of-b`;
}

function logOf(logId: string): LogId {
  const log = LOGS.find((each) => each === logId);
  if (log === undefined) throw new Error(`there is no log ${logId}`);
  return log;
}

function view(sessionId: string, status: ContainerView['status']): ContainerView {
  const exitCode = status === 'exited' || status === 'dead' ? 0 : null;
  return {
    sessionId,
    containerId: sessionId,
    imageDigest: null,
    status,
    exitCode,
    oomKilled: false,
    startedAt: null,
    health: null,
    ports: [],
  };
}

testProp(
  'whatever comes, no session is started twice or after its claim was free, nothing is ended that may not be, and all settles',
  [fc.array(step, { maxLength: 60, size: 'max' })],
  (t, steps) => {
    const world = new World();
    for (const each of steps) world.take(each);
    const log = world.logs['log-a'];
    world.deliver(log.newest);
    for (let round = 0; round < 4; round++) {
      world.finishRemovals();
      world.work(['well'], true);
    }

    t.is(new Set(world.made).size, world.made.length, 'a session was started twice');
    t.deepEqual(world.faults, []);
    const { memory: ledger } = world;
    const document = log.newest;
    t.is(ledger.document?.version, document.version);
    t.is(ledger.applied?.version, document.version, 'the newest version is applied');
    const containers = world.containersOf('log-a');
    const left = containers.filter(({ sessionId }) => typeof log.ended.get(sessionId) === 'number');
    t.deepEqual(left, [], 'something of an ended session is left');
    const entries = [...ledger.entries.values()].filter(({ logId }) => logId === 'log-a');
    t.deepEqual(
      entries.map(({ sessionId }) => sessionId).toSorted(),
      document.sessions.map(({ sessionId }) => sessionId).toSorted(),
      'the ledger is bounded by the document',
    );
    t.deepEqual(reconcile({ desired: document, containers, ledger, inProgress: new Map() }), []);
  },
  { numRuns: 3000 },
);
