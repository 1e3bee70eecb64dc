import type { ObservedPull } from '../domain/checkIn.ts';
import type { DesiredDocument, DesiredSession } from '../domain/desired.ts';
import { isEngineDown, isEngineTimeout } from './engine/errors.ts';
import type { EngineFacts } from './engine/port.ts';
import { containerSpec, failureOf, imageReference } from './containerSpec.ts';
import { noteFailed, noteStarted, noteStarting, unnoteStarting } from './ledger.ts';
import type { ImageLane } from './prune/imageLane.ts';
import type { LedgerKeeper } from './ledgerKeeper.ts';
import type { AgentPorts, AgentSettings } from './ports.ts';
import { hasMoved, notePulled, noteUsed } from './prune/ledger.ts';
import { Pulls } from './pulls.ts';
import type { Action, Phase } from './reconcile.ts';

/** Starts, stops and removals at the same time. Pulls wait for the network, not for this host, and do not count. */
const AT_ONCE = 8;
const STOP_GRACE_SECONDS = 10;
const FIRST_HOLD_MS = 2000;
const LONGEST_HOLD_MS = 60_000;

interface Job {
  phase: Phase;
  /** What is pulled while the phase is `pulling`. */
  image: string | null;
  readonly abort: AbortController;
  /** Over, but no look at the engine has begun since: what the last look showed of the session is out of date. */
  over: boolean;
}

interface Hold {
  readonly until: number;
  readonly ms: number;
}

export interface WorkListeners {
  /** A phase has changed, or an action is over. */
  readonly onChange: () => void;
  /** A pull has gone on (told once a second at most) or is to be tried again. */
  readonly onProgress: () => void;
  /** Awaited before a pull begins. Never rejects. */
  readonly makeRoom: () => Promise<void>;
  /** A pull has taken a tag from an image that was pulled before. */
  readonly onTagMoved: () => void;
}

/**
 * Carries out actions: one at a time for a session, several sessions at a time. A session stays in progress until a look
 * at the engine has begun after its action ended, so that nobody takes an old look for the outcome.
 */
export class Work {
  readonly #ports: AgentPorts;
  readonly #settings: AgentSettings;
  readonly #keeper: LedgerKeeper;
  readonly #onChange: () => void;
  readonly #pulls: Pulls;
  readonly #lane: ImageLane;
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();
  readonly #holds = new Map<string, Hold>();

  constructor(
    ports: AgentPorts,
    settings: AgentSettings,
    keeper: LedgerKeeper,
    lane: ImageLane,
    listeners: WorkListeners,
  ) {
    this.#ports = ports;
    this.#settings = settings;
    this.#keeper = keeper;
    this.#onChange = listeners.onChange;
    this.#lane = lane;
    this.#pulls = new Pulls(ports, {
      makeRoom: listeners.makeRoom,
      onProgress: listeners.onProgress,
      onPulled: (imageId, reference) => {
        const moved = hasMoved(keeper.current, imageId, reference);
        keeper.change((ledger) => notePulled(ledger, imageId, reference));
        if (moved) listeners.onTagMoved();
      },
    });
  }

  get inProgress(): ReadonlyMap<string, Phase> {
    return new Map([...this.#jobs].map(([sessionId, job]) => [sessionId, job.phase]));
  }

  /** By session, how far the image is that it waits for. */
  get pulls(): ReadonlyMap<string, ObservedPull> {
    const pulls = new Map<string, ObservedPull>();
    for (const [sessionId, { phase, image }] of this.#jobs) {
      const progress = phase === 'pulling' && image !== null ? this.#pulls.progressOf(image) : null;
      if (progress !== null) pulls.set(sessionId, progress);
    }
    return pulls;
  }

  /** Sessions whose action is over before the look that begins now. Hand them to `settle` after the look. */
  overNow(): readonly string[] {
    return [...this.#jobs].filter(([, job]) => job.over).map(([sessionId]) => sessionId);
  }

  settle(over: readonly string[]): void {
    for (const sessionId of over) this.#jobs.delete(sessionId);
  }

  /** Begins as many of the actions as may run now; the others come again with the next reconciliation. */
  launch(actions: readonly Action[], document: DesiredDocument, facts: EngineFacts): void {
    const due = new Set(actions.map(sessionOf));
    for (const sessionId of this.#holds.keys()) if (!due.has(sessionId)) this.#holds.delete(sessionId);
    for (const action of actions) {
      const sessionId = sessionOf(action);
      if (action.kind === 'cancel') {
        this.#jobs.get(sessionId)?.abort.abort();
        continue;
      }
      if (this.#jobs.has(sessionId) || this.#held(sessionId) || this.#busy() >= AT_ONCE) continue;
      this.#begin(sessionId, action, document, facts);
    }
  }

  /** Milliseconds until a failed action may be tried again; null when none waits. */
  msToNextHold(): number | null {
    const now = this.#ports.clock.now();
    const waits = [...this.#holds.values()].map((hold) => hold.until - now).filter((wait) => wait > 0);
    return waits.length === 0 ? null : Math.min(...waits);
  }

  /** Ends pulls and waits for the rest. */
  async finish(): Promise<void> {
    for (const job of this.#jobs.values()) if (job.phase === 'pulling') job.abort.abort();
    await Promise.all(this.#running);
  }

  #busy(): number {
    return [...this.#jobs.values()].filter((job) => !job.over && job.phase !== 'pulling').length;
  }

  #held(sessionId: string): boolean {
    const hold = this.#holds.get(sessionId);
    return hold !== undefined && hold.until > this.#ports.clock.now();
  }

  #begin(
    sessionId: string,
    action: Exclude<Action, { kind: 'cancel' }>,
    document: DesiredDocument,
    facts: EngineFacts,
  ) {
    const job: Job = { phase: firstPhase(action), image: null, abort: new AbortController(), over: false };
    this.#jobs.set(sessionId, job);
    const run = this.#run(sessionId, action, job, document, facts).finally(() => {
      this.#running.delete(run);
      job.over = true;
      this.#onChange();
    });
    this.#running.add(run);
  }

  async #run(
    sessionId: string,
    action: Exclude<Action, { kind: 'cancel' }>,
    job: Job,
    document: DesiredDocument,
    facts: EngineFacts,
  ): Promise<void> {
    try {
      switch (action.kind) {
        case 'start':
          await this.#lane.use(imageReference(action.session.image), () =>
            this.#start(action.session, job, document, facts),
          );
          break;
        case 'stop':
          await this.#ports.engine.stop(sessionId, STOP_GRACE_SECONDS);
          break;
        case 'remove':
          await this.#ports.engine.remove(sessionId);
          this.#ports.log.info({ sessionId }, 'session removed');
          break;
      }
      this.#holds.delete(sessionId);
    } catch (error) {
      if (job.abort.signal.aborted) return;
      const ms = Math.min(LONGEST_HOLD_MS, (this.#holds.get(sessionId)?.ms ?? FIRST_HOLD_MS / 2) * 2);
      this.#holds.set(sessionId, { ms, until: this.#ports.clock.now() + ms });
      this.#ports.log.warn(
        { sessionId, action: action.kind, err: error, retryMs: ms },
        'action failed, tried again later',
      );
    }
  }

  /** Throws only what is worth another try: nothing has been asked of the engine that could have made a container. */
  async #start(session: DesiredSession, job: Job, document: DesiredDocument, facts: EngineFacts): Promise<void> {
    const { sessionId } = session;
    const { clock, engine, log } = this.#ports;
    const begun = clock.now();
    if (!(await this.#imagePresent(session, job, document)) || !this.#stillWanted(document.logId, sessionId)) return;
    this.#phase(job, 'starting');
    this.#keeper.change((ledger) => noteStarting(ledger, document, session));
    try {
      await this.#keeper.synced();
    } catch (error) {
      this.#keeper.change((ledger) => unnoteStarting(ledger, document.logId, sessionId));
      throw error;
    }
    try {
      await engine.start(containerSpec(session, document.logId, this.#settings, facts));
      this.#keeper.change((ledger) => noteStarted(ledger, document.logId, sessionId));
      log.info({ sessionId, ms: clock.now() - begun }, 'session started');
    } catch (error) {
      log.warn({ sessionId, err: error }, 'session did not start');
      // Whether a container came of it, only the next look can tell; the ledger stays at `starting` until then.
      if (isEngineDown(error) || isEngineTimeout(error)) return;
      this.#keeper.change((ledger) => noteFailed(ledger, document, sessionId, failureOf(error)));
    }
  }

  /**
   * False when the session is not to be started now: the failure is in the ledger, the pull was cancelled, or the image has
   * only just come. In that case the next look starts it, so that many that waited for one image start a few at a time.
   */
  async #imagePresent(session: DesiredSession, job: Job, document: DesiredDocument): Promise<boolean> {
    const { engine, log } = this.#ports;
    const reference = imageReference(session.image);
    try {
      const here = await engine.hasImage(reference);
      if (here !== null) {
        this.#keeper.change((ledger) => noteUsed(ledger, here.imageId));
        return true;
      }
      job.image = reference;
      this.#phase(job, 'pulling');
      log.info({ sessionId: session.sessionId, image: reference }, 'image is pulled');
      await this.#pulls.pull(reference, job.abort.signal);
      return false;
    } catch (error) {
      if (job.abort.signal.aborted) return false;
      // An engine that is away is no fault of the session's; a pull that stood still is.
      if (isEngineDown(error) || (isEngineTimeout(error) && job.phase !== 'pulling')) throw error;
      log.warn({ sessionId: session.sessionId, image: reference, err: error }, 'image could not be had');
      this.#keeper.change((ledger) => noteFailed(ledger, document, session.sessionId, failureOf(error)));
      return false;
    }
  }

  #stillWanted(logId: string, sessionId: string): boolean {
    const { document } = this.#keeper.current;
    return document?.logId === logId && document.sessions.some((session) => session.sessionId === sessionId);
  }

  #phase(job: Job, phase: Phase): void {
    if (job.phase === phase) return;
    job.phase = phase;
    this.#onChange();
  }
}

function sessionOf(action: Action): string {
  return action.kind === 'start' ? action.session.sessionId : action.sessionId;
}

function firstPhase(action: Exclude<Action, { kind: 'cancel' }>): Phase {
  switch (action.kind) {
    case 'start':
      return 'starting';
    case 'stop':
      return 'stopping';
    case 'remove':
      return 'removing';
  }
}
