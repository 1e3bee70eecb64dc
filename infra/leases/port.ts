import type { LogName } from '../log/port.ts';

/**
 * Who may write a log for now. `term` counts the holders; `holder` is null once it was handed back. `logId` names the log that
 * was led last, as soon as it has one: whoever finds another log under the same name has come to the wrong store.
 */
export interface LeaseRecord {
  readonly holder: string | null;
  readonly term: number;
  readonly logId?: string;
}

export interface StandingLease {
  readonly record: LeaseRecord;
  /** Raised by every write, renewals included: a holder that lives moves it. */
  readonly revision: number;
}

/**
 * Where the gateways keep who leads each log. A lease saves work: with it only one gateway decides. It is not what makes
 * the log safe; the expected version of every append is.
 */
export interface LeaseStore {
  /** What stands now, asked of the store's leader; null when nobody ever held it. Rejects while the store is away. */
  read(log: LogName): Promise<StandingLease | null>;
  /** Compare-and-set on `revision` (0: nothing stands). The new revision, or null when somebody else has written. */
  write(log: LogName, record: LeaseRecord, revision: number): Promise<number | null>;
  /** The store's own time in ms since 1970, and how long it took to learn it: nobody who disagrees with it may lead. */
  time(): Promise<{ readonly ms: number; readonly withinMs: number }>;
}
