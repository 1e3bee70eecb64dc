import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import grpcProjections from '@eventstore/db-client/generated/projections_grpc_pb.js';
import projections from '@eventstore/db-client/generated/projections_pb.js';
import grpcStreams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ExecutionContext } from 'ava';

/** A projection as the server has it. */
export interface KeptProjection {
  query: string;
  emits: boolean;
  status: string;
  reason: string;
}

export interface ProjectionServer {
  readonly url: string;
  readonly kept: ReadonlyMap<string, KeptProjection>;
  /** How often a projection was made. */
  readonly made: () => number;
}

/** What becomes of a projection that is told to run, and of every call. */
export interface ProjectionBehaviour {
  /** The status of one that was told to run. */
  readonly runsAs: string;
  readonly reason: string;
  /** `silent`: as EventStoreDB with its projections off. */
  readonly answers: 'all' | 'denied' | 'silent';
}

type Call<Request, Response> = ServerUnaryCall<Request, Response>;

/**
 * As much of EventStoreDB as changing projections takes: it keeps what it is told, and runs nothing. Written from the
 * documentation and the client's own generated code.
 */
export async function startProjectionServer(
  t: ExecutionContext,
  given: Partial<ProjectionBehaviour> = {},
): Promise<ProjectionServer> {
  const kept = new Map<string, KeptProjection>();
  const behaviour: ProjectionBehaviour = { runsAs: 'Running', reason: '', answers: 'all', ...given };
  let made = 0;

  /** Null: it was answered, or never will be. */
  function taken<Response>(answer: sendUnaryData<Response>, name: string): KeptProjection | null {
    if (isRefused((error) => answer(error))) return null;
    const found = kept.get(name);
    if (found === undefined) answer({ code: status.NOT_FOUND, details: `Projection '${name}' not found` });
    return found ?? null;
  }

  function isRefused(refuse: (error: Partial<ServiceError>) => void): boolean {
    if (behaviour.answers === 'denied') refuse(denied());
    return behaviour.answers !== 'all';
  }

  const runs = () => ({ status: behaviour.runsAs, reason: behaviour.reason });
  const server = new Server();
  server.addService(grpcStreams.StreamsService, { read: (call: { end(): void }) => call.end() });
  server.addService(grpcProjections.ProjectionsService, {
    create(
      { request }: Call<projections.CreateReq, projections.CreateResp>,
      answer: sendUnaryData<projections.CreateResp>,
    ) {
      if (isRefused((error) => answer(error))) return;
      const options = request.getOptions();
      const continuous = options?.getContinuous();
      const name = continuous?.getName() ?? '';
      if (kept.has(name)) return answer({ code: status.UNKNOWN, details: 'Duplicate projection names' });
      made += 1;
      kept.set(name, { query: options?.getQuery() ?? '', emits: continuous?.getEmitEnabled() === true, ...runs() });
      answer(null, new projections.CreateResp());
    },
    update(
      { request }: Call<projections.UpdateReq, projections.UpdateResp>,
      answer: sendUnaryData<projections.UpdateResp>,
    ) {
      const options = request.getOptions();
      const projection = taken(answer, options?.getName() ?? '');
      if (projection === null || options === undefined) return;
      projection.query = options.getQuery();
      if (options.hasEmitEnabled()) projection.emits = options.getEmitEnabled();
      answer(null, new projections.UpdateResp());
    },
    enable(
      { request }: Call<projections.EnableReq, projections.EnableResp>,
      answer: sendUnaryData<projections.EnableResp>,
    ) {
      const projection = taken(answer, request.getOptions()?.getName() ?? '');
      if (projection === null) return;
      Object.assign(projection, runs());
      answer(null, new projections.EnableResp());
    },
    disable(
      { request }: Call<projections.DisableReq, projections.DisableResp>,
      answer: sendUnaryData<projections.DisableResp>,
    ) {
      const projection = taken(answer, request.getOptions()?.getName() ?? '');
      if (projection === null) return;
      projection.status = 'Stopped';
      answer(null, new projections.DisableResp());
    },
    statistics(call: ServerWritableStream<projections.StatisticsReq, projections.StatisticsResp>) {
      if (isRefused((error) => call.emit('error', error))) return;
      for (const [name, { status: shown, reason }] of kept) {
        const details = new projections.StatisticsResp.Details().setName(name).setStatus(shown).setStatereason(reason);
        call.write(new projections.StatisticsResp().setDetails(details.setProgress(100)));
      }
      call.end();
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
    if (error === null) resolve(port);
    else reject(error);
  });
  const port = await promise;
  t.teardown(() => server.forceShutdown());
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    kept,
    made: () => made,
  };
}

/** The client knows it by its metadata. */
function denied(): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set('exception', 'access-denied');
  return { code: status.PERMISSION_DENIED, details: 'Access Denied', metadata };
}
