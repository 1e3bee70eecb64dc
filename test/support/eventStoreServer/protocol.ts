import type { User } from './access.ts';
import type { Levers } from './levers.ts';

/** What the test tells the process at its start, as JSON in its only argument. */
export interface ServerOptions {
  readonly port: number;
  readonly folder: string;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly users: readonly User[];
  readonly maxAppendBytes: number;
}

/** What a test asks of the running process over its IPC channel. Every answer has the counts. */
export interface ToServer {
  readonly id: number;
  readonly pull?: Partial<Levers>;
  readonly cutConnections?: boolean;
}

export interface Counts {
  /** Appends since its start that were written and synced. */
  readonly appends: number;
  readonly syncs: number;
  readonly subscriptions: number;
  readonly connections: number;
  /** The most messages that ever waited in the process for one slow reader. */
  readonly mostBuffered: number;
}

export type FromServer = { readonly isReady: true } | { readonly id: number; readonly counts: Counts };
