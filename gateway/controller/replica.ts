import type { AnyFact } from '../../domain/events.ts';
import type { Clock } from '../../infra/clock.ts';
import { isHistoryOffline, isLogUnreadable } from '../../infra/log/errors.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import { Controller } from './controller.ts';
import { answerAgain } from './group.ts';
import type { Lease } from './lease.ts';
import type { LogFold, Projection } from './logFold.ts';
import {
  ControllerUnavailable,
  LogReadOnly,
  SteppedDown,
  isSteppedDown,
  type Answer,
  type Machine,
  type Submission,
} from './machine.ts';
import type { Term } from './term.ts';

/** What this gateway is to one log. `read-only`: the log holds what it cannot understand or trust. */
export type Role = 'starting' | 'following' | 'leading' | 'read-only' | 'stopped';

export interface ReplicaOptions<State, Command, Fact extends AnyFact, View extends Projection<State>> {
  readonly log: LogName;
  readonly eventLog: EventLog;
  readonly machine: Machine<State, Command, Fact>;
  readonly fold: LogFold<State, View>;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly newLogId: () => string;
  /** Asks the gateway that leads the log. Rejects with ControllerUnavailable or SteppedDown when it cannot. */
  readonly forward: (gatewayId: string, submission: Submission<Command>) => Promise<Answer>;
  readonly onRole?: (role: Role) => void;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  /** What an operator looks after when the log does not answer for long, as a sentence. */
  readonly remedy: string;
  /** Told when the log has not taken for long what was decided here, and when it takes it again. */
  readonly onStall?: (stalled: boolean) => void;
}

const AGAIN_MS = 250;
const UNREADABLE_PAUSE_MS = 500;
const NO_BEGINNING =
  ', and no snapshot reaches that far: bring back what was deleted or truncated, from a backup, and start this gateway again';
/** How long a command looks for whoever leads the log, in ms. */
const HAND_OVER_MS = 10_000;

/**
 * One log in one gateway. It follows the log, and shows it; while it holds the lease, its controller decides for it. A
 * command is decided here or by the gateway that leads, and is answered only when what came of it can be seen here.
 */
export class Replica<State, Command, Fact extends AnyFact, View extends Projection<State>> {
  readonly #options: ReplicaOptions<State, Command, Fact, View>;
  readonly #stop = new AbortController();
  #controller: Controller<State, Command, Fact> | null = null;
  #role: Role = 'starting';
  #readOnly: LogReadOnly | null = null;
  #settled = Promise.withResolvers<void>();
  #living: Promise<void> = Promise.resolve();
  readonly #watchers = new Set<() => void>();

  constructor(options: ReplicaOptions<State, Command, Fact, View>) {
    this.#options = options;
  }

  get role(): Role {
    return this.#role;
  }

  /** Why the log is read-only here, with the place; null when it is not. */
  get readOnly(): LogReadOnly | null {
    return this.#readOnly;
  }

  /** Who leads the log, as far as this gateway knows. */
  get leader(): string | null {
    return this.#options.lease.holder;
  }

  /** What is shown: acknowledged, and folded as far as this gateway has read. */
  get view(): View {
    return this.#options.fold.view;
  }

  /** The last acknowledged version that was folded, 0 while the log is empty. */
  get version(): number {
    return this.#options.fold.version;
  }

  get logId(): string | null {
    return this.#options.fold.head?.commit.logId ?? null;
  }

  /** Settles when it has stopped; rejects at what must not happen. */
  get done(): Promise<void> {
    return this.#living;
  }

  /** Folds the log, then resolves when this gateway leads it, follows another that does, or finds that it cannot be read. */
  async start(): Promise<void> {
    try {
      await this.#options.fold.catchUp();
      this.#living = this.#live();
      this.#living.catch((error: unknown) => this.#settled.reject(error));
    } catch (error) {
      if (!isLogUnreadable(error) && !isHistoryOffline(error)) throw error;
      this.#giveUp(error, isHistoryOffline(error) ? NO_BEGINNING : '');
    }
    await this.#settled.promise;
  }

  /** Ends after the group in flight and hands the lease back. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#controller?.stop();
    this.#tell();
    try {
      await this.#living;
    } finally {
      this.#setRole('stopped');
    }
  }

  /** For every commit that the fold took, to be called by whoever made the fold. */
  folded(): void {
    this.#tell();
  }

  /** Resolves once the outcome is in the log and seen here. Rejects with ControllerUnavailable or LogReadOnly. */
  async submit(submission: Submission<Command>): Promise<Answer> {
    const until = this.#options.clock.now() + HAND_OVER_MS;
    for (;;) {
      if (this.#readOnly !== null) throw this.#readOnly;
      if (this.#stop.signal.aborted) throw new ControllerUnavailable('the gateway is stopping');
      try {
        return await this.#submitOnce(submission);
      } catch (error) {
        // Under the same key the next leader gives the same answer; what comes again by itself is left to come again.
        const again = isSteppedDown(error) && submission.recorded && this.#options.clock.now() < until;
        if (!again) throw error;
      }
      await this.#options.clock.sleep(AGAIN_MS, this.#stop.signal);
    }
  }

  /** Decides here or not at all: what another gateway asks. Rejects with SteppedDown when this gateway does not lead. */
  async submitHere(submission: Submission<Command>): Promise<Answer> {
    if (this.#controller === null) throw new SteppedDown();
    return await this.#controller.submit(submission);
  }

  /** The answer to a command that was carried out under this key, as far as it is seen here; null when there was none. */
  earlier(key: string, requestHash: string): Answer | null {
    const known = this.#options.fold.memory.outcomes.get(key);
    return known === undefined ? null : answerAgain(known, requestHash);
  }

  /** Reads acknowledged state. The question must not keep or change what it is shown. */
  async ask<Result>(question: (state: State) => Result): Promise<Result> {
    return question(this.#options.fold.state);
  }

  async #submitOnce(submission: Submission<Command>): Promise<Answer> {
    if (this.#controller !== null) return await this.#controller.submit(submission);
    const { lease, forward } = this.#options;
    if (lease.foreign !== null) throw new ControllerUnavailable(lease.foreign);
    if (lease.holder === null || this.#role === 'starting') throw new SteppedDown();
    const answer = await forward(lease.holder, submission);
    if (answer.kind === 'accepted') await this.#seen(answer.version);
    return answer;
  }

  /** Resolves when the version is folded here. */
  async #seen(version: number): Promise<void> {
    const { clock } = this.#options;
    const seen = new AbortController();
    const late = new AbortController();
    const timer = clock.sleep(HAND_OVER_MS, seen.signal).then(() => {
      late.abort();
      this.#tell();
    });
    while (this.version < version && !late.signal.aborted && !this.#stop.signal.aborted) await this.#next();
    seen.abort();
    await timer;
    if (this.version < version) {
      throw new ControllerUnavailable('it was done, but is not seen here yet; ask again with the same idempotency key');
    }
  }

  #next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.add(resolve);
    return promise;
  }

  #tell(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }

  async #live(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        const term = await this.#followUntilElected();
        if (term !== null) await this.#lead(term);
      }
    } catch (error) {
      if (!isLogUnreadable(error)) throw error;
      this.#giveUp(error);
    } finally {
      this.#settled.resolve();
    }
  }

  /** Shows what others write until the lease is had; null when the replica stops. */
  async #followUntilElected(): Promise<Term | null> {
    const elected = new AbortController();
    const either = AbortSignal.any([elected.signal, this.#stop.signal]);
    const following = this.#follow(either);
    const acquiring = this.#options.lease.acquire(either, () => {
      this.#setRole('following');
      this.#settled.resolve();
    });
    // When following ends by itself the log cannot be read, and nobody who cannot read it may lead.
    const ended = following.then(
      () => null,
      () => null,
    );
    const first = await Promise.race([acquiring, ended]);
    elected.abort();
    const term = first ?? (await acquiring);
    try {
      await following;
    } catch (error) {
      await term?.release();
      throw error;
    }
    return term;
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { fold, log, clock, onTrouble } = this.#options;
    while (!signal.aborted) {
      try {
        await fold.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (isLogUnreadable(error)) throw error;
        onTrouble(`the ${log} log cannot be followed; trying again`, error);
        await clock.sleep(UNREADABLE_PAUSE_MS, signal);
      }
    }
  }

  /** In office, until the lease is lost, the replica stops, or the log cannot be trusted any more. */
  async #lead(term: Term): Promise<void> {
    try {
      if (!(await this.#catchUp(term))) return;
      const controller = new Controller({ ...this.#options, mayWrite: (signal) => term.fresh(signal) });
      this.#controller = controller;
      this.#setRole('leading');
      this.#settled.resolve();
      const running = controller.run();
      void term.lost.then(() => controller.stop(new SteppedDown()));
      if (this.#stop.signal.aborted) controller.stop();
      await running;
    } finally {
      this.#controller = null;
      this.#setRole('following');
      await term.release();
    }
  }

  /** False when the term is over before the log could be read. */
  async #catchUp(term: Term): Promise<boolean> {
    const { fold, log, clock, onTrouble } = this.#options;
    while (term.isFresh && !this.#stop.signal.aborted) {
      try {
        await fold.catchUp();
        return true;
      } catch (error) {
        if (isLogUnreadable(error)) throw error;
        onTrouble(`the ${log} log cannot be read; trying again`, error);
        await clock.sleep(UNREADABLE_PAUSE_MS, this.#stop.signal);
      }
    }
    return false;
  }

  #giveUp(error: unknown, remedy = ''): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#readOnly = new LogReadOnly(`${this.#options.log} is read-only here: ${why}${remedy}`, { cause: error });
    this.#setRole('read-only');
    this.#options.onTrouble(`${this.#options.log} is shown up to version ${this.version} and not written here`, error);
    this.#settled.resolve();
    this.#tell();
  }

  #setRole(role: Role): void {
    const over = this.#role === 'stopped' || (this.#role === 'read-only' && role !== 'stopped');
    if (over || this.#role === role) return;
    this.#role = role;
    this.#options.onRole?.(role);
  }
}
