import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock } from '../../infra/clock.ts';
import type { EventLog } from '../../infra/log/port.ts';
import type { SnapshotStore } from '../../infra/snapshots/port.ts';
import type { Access, Caller } from '../auth/access.ts';
import type { Core } from '../core/core.ts';
import type { HistoryReader } from '../history/reader.ts';
import type { LiveHub } from '../live/hub.ts';
import type { LogReader } from './logReader.ts';
import type { Metrics } from './metrics.ts';

/** Everything that routes reach the rest of the gateway through. */
export interface Edge {
  readonly core: Core;
  readonly eventLog: EventLog;
  readonly snapshots: SnapshotStore;
  readonly clock: Clock;
  readonly history: HistoryReader;
  readonly access: Access;
  readonly live: LiveHub;
  readonly metrics: Metrics;
  readonly logReader: LogReader;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly simulated: boolean;
  /** `127.0.0.1:8080`: where it listens, and the one host name besides loopback that requests may ask for. */
  readonly authority: string;
  /** The built dashboard; a folder that is not there is said so at `/`. */
  readonly dashboard: string;
  /** Why it is not ready to serve, or null when it is. */
  readonly notReady: () => string | null;
}

/** A fastify instance on which schemas are zod's. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** One route of the REST API: its schema, and a handler of a few lines. */
export type Route = (api: Api, edge: Edge) => void;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before every handler of a route that is not open. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** Answers without a key or a cookie. */
    readonly open?: boolean;
  }
}
