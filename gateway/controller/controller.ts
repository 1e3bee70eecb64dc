import { emptyMemory, remember, type CommandMemory } from '../../domain/commandMemory.ts';
import type { AnyEvent, AnyFact } from '../../domain/events.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { nextCommit, type LogHead } from '../../infra/log/codec.ts';
import { isVersionConflict } from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';
import { decideInto, emptyGroup, type Group } from './group.ts';
import { ControllerUnavailable, type Answer, type Machine, type Submission } from './machine.ts';
import { settle } from './settle.ts';

export interface ControllerOptions<State, Command, Fact extends AnyFact> {
  readonly log: LogName;
  readonly eventLog: EventLog;
  readonly machine: Machine<State, Command, Fact>;
  readonly clock: Clock;
  readonly newLogId: () => string;
  /** Called with every commit in order, those read at the start included, before its commands are answered. */
  readonly onCommit: (stored: StoredCommit) => void;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  /** An answer that takes longer is refused as unavailable; the command may still be carried out. Milliseconds. */
  readonly answerWithinMs?: number;
}

/** Commands waiting to be decided; a further one is refused at once. */
export const WAITING_LIMIT = 10_000;
const ANSWER_WITHIN_MS = 10_000;
const REFOLD_PAUSE_MS = 500;
const NOT_TAKEN = 'the event log does not answer, or too many commands are waiting; nothing was done, try again';

interface Question<State> {
  readonly ask: (state: State) => void;
  readonly fail: (error: unknown) => void;
}

interface Waiting<Command> {
  readonly submission: Submission<Command>;
  readonly answer: (answer: Answer) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * The one writer of one log. It decides the waiting commands one after another in memory, appends their events as one
 * commit and answers when the store has acknowledged it; meanwhile the next group gathers. The expected version of the
 * append makes it safe: when somebody else has written, the speculation is dropped, the log is read again and the same
 * commands are decided anew.
 */
export class Controller<State, Command, Fact extends AnyFact> {
  readonly #options: ControllerOptions<State, Command, Fact>;
  readonly #stop = new AbortController();
  #state: State;
  #memory: CommandMemory = emptyMemory();
  #head: (LogHead & { readonly at: string }) | null = null;
  #waiting: Waiting<Command>[] = [];
  #questions: Question<State>[] = [];
  #wake: () => void = () => {};
  #running: Promise<void> | null = null;
  #lastFollowUp = '';
  #shown = 0;
  #oneByOne = 0;
  #stalled = false;

  constructor(options: ControllerOptions<State, Command, Fact>) {
    this.#options = options;
    this.#state = options.machine.initial();
  }

  /** Folds the log and begins to decide. Rejects with a LogError when the log cannot be read or trusted. */
  async start(): Promise<void> {
    await this.#catchUp();
    this.#running = this.#run();
  }

  /** Settles when the controller has ended; rejects when it met a state that it must not go on from. */
  get done(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  /** Ends after the group in flight; what was not decided is refused as unavailable. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
    for (const { fail } of [...this.#waiting.splice(0), ...this.#questions.splice(0)]) fail(stopping());
  }

  /** The last acknowledged version, 0 while the log is empty. */
  get version(): number {
    return this.#head?.commit.version ?? 0;
  }

  get logId(): string | null {
    return this.#head?.commit.logId ?? null;
  }

  /** Resolves once the outcome is in the log. Rejects with ControllerUnavailable when it cannot be told in time. */
  submit(submission: Submission<Command>): Promise<Answer> {
    if (this.#stop.signal.aborted || this.#stalled || this.#waiting.length >= WAITING_LIMIT) {
      return Promise.reject(new ControllerUnavailable(NOT_TAKEN));
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ submission, answer: resolve, fail: reject });
    this.#wake();
    return promise;
  }

  /** Reads acknowledged state between two groups. The question must not keep or change what it is shown. */
  ask<Result>(question: (state: State) => Result): Promise<Result> {
    if (this.#stop.signal.aborted) return Promise.reject(stopping());
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const ask = (state: State) => {
      try {
        resolve(question(state));
      } catch (error) {
        reject(error);
      }
    };
    this.#questions.push({ ask, fail: reject });
    this.#wake();
    return promise;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const { ask } of this.#questions.splice(0)) ask(this.#state);
      this.#enqueueFollowUp();
      if (this.#waiting.length === 0) await this.#something();
      else await this.#oneGroup();
    }
  }

  async #something(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (this.#questions.length === 0 && !this.#stop.signal.aborted) await promise;
  }

  async #oneGroup(): Promise<void> {
    const group = emptyGroup<Command>();
    const taken = this.#decide(group);
    try {
      if (group.events.length > 0) await this.#append(group, taken);
      for (const [index, { answer }] of group.answers.entries()) taken[index]?.answer(answer);
    } catch (error) {
      await this.#dropSpeculation(taken, error);
    }
  }

  /** Decides as many waiting commands as one commit holds, and takes them out of the line. */
  #decide(group: Group<Command>): readonly Waiting<Command>[] {
    const { log, machine, clock } = this.#options;
    const now = isoTime(Math.max(clock.now(), this.#head === null ? 0 : Date.parse(this.#head.at)));
    const context = { now, logId: this.logId, version: this.version };
    const deciding = { log, machine, state: this.#state, memory: this.#memory, context };
    const most = this.#oneByOne > 0 ? 1 : this.#waiting.length;
    this.#oneByOne = Math.max(0, this.#oneByOne - 1);
    const taken: Waiting<Command>[] = [];
    let refused = 0;
    for (const waiting of this.#waiting) {
      if (taken.length >= most) break;
      try {
        if (!decideInto(group, deciding, waiting.submission)) break;
        taken.push(waiting);
      } catch (error) {
        // A fact that cannot be recorded fails its own command; nothing of it has touched the state yet.
        waiting.fail(error);
        refused += 1;
      }
    }
    this.#waiting.splice(0, taken.length + refused);
    return taken;
  }

  async #append(group: Group<Command>, taken: readonly Waiting<Command>[]): Promise<void> {
    const { newLogId, clock, answerWithinMs = ANSWER_WITHIN_MS } = this.#options;
    const { events } = group;
    const commands = [...group.commands.values()];
    const at = events[0]?.occurredAt ?? '';
    const commit = nextCommit({ previous: this.#head, newLogId: newLogId(), at, events, commands });
    const settled = new AbortController();
    const watch = clock.sleep(answerWithinMs, settled.signal).then(() => {
      if (!settled.signal.aborted) this.#stall(taken);
    });
    try {
      const stored = await settle({ ...this.#options, commit, signal: this.#stop.signal });
      this.#acknowledge(stored);
    } finally {
      this.#stalled = false;
      settled.abort();
      await watch;
    }
  }

  #acknowledge(stored: StoredCommit): void {
    const { logId, version, at } = stored.commit;
    this.#head = { commit: { logId, version }, hash: stored.hash, at };
    remember(this.#memory, stored.commit);
    this.#shown = version;
    this.#options.onCommit(stored);
  }

  /** The log does not answer: nobody waits longer, and new commands are refused until it does. */
  #stall(taken: readonly Waiting<Command>[]): void {
    this.#stalled = true;
    for (const { fail } of taken) {
      fail(new ControllerUnavailable('the event log does not answer; ask again with the same idempotency key'));
    }
    for (const { fail } of this.#waiting.splice(0)) fail(new ControllerUnavailable(NOT_TAKEN));
  }

  /**
   * The commit is not in the log: another writer came first, or it can never be written. The state is folded again from
   * the log. After a conflict the commands are decided anew; otherwise each is tried alone, so that one that cannot be
   * written fails alone.
   */
  async #dropSpeculation(taken: readonly Waiting<Command>[], error: unknown): Promise<void> {
    if (this.#stop.signal.aborted) {
      for (const { fail } of taken) fail(stopping(error));
      return;
    }
    this.#options.onTrouble(`the ${this.#options.log} log did not take a commit; reading it again`, error);
    await this.#refold();
    if (!isVersionConflict(error) && taken.length === 1) {
      taken[0]?.fail(error);
      return;
    }
    this.#waiting.unshift(...taken);
    if (isVersionConflict(error)) this.#dropOutdated();
    else this.#oneByOne = taken.length;
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

  /** Drops the state and folds the log from its beginning, as often as it takes to read it. */
  async #refold(): Promise<void> {
    const { machine, clock, onTrouble, log } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#state = machine.initial();
      this.#memory = emptyMemory();
      this.#head = null;
      try {
        await this.#catchUp();
        return;
      } catch (error) {
        onTrouble(`the ${log} log cannot be read; trying again`, error);
        await clock.sleep(REFOLD_PAUSE_MS, this.#stop.signal);
      }
    }
  }

  /** Folds from the beginning. No commit is shown to `onCommit` twice, also when an earlier reading broke off. */
  async #catchUp(): Promise<void> {
    const { eventLog, log, machine, onCommit } = this.#options;
    for await (const stored of eventLog.read(log, 0)) {
      const { logId, version, at, events } = stored.commit;
      for (const event of events) machine.evolve(this.#state, event as Fact & AnyEvent, { version, time: at });
      remember(this.#memory, stored.commit);
      this.#head = { commit: { logId, version }, hash: stored.hash, at };
      if (version <= this.#shown) continue;
      this.#shown = version;
      onCommit(stored);
    }
  }

  /** Puts the work that the state asks for before everything else, once per token. */
  #enqueueFollowUp(): void {
    const followUp = this.#options.machine.followUp(this.#state);
    if (followUp === null || followUp.token === this.#lastFollowUp) return;
    this.#lastFollowUp = followUp.token;
    const { log, onTrouble } = this.#options;
    this.#waiting.unshift({
      submission: {
        key: `${log}:${this.version}:${followUp.token}`,
        recorded: false,
        actor: { kind: 'system', id: 'muster' },
        command: followUp.command,
      },
      answer: () => {},
      fail: (error) => {
        this.#lastFollowUp = '';
        onTrouble(`follow-up work of the ${log} log was put off`, error);
      },
    });
  }
}

function stopping(cause?: unknown): ControllerUnavailable {
  return new ControllerUnavailable('the gateway is stopping', { cause });
}
