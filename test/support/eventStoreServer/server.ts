import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import projections from '@eventstore/db-client/generated/projections_grpc_pb.js';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { append } from './appends.ts';
import { batchAppend } from './batchAppends.ts';
import { bidirectional, clientStreaming, serverStreaming, unary, type Node } from './calls.ts';
import { clusterInfo, supportedMethods } from './cluster.ts';
import { deleteStream, tombstone } from './deletions.ts';
import {
  createProjection,
  deleteProjection,
  disableProjection,
  enableProjection,
  projectionStatistics,
  updateProjection,
} from './projections.ts';
import type { ServerOptions } from './protocol.ts';
import { read } from './reads.ts';

const { GossipService } = gossip;
const { ProjectionsService } = projections;
const { ServerFeaturesService } = serverFeatures;
const { StreamsService } = streams;

const HOST = '127.0.0.1';
/** EventStoreDB's TFConsts.EffectiveMaxLogRecordSize: what it takes in one message, beyond which gRPC itself refuses. */
const MAX_MESSAGE_BYTES = 16 * 1_024 * 1_024 - 10_000;

/** Listens and serves until the process ends. `sockets`: the connections, kept here as long as they are open. */
export async function listen(node: Node, options: ServerOptions, sockets: Set<Socket>): Promise<void> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
  });
  addServices(server, node, options.port);
  const injector = server.createConnectionInjector(credentialsOf(options));
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that is killed resets its connection; that is its affair.
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    injector.injectConnection(socket);
  });
  listener.listen({ host: HOST, port: options.port });
  await once(listener, 'listening');
}

function credentialsOf({ tls }: ServerOptions): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { cert_chain: readFileSync(tls.cert), private_key: readFileSync(tls.key) };
  return ServerCredentials.createSsl(null, [pair]);
}

function addServices(server: Server, node: Node, port: number): void {
  const ids = [randomUUID(), randomUUID()] as const;
  const features = supportedMethods([StreamsService, GossipService, ProjectionsService]);
  server.addService(ServerFeaturesService, { getSupportedMethods: unary(node, () => features) });
  server.addService(GossipService, {
    read: unary(node, () => clusterInfo({ host: HOST, port }, node.levers.now.leader, ids)),
  });
  server.addService(StreamsService, {
    append: clientStreaming(node, append),
    batchAppend: bidirectional(node, batchAppend),
    read: serverStreaming(node, read),
    delete: unary(node, deleteStream),
    tombstone: unary(node, tombstone),
  });
  server.addService(ProjectionsService, {
    create: unary(node, createProjection),
    update: unary(node, updateProjection),
    delete: unary(node, deleteProjection),
    enable: unary(node, enableProjection),
    disable: unary(node, disableProjection),
    statistics: serverStreaming(node, projectionStatistics),
  });
}
