import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type { ClusterInfo, MemberInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { Endpoint } from './errors.ts';
import type { Levers } from './levers.ts';
import { uuid } from './wire.ts';

const { FOLLOWER, LEADER } = gossip.MemberInfo.VNodeState;
const TICKS_PER_MS = 10_000n;

/** The LTS release whose sources and documentation this server was written after. */
const VERSION = '24.10.4';

/** What newer clients ask for before they use it, by method in lower case. */
const FEATURES: Readonly<Record<string, readonly string[]>> = {
  'event_store.client.streams.streams/read': ['position', 'events'],
  'event_store.client.streams.streams/batchappend': ['deadline_duration'],
  'event_store.client.projections.projections/create': ['track_emitted_streams'],
};

export function supportedMethods(services: readonly ServiceDefinition[]): SupportedMethods {
  const response = new serverFeatures.SupportedMethods();
  response.setEventStoreServerVersion(VERSION);
  for (const { path } of services.flatMap((service) => Object.values(service))) {
    const [, service = '', method = ''] = path.toLowerCase().split('/');
    const supported = new serverFeatures.SupportedMethod();
    supported.setServiceName(service);
    supported.setMethodName(method);
    supported.setFeaturesList([...(FEATURES[`${service}/${method}`] ?? [])]);
    response.addMethods(supported);
  }
  return response;
}

/** This node alone as leader; or as a follower next to the leader that it was told of. */
export function clusterInfo(self: Endpoint, leader: Levers['leader'], ids: readonly [string, string]): ClusterInfo {
  const info = new gossip.ClusterInfo();
  info.addMembers(member(self, leader === null ? LEADER : FOLLOWER, ids[0]));
  if (leader !== null && leader !== 'unknown') info.addMembers(member(leader, LEADER, ids[1]));
  return info;
}

function member(endpoint: Endpoint, state: MemberInfo.VNodeState, id: string): MemberInfo {
  const address = new gossip.EndPoint();
  address.setAddress(endpoint.host);
  address.setPort(endpoint.port);
  const message = new gossip.MemberInfo();
  message.setInstanceId(uuid(id, true));
  message.setTimeStamp(String(BigInt(Date.now()) * TICKS_PER_MS));
  message.setState(state);
  message.setIsAlive(true);
  message.setHttpEndPoint(address);
  return message;
}
