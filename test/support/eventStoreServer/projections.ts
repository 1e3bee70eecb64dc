import type { ServerWritableStream } from '@grpc/grpc-js';
import messages from '@eventstore/db-client/generated/projections_pb.js';
import type {
  CreateReq,
  CreateResp,
  DeleteReq,
  DeleteResp,
  DisableReq,
  DisableResp,
  EnableReq,
  EnableResp,
  StatisticsReq,
  StatisticsResp,
  UpdateReq,
  UpdateResp,
} from '@eventstore/db-client/generated/projections_pb.js';
import { send, type Caller, type Node } from './calls.ts';
import { handlerFailed, leftOut, projectionNotFound, unexpectedReply } from './errors.ts';
import { ANY } from './numbers.ts';
import type { Store } from './store.ts';

/** Projections are kept, as EventStoreDB keeps them in streams of its own, and listed. None is run: they link nothing. */

interface Projection {
  readonly query: string;
  readonly enabled: boolean;
  readonly emitEnabled: boolean;
  readonly trackEmittedStreams: boolean;
}

interface Kept extends Projection {
  readonly name: string;
  readonly version: number;
}

const REGISTRATIONS = '$projections-$all';
const CREATED = '$ProjectionCreated';
const DELETED = '$ProjectionDeleted';
const UPDATED = '$ProjectionUpdated';
const ALL = Number.MAX_SAFE_INTEGER;

export async function createProjection(node: Node, request: CreateReq, caller: Caller): Promise<CreateResp> {
  node.access.requireUser(caller.user);
  const options = request.getOptions();
  const continuous = options?.getContinuous();
  if (options === undefined || continuous === undefined) throw leftOut('projections that are not continuous');
  const [name, emitEnabled] = [continuous.getName(), continuous.getEmitEnabled()];
  const trackEmittedStreams = continuous.getTrackEmittedStreams();
  if (trackEmittedStreams && !emitEnabled) throw handlerFailed();
  if (name.trim() === '') throw unexpectedReply('Updated', 'OperationFailed');
  if (isRegistered(node.store, name)) throw unexpectedReply('Updated', 'Conflict');
  await record(node.store, streamOf(name), UPDATED, {
    query: options.getQuery(),
    enabled: true,
    emitEnabled,
    trackEmittedStreams,
  });
  await record(node.store, REGISTRATIONS, CREATED, { name });
  return new messages.CreateResp();
}

export async function updateProjection(node: Node, request: UpdateReq, caller: Caller): Promise<UpdateResp> {
  node.access.requireUser(caller.user);
  const options = request.getOptions();
  if (options === undefined) throw handlerFailed();
  const emitting = options.hasEmitEnabled() ? { emitEnabled: options.getEmitEnabled() } : {};
  await change(node.store, options.getName(), { query: options.getQuery(), ...emitting });
  return new messages.UpdateResp();
}

export async function enableProjection(node: Node, request: EnableReq, caller: Caller): Promise<EnableResp> {
  node.access.requireUser(caller.user);
  await change(node.store, request.getOptions()?.getName() ?? '', { enabled: true });
  return new messages.EnableResp();
}

export async function disableProjection(node: Node, request: DisableReq, caller: Caller): Promise<DisableResp> {
  node.access.requireUser(caller.user);
  await change(node.store, request.getOptions()?.getName() ?? '', { enabled: false });
  return new messages.DisableResp();
}

/** Only one that was disabled before can be deleted. */
export async function deleteProjection(node: Node, request: DeleteReq, caller: Caller): Promise<DeleteResp> {
  node.access.requireOperator(caller.user);
  const name = request.getOptions()?.getName() ?? '';
  if (kept(node.store, name).enabled) throw unexpectedReply('Updated', 'OperationFailed');
  await record(node.store, REGISTRATIONS, DELETED, { name });
  return new messages.DeleteResp();
}

/** One by its name, or all continuous ones. */
export async function projectionStatistics(
  node: Node,
  call: ServerWritableStream<StatisticsReq, StatisticsResp>,
  caller: Caller,
): Promise<void> {
  node.access.requireUser(caller.user);
  const name = call.request.getOptions()?.getName() ?? '';
  const names = name === '' ? registered(node.store) : [name];
  for (const projection of names.map((one) => kept(node.store, one))) await send(node, call, statisticsOf(projection));
}

function statisticsOf({ name, version, enabled }: Kept): StatisticsResp {
  const details = new messages.StatisticsResp.Details();
  details.setName(name);
  details.setEffectivename(name);
  details.setMode('Continuous');
  details.setStatus(enabled ? 'Running' : 'Stopped');
  details.setVersion(String(version));
  details.setEpoch(String(version));
  details.setCoreprocessingtime('0');
  details.setEventsprocessedafterrestart('0');
  details.setBufferedevents('0');
  details.setProgress(100);
  const response = new messages.StatisticsResp();
  response.setDetails(details);
  return response;
}

async function change(store: Store, name: string, to: Partial<Projection>): Promise<void> {
  const { query, enabled, emitEnabled, trackEmittedStreams } = { ...kept(store, name), ...to };
  await record(store, streamOf(name), UPDATED, { query, enabled, emitEnabled, trackEmittedStreams });
}

/** Throws for a name that is not registered. */
function kept(store: Store, name: string): Kept {
  const page = isRegistered(store, name) ? store.readBackwards(streamOf(name), null, 1) : null;
  const [last] = page?.kind === 'events' ? page.events : [];
  if (last === undefined) throw projectionNotFound(name);
  return { ...(jsonOf(last.event.data) as unknown as Projection), name, version: last.number };
}

function registered(store: Store): readonly string[] {
  const page = store.readForwards(REGISTRATIONS, 0, ALL);
  const names = new Set<string>();
  for (const { event } of page.kind === 'events' ? page.events : []) {
    const name = String(jsonOf(event.data)['name']);
    if (event.type === CREATED) names.add(name);
    else names.delete(name);
  }
  return [...names];
}

function isRegistered(store: Store, name: string): boolean {
  return registered(store).includes(name);
}

async function record(store: Store, stream: string, type: string, data: object): Promise<void> {
  const event = { id: crypto.randomUUID(), type, isJson: true, data: Buffer.from(JSON.stringify(data)) };
  const outcome = await store.append(stream, ANY, [{ ...event, metadata: new Uint8Array() }]);
  if (outcome.kind !== 'written') throw handlerFailed();
}

function streamOf(name: string): string {
  return `$projections-${name}`;
}

function jsonOf(data: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>;
}
