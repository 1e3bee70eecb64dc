import { formatPosition, type Commit } from '../../domain/commit.ts';
import { emptyMemory, remember, type CommandMemory } from '../../domain/commandMemory.ts';
import type { LogHead } from '../../infra/log/codec.ts';
import { LogError, LogErrorCode } from '../../infra/log/errors.ts';
import type { EventLog, LogName, StoredCommit } from '../../infra/log/port.ts';

/** What is shown of one log. It owns the acknowledged state; nobody else changes it. */
export interface Projection<State> {
  readonly state: State;
  logId: string | null;
  version: number;
}

/** How one log is folded, whatever it holds: pure, the same in a gateway, in a snapshot's writer and in a test. */
export interface FoldRules<State, View extends Projection<State>> {
  empty(): View;
  apply(view: View, commit: Commit): void;
  /** Empties what the view collects for live views, where nobody looks. */
  forgetTouched(view: View): void;
}

/** The last acknowledged commit. `at` is its time, ISO 8601. */
export interface Head extends LogHead {
  readonly at: string;
}

/** All that a snapshot has to hold. Plain data. */
export interface Folded<View> {
  readonly view: View;
  readonly memory: CommandMemory;
  readonly head: Head | null;
}

/**
 * One log, folded from acknowledged commits only: what is shown, which commands were carried out, and where the chain
 * stands. Speculation never comes in here.
 */
export class LogFold<State, View extends Projection<State>> {
  readonly #log: LogName;
  readonly #eventLog: EventLog;
  readonly #rules: FoldRules<State, View>;
  readonly #onCommit: (stored: StoredCommit) => void;
  #folded: Folded<View>;

  constructor(options: {
    readonly log: LogName;
    readonly eventLog: EventLog;
    readonly rules: FoldRules<State, View>;
    /** Called with every commit, after it was folded. */
    readonly onCommit?: (stored: StoredCommit) => void;
    /** From a snapshot that was checked. */
    readonly from?: Folded<View> | null;
  }) {
    this.#log = options.log;
    this.#eventLog = options.eventLog;
    this.#rules = options.rules;
    this.#onCommit = options.onCommit ?? (() => {});
    this.#folded = options.from ?? { view: options.rules.empty(), memory: emptyMemory(), head: null };
  }

  get folded(): Folded<View> {
    return this.#folded;
  }

  get view(): View {
    return this.#folded.view;
  }

  get state(): State {
    return this.#folded.view.state;
  }

  get memory(): CommandMemory {
    return this.#folded.memory;
  }

  get head(): Head | null {
    return this.#folded.head;
  }

  get version(): number {
    return this.#folded.head?.commit.version ?? 0;
  }

  /** Goes on from a snapshot instead; only before the first commit was folded. */
  restore(from: Folded<View>): void {
    this.#folded = from;
  }

  /** Folds the commit behind the head. Throws LogError LOG_CORRUPT when it does not continue the chain, or cannot be folded. */
  take(stored: StoredCommit): void {
    const { view, memory, head } = this.#folded;
    const { logId, version, previousHash, at } = stored.commit;
    const continues = head === null || (previousHash === head.hash && logId === head.commit.logId);
    if (!continues || version !== this.version + 1) {
      const place = formatPosition(this.#log, version);
      const message = `${place} does not continue what stood at ${formatPosition(this.#log, this.version)}; was the log exchanged?`;
      throw new LogError(LogErrorCode.LogCorrupt, message);
    }
    this.#apply(stored.commit);
    remember(memory, stored.commit);
    this.#folded = { view, memory, head: { commit: { logId, version }, hash: stored.hash, at } };
    this.#onCommit(stored);
  }

  /** A commit that cannot be folded leaves the view half changed: nothing may be built on it. */
  #apply(commit: Commit): void {
    try {
      this.#rules.apply(this.#folded.view, commit);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `${formatPosition(this.#log, commit.version)} could not be folded by this build: ${why}`;
      throw new LogError(LogErrorCode.LogCorrupt, message, error);
    }
  }

  /** Folds what the log holds beyond the head. Rejects with a LogError; what was folded before stays folded. */
  async catchUp(): Promise<void> {
    for await (const stored of this.#eventLog.read(this.#log, this.version)) this.take(stored);
  }

  /** Folds what comes, until `signal` aborts. Rejects with a LogError; what was folded before stays folded. */
  async follow(signal: AbortSignal): Promise<void> {
    for await (const stored of this.#eventLog.follow(this.#log, this.version, signal)) {
      if (signal.aborted) return;
      this.take(stored);
    }
  }
}
