import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock } from '../../infra/clock.ts';
import type { OpenedLog } from '../../infra/log/openedLog.ts';
import type { EventLog } from '../../infra/log/port.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import type { SnapshotStore } from '../../infra/snapshots/port.ts';
import type { Access } from '../auth/access.ts';
import type { Caller } from '../auth/caller.ts';
import type { Core } from '../core/core.ts';
import type { AgentEvents } from '../history/agentEvents.ts';
import type { CapacityReader } from '../history/capacityReader.ts';
import type { HistoryReader } from '../history/reader.ts';
import type { LiveHub } from '../live/hub.ts';
import type { OutputReader } from '../output/outputReader.ts';
import type { PruneCaller } from '../prune/pruneCaller.ts';
import type { LogReader } from './logReader.ts';
import type { Metrics } from './metrics.ts';
import type { RouteAccess } from './roles.ts';

/** Everything that routes reach the rest of the gateway through. */
export interface Edge {
  readonly core: Core;
  readonly eventLog: EventLog;
  /** Where the logs are kept. */
  readonly logs: Pick<OpenedLog, 'shown' | 'offline'>;
  readonly snapshots: SnapshotStore;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly history: Pick<HistoryReader, 'read'>;
  readonly agentEvents: Pick<AgentEvents, 'page'>;
  readonly capacity: Pick<CapacityReader, 'read'>;
  readonly access: Access;
  readonly live: LiveHub;
  readonly output: Pick<OutputReader, 'open' | 'close'>;
  readonly prune: Pick<PruneCaller, 'ask' | 'close'>;
  readonly metrics: Metrics;
  readonly logReader: LogReader;
  readonly log: FastifyBaseLogger;
  readonly version: string;
  readonly simulated: boolean;
  /** `127.0.0.1:8080`: where it listens. */
  readonly authority: string;
  /** `https://muster.example.org`: where browsers reach it. Besides this and `authority` requests may ask for loopback only. */
  readonly origin: string;
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
    /** The client speaks TLS, with us or with the proxy that MUSTER_PUBLIC_URL is about. */
    isOverTls: boolean;
  }
  interface FastifyContextConfig extends RouteAccess {}
}
