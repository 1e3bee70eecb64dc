import type { ExecutionContext } from 'ava';
import type { EventLog, LogName } from '../../infra/log/port.ts';

/** One store as the contract sees it. Whatever it opened ends with the test. */
export interface LogHarness {
  readonly log: EventLog;
  /** Another writer on the same store, as a second gateway has it. */
  readonly another: () => Promise<EventLog>;
  /** Puts bytes into the store as the next commit, past every check of the adapter. */
  readonly appendRaw: (log: LogName, bytes: Uint8Array) => Promise<void>;
  /** Restarts what the store runs on, if anything, and resolves once writing is possible again. */
  readonly disturb: () => Promise<void>;
  /** Moves the sealed epochs of a log away, past the adapter, as an operator does. */
  readonly moveOffline: (log: LogName) => Promise<void>;
}

/** `test` or `test.serial`: the latter where the tests share servers. */
export type Register = (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void;

export type MakeLog = (t: ExecutionContext) => Promise<LogHarness>;
