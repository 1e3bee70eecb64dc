import type { At, Decision, Outcome, Rejection } from '../../domain/decision.ts';
import type { Actor, AnyFact } from '../../domain/events.ts';

/** What a log's controller runs: a pure state machine, and the work that its state alone asks for. */
export interface Machine<State, Command, Fact extends AnyFact> {
  initial(): State;
  decide(state: State, command: Command, context: DecisionContext): Decision<Fact>;
  evolve(state: State, event: Fact, at: At): void;
  /**
   * The work that the state alone still asks for, or null. It is asked at the start and after every commit, never sent as
   * a message, so it cannot be lost: whoever folds the log finds it. A command is run once per distinct `token`, and must
   * be bounded: what one commit cannot hold is still pending after it, under another token.
   */
  pending(state: State): { readonly token: string; readonly command: Command } | null;
}

export interface DecisionContext {
  /** ISO 8601, never before the log's last commit. */
  readonly now: string;
  readonly logId: string | null;
  readonly version: number;
}

/**
 * A command with who wants it. A `recorded` one keeps its outcome in the log under its key, so that a repetition gets the
 * first answer; the internal ones (check-ins, time, pending work) are functions of something that comes again by itself.
 */
export interface Submission<Command> {
  readonly key: string;
  readonly recorded: boolean;
  readonly actor: Actor;
  readonly reason?: string;
  readonly correlationId?: string;
  readonly command: Command;
  /** What was literally asked, when the command holds more than that: a repetition is told by this. JSON. */
  readonly request?: unknown;
}

/** Given only from acknowledged state. `version` is the log's version in which the answer holds. */
export type Answer =
  | {
      readonly kind: 'accepted';
      readonly outcome: Outcome;
      readonly detail: unknown;
      readonly version: number;
      /** The key was known: this is the answer given then. */
      readonly repeated: boolean;
    }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** The log cannot be written now. The command may or may not be carried out; the same key tells later. */
export class ControllerUnavailable extends Error {
  override readonly name = 'ControllerUnavailable';
  readonly code = 'UNAVAILABLE';
}

/** Another gateway leads the log now, or nobody for the moment: what was asked may be asked there, under the same key. */
export class SteppedDown extends ControllerUnavailable {
  constructor(options?: ErrorOptions) {
    super('another gateway takes over this log, or nobody leads it for the moment; ask again', options);
  }
}

export function isSteppedDown(error: unknown): boolean {
  return error instanceof SteppedDown;
}

/** The log holds what this gateway cannot understand or trust: it shows what came before, and writes nothing. */
export class LogReadOnly extends Error {
  override readonly name = 'LogReadOnly';
  readonly code = 'LOG_READ_ONLY';
}

export function isControllerUnavailable(error: unknown): error is ControllerUnavailable {
  return error instanceof ControllerUnavailable;
}
