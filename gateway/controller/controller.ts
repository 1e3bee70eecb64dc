import type { Remembered } from '../../domain/commandMemory.ts';
import type { Commit } from '../../domain/commit.ts';
import type { AnyFact } from '../../domain/events.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { nextCommit } from '../../infra/log/codec.ts';
import { LogError, LogErrorCode, isLogUnreadable, isVersionConflict } from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';
import { decideInto, emptyGroup, type Group } from './group.ts';
import type { LogFold, Projection } from './logFold.ts';
import {
  ControllerUnavailable,
  isSteppedDown,
  type Answer,
  type DecisionContext,
  type Machine,
  type Submission,
} from './machine.ts';
import { settle } from './settle.ts';

export interface ControllerOptions<State, Command, Fact extends AnyFact> {
  readonly log: LogName;
  readonly eventLog: EventLog;
  readonly machine: Machine<State, Command, Fact>;
  readonly clock: Clock;
  readonly newLogId: () => string;
  /** What is acknowledged. The controller folds its own commits into it, and reads into it what others have written. */
  readonly fold: LogFold<State, Projection<State>>;
  /** Resolves when this gateway may write now; rejects with SteppedDown when it may not any more, or at the signal. */
  readonly mayWrite: (signal: AbortSignal) => Promise<void>;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  /** What an operator looks after when the log does not answer for long, as a sentence; callers are told. */
  readonly remedy: string;
  /** Told when the log has not taken for long what was decided, and when it takes it again. */
  readonly onStall?: (stalled: boolean) => void;
  /** An answer that takes longer is refused as unavailable; the command may still be carried out. Milliseconds. */
  readonly answerWithinMs?: number;
}

/** Commands waiting to be decided; a further one is refused at once. */
export const WAITING_LIMIT = 10_000;
const ANSWER_WITHIN_MS = 10_000;
const REFOLD_PAUSE_MS = 500;
/** Refused as stale so often in a row while nobody has written: the log has lost its end. */
const VAIN_REFOLDS = 5;
const TOO_MANY = 'too many commands are waiting; nothing was done, try again';
const NOT_TAKEN = 'the event log does not answer; nothing was done, try again';
const DOUBTFUL = 'the event log does not answer; ask again with the same idempotency key';

interface Waiting<Command> {
  readonly submission: Submission<Command>;
  readonly answer: (answer: Answer) => void;
  readonly fail: (error: unknown) => void;
}

/** A group with those who wait for it. All of it is decided at one time, so that folding the commit gives the same state. */
interface Batch<Command> {
  readonly group: Group<Command>;
  readonly taken: Waiting<Command>[];
  readonly context: DecisionContext;
}

/** A batch whose commit is being written. `logId`: the log's, or the one that this first commit gives it. */
interface Flight<Command> extends Batch<Command> {
  readonly logId: string;
}

/**
 * The one writer of one log, for as long as its gateway leads it. It decides the waiting commands one after another in
 * memory, appends their events as one commit and answers when the store has acknowledged it; meanwhile the next group
 * fills. It speculates on a state of its own, which nobody else sees. The expected version of the append makes it safe:
 * when somebody else has written, the speculation is dropped, what they wrote is folded and the same commands are decided
 * anew.
 */
export class Controller<State, Command, Fact extends AnyFact> {
  readonly #options: ControllerOptions<State, Command, Fact>;
  readonly #stop = new AbortController();
  #stopReason: unknown = null;
  /** Acknowledged state with the decisions of the flight and of the filling group on top. */
  #state: State;
  #waiting: Waiting<Command>[] = [];
  #filling: Batch<Command> | null = null;
  #flight: Flight<Command> | null = null;
  #flightDone: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => {};
  #woken = false;
  #lastPending = '';
  #oneByOne = 0;
  #stalled = false;
  #vain = 0;

  constructor(options: ControllerOptions<State, Command, Fact>) {
    this.#options = options;
    this.#state = structuredClone(options.fold.state);
  }

  /** Decides until it is stopped. Rejects with a LogError when the log cannot be understood or trusted any more. */
  async run(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        this.#woken = false;
        if (this.#failure !== null) await this.#dropSpeculation(this.#failure.error);
        this.#fill();
        if (this.#enqueuePending()) continue;
        if (this.#flight === null && this.#filling !== null) this.#launch(this.#filling);
        else await this.#something();
      }
      await this.#flightDone;
    } finally {
      this.#stop.abort();
      this.#failAll(this.#stopReason ?? stopping());
    }
  }

  /** Ends after the group in flight; what was not decided fails with `reason`. */
  stop(reason: unknown = stopping()): void {
    this.#stopReason ??= reason;
    this.#stop.abort();
    this.#wakeUp();
  }

  /** Resolves once the outcome is in the log. Rejects with ControllerUnavailable when it cannot be told in time. */
  submit(submission: Submission<Command>): Promise<Answer> {
    if (this.#stop.signal.aborted) return Promise.reject(this.#stopReason ?? stopping());
    if (this.#stalled) return Promise.reject(this.#noAnswer(NOT_TAKEN));
    if (this.#waiting.length + (this.#filling?.taken.length ?? 0) >= WAITING_LIMIT) {
      return Promise.reject(new ControllerUnavailable(TOO_MANY));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ submission, answer: resolve, fail: reject });
    this.#wakeUp();
    return promise;
  }

  #wakeUp(): void {
    this.#woken = true;
    this.#wake();
  }

  async #something(): Promise<void> {
    if (this.#woken || this.#stop.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  /** Decides as many waiting commands as the filling group has room for. */
  #fill(): void {
    if (this.#waiting.length === 0) return;
    const most = this.#oneByOne > 0 ? 1 : Infinity;
    let done = 0;
    for (const waiting of this.#waiting) {
      const batch = (this.#filling ??= this.#newBatch());
      if (batch.taken.length >= most) break;
      try {
        if (!this.#decide(batch, waiting)) break;
      } catch (error) {
        // A fact that cannot be recorded fails its own command; nothing of it has touched the state yet.
        waiting.fail(error);
      }
      done += 1;
    }
    this.#waiting.splice(0, done);
    if (this.#filling?.taken.length === 0) this.#filling = null;
  }

  #newBatch(): Batch<Command> {
    const { fold, clock } = this.#options;
    const latest = this.#flight?.context.now ?? fold.head?.at;
    const now = isoTime(Math.max(clock.now(), latest === undefined ? 0 : Date.parse(latest)));
    const version = fold.version + (this.#flight === null ? 0 : 1);
    const logId = this.#flight?.logId ?? fold.head?.commit.logId ?? null;
    return { group: emptyGroup(), taken: [], context: { now, logId, version } };
  }

  #decide({ group, taken, context }: Batch<Command>, waiting: Waiting<Command>): boolean {
    const { log, machine } = this.#options;
    const deciding = { log, machine, state: this.#state, recall: (key: string) => this.#recall(key), context };
    if (!decideInto(group, deciding, waiting.submission)) return false;
    taken.push(waiting);
    return true;
  }

  /** What became of a command that the log holds, or will hold when the flight is acknowledged. */
  #recall(key: string): Remembered | undefined {
    const flying = this.#flight?.group.commands.get(key);
    if (flying === undefined) return this.#options.fold.memory.outcomes.get(key);
    return { ...flying, version: this.#options.fold.version + 1, at: this.#flight?.context.now ?? '' };
  }

  /** Sends a group on its way. Nothing of it is answered before the log has it, refusals that rest on earlier ones included. */
  #launch(batch: Batch<Command>): void {
    this.#filling = null;
    this.#oneByOne = Math.max(0, this.#oneByOne - 1);
    if (batch.group.events.length === 0) {
      answerAll(batch);
      return;
    }
    const { fold, newLogId } = this.#options;
    const flight = { ...batch, logId: fold.head?.commit.logId ?? newLogId() };
    this.#flight = flight;
    this.#flightDone = this.#append(flight).then(
      () => {
        this.#vain = 0;
        answerAll(batch);
        this.#wakeUp();
      },
      (error: unknown) => {
        this.#failure = { error };
        this.#wakeUp();
      },
    );
  }

  async #append({ group, context, logId }: Flight<Command>): Promise<void> {
    const { fold } = this.#options;
    const commands = [...group.commands.values()];
    const { events, texts } = group;
    const commit = nextCommit({
      previous: fold.head,
      newLogId: logId,
      at: context.now,
      events,
      texts,
      commands,
    });
    assertDecidedFor(commit, context);
    await this.#watched(async () => {
      fold.take(await this.#settled(commit));
      // In one step: a batch that began in between would count this commit twice, and decide for a version that is not its.
      this.#flight = null;
    });
  }

  /** While the log's answer takes too long, nobody waits for it and nobody new is taken. */
  async #watched(work: () => Promise<void>): Promise<void> {
    const { clock, answerWithinMs = ANSWER_WITHIN_MS } = this.#options;
    const settled = new AbortController();
    const watch = clock.sleep(answerWithinMs, settled.signal).then(() => {
      if (!settled.signal.aborted) this.#stall();
    });
    try {
      await work();
    } finally {
      this.#goOn();
      // With a reason, since the standard one is an exception with a trace, for every commit.
      settled.abort(null);
      await watch;
    }
  }

  async #settled(commit: Commit): Promise<StoredCommit> {
    const { log, eventLog, clock, mayWrite, onTrouble } = this.#options;
    return await settle({ log, eventLog, clock, mayWrite, onTrouble, commit, signal: this.#stop.signal });
  }

  /** The log does not answer: nobody waits longer, and new commands are refused until it does. */
  #stall(): void {
    this.#stalled = true;
    this.#options.onStall?.(true);
    const doubtful = this.#noAnswer(DOUBTFUL);
    // What is decided already stays decided: it is on the state, and lands when the log is back.
    for (const { fail } of [...(this.#flight?.taken ?? []), ...(this.#filling?.taken ?? [])]) fail(doubtful);
    for (const { fail } of this.#waiting.splice(0)) fail(this.#noAnswer(NOT_TAKEN));
  }

  #goOn(): void {
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#options.onStall?.(false);
  }

  #noAnswer(what: string): ControllerUnavailable {
    return new ControllerUnavailable(`${what}. ${this.#options.remedy}`);
  }

  /**
   * The commit in flight is not in the log: another writer came first, or it can never be written. What others wrote is
   * folded, and the speculation begins again from there. After a conflict the commands are decided anew; otherwise each is
   * tried alone, so that one that cannot be written fails alone.
   */
  async #dropSpeculation(error: unknown): Promise<void> {
    const flown = this.#flight?.taken ?? [];
    const decided = [...flown, ...(this.#filling?.taken ?? [])];
    this.#failure = null;
    this.#flight = null;
    this.#filling = null;
    this.#waiting.unshift(...decided);
    if (isSteppedDown(error)) this.stop(error);
    if (this.#stop.signal.aborted) return;
    if (isLogUnreadable(error)) throw error;
    const before = this.#options.fold.version;
    this.#options.onTrouble(`the ${this.#options.log} log did not take a commit; reading it again`, error);
    await this.#watched(() => this.#refold());
    if (isVersionConflict(error)) {
      this.#dropOutdated();
      await this.#mindVanity(before, error);
    } else if (flown.length === 1) {
      // Unless it was told already that nobody knows, since reading the log took too long.
      if (this.#waiting[0] === flown[0]) this.#waiting.shift()?.fail(error);
    } else this.#oneByOne = flown.length;
  }

  /**
   * What comes again by itself is not decided anew after somebody else has written: a check-in, say, may be older by now
   * than what the log knows of its agent.
   */
  #dropOutdated(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.submission.recorded) this.#waiting.push(waiting);
      else waiting.fail(new ControllerUnavailable('another writer came first, and this comes again by itself'));
    }
  }

  /** A conflict with nobody: the log ends before where it ended once. A restored backup; nothing may be built on that. */
  async #mindVanity(before: number, error: unknown): Promise<void> {
    const { fold, clock, log } = this.#options;
    this.#vain = fold.version === before ? this.#vain + 1 : 0;
    if (this.#vain === 0) return;
    if (this.#vain >= VAIN_REFOLDS) {
      const message = `${log} does not reach version ${before} any more, which it had; was a backup restored while this gateway ran? Restart it`;
      throw new LogError(LogErrorCode.LogCorrupt, message, error);
    }
    await clock.sleep(REFOLD_PAUSE_MS, this.#stop.signal);
  }

  /** Folds what others have written, as often as it takes to read it, and begins to speculate anew. */
  async #refold(): Promise<void> {
    const { fold, clock, onTrouble, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await fold.catchUp();
        break;
      } catch (error) {
        if (isLogUnreadable(error)) throw error;
        onTrouble(`the ${log} log cannot be read; trying again`, error);
        await clock.sleep(REFOLD_PAUSE_MS, this.#stop.signal);
      }
    }
    this.#state = structuredClone(fold.state);
    this.#lastPending = '';
  }

  /** Puts the work that the state asks for before everything else, once per token; true when there was some. */
  #enqueuePending(): boolean {
    const pending = this.#options.machine.pending(this.#state);
    if (pending === null || pending.token === this.#lastPending) return false;
    this.#lastPending = pending.token;
    const { log, onTrouble, fold } = this.#options;
    this.#waiting.unshift({
      submission: {
        key: `${log}:${fold.version}:${pending.token}`,
        recorded: false,
        actor: { kind: 'system', id: 'muster' },
        command: pending.command,
      },
      answer: () => {},
      fail: (error) => {
        this.#lastPending = '';
        if (!this.#stop.signal.aborted) onTrouble(`pending work of the ${log} log was put off`, error);
      },
    });
    return true;
  }

  #failAll(error: unknown): void {
    const decided = [...(this.#flight?.taken ?? []), ...(this.#filling?.taken ?? [])];
    this.#flight = null;
    this.#filling = null;
    for (const { fail } of [...decided, ...this.#waiting.splice(0)]) fail(error);
  }
}

/** What a document or a withdrawal counts from is the version that its facts were applied at; it must be their commit's. */
function assertDecidedFor({ version }: Commit, context: DecisionContext): void {
  if (version === context.version + 1) return;
  throw new RangeError(`a group decided for version ${context.version + 1} was about to become version ${version}`);
}

function answerAll<Command>({ group, taken }: Batch<Command>): void {
  for (const [index, { answer }] of group.answers.entries()) taken[index]?.answer(answer);
}

function stopping(cause?: unknown): ControllerUnavailable {
  return new ControllerUnavailable('the gateway is stopping', { cause });
}
