import { isId } from '../domain/ids.ts';

/** Every name on the bus is spelled here and nowhere else. Ids are checked before a subject or key is built from one. */

export const CHECKINS_STREAM = 'MUSTER_CHECKINS';
export const CHECKINS_SUBJECTS = 'muster.checkin.>';
const DESIRED_BUCKET = 'MUSTER_DESIRED';
export const DESIRED_STREAM = `KV_${DESIRED_BUCKET}`;
export const DESIRED_SUBJECTS = `$KV.${DESIRED_BUCKET}.>`;
export const ROLLUPS_STREAM = 'MUSTER_ROLLUPS';
export const ROLLUPS_SUBJECTS = 'muster.rollup.>';
/** Up to which time the check-ins are in the rollups. No agent's subject is this short. */
export const ROLLUPS_WRITTEN = 'muster.rollup.written';
const SNAPSHOTS_BUCKET = 'MUSTER_SNAPSHOTS';
export const SNAPSHOTS_STREAM = `OBJ_${SNAPSHOTS_BUCKET}`;
/** An object store has its parts under one prefix and what describes them under the other. */
export const SNAPSHOT_PARTS = `$O.${SNAPSHOTS_BUCKET}.C.`;
export const SNAPSHOT_DESCRIPTIONS = `$O.${SNAPSHOTS_BUCKET}.M.`;

const LEASES_BUCKET = 'MUSTER_LEASES';
export const LEASES_STREAM = `KV_${LEASES_BUCKET}`;
export const LEASES_SUBJECTS = `$KV.${LEASES_BUCKET}.>`;

/** The subject under which the lease of a log is kept. */
export function leaseSubject(log: string): string {
  return `$KV.${LEASES_BUCKET}.${checkedLogName(log)}`;
}

const SECRETS_BUCKET = 'MUSTER_SECRETS';
export const SECRETS_STREAM = `KV_${SECRETS_BUCKET}`;
export const SECRETS_SUBJECTS = `$KV.${SECRETS_BUCKET}.>`;
/** What shows which key the secrets are encrypted with. No secret can have this name. */
export const SECRETS_CHECK = '=check';

/** A lower-case word, and for most of them an id behind a dot: `cookie`, `person.anna`, `callout.issuer`. */
export function isSecretName(name: string): boolean {
  const [kind = '', id, ...rest] = name.split('.');
  return /^[a-z][a-z-]{0,31}$/.test(kind) && (id === undefined || isId(id)) && rest.length === 0;
}

/** The subject under which a secret is kept. */
export function secretSubject(name: string): string {
  if (!isSecretName(name) && name !== SECRETS_CHECK) {
    throw new RangeError(`"${name.slice(0, 100)}" is not the name of a secret, so no bus name is built from it`);
  }
  return `$KV.${SECRETS_BUCKET}.${name}`;
}

/** Which secret stands under a subject; null when it is none. */
export function secretPlace(subject: string): string | null {
  const prefix = `$KV.${SECRETS_BUCKET}.`;
  const name = subject.slice(prefix.length);
  return subject.startsWith(prefix) && isSecretName(name) ? name : null;
}

/** Where a gateway tells the others that it is there. */
export function aliveSubject(gatewayId: string): string {
  return `muster.gateway.${checked(gatewayId)}.alive`;
}

/** Where a gateway takes commands from the others, in the account that only gateways enter. */
export function relaySubject(gatewayId: string): string {
  return `muster.gateway.${checked(gatewayId)}.command`;
}

/** The logs there are: `fleet`, and `zone-<id>` for each zone. */
export function isLogName(log: string): boolean {
  return log === 'fleet' || (log.startsWith('zone-') && isId(log.slice('zone-'.length)));
}

/** The stream of one log in its epoch: `MUSTER_EVENTS_zone_default_1`, `MUSTER_EVENTS_fleet_1`. */
export function logStream(log: string, epoch: number): string {
  return `MUSTER_EVENTS_${checkedLogName(log).replace('-', '_')}_${epoch}`;
}

/** The one literal subject of a log: `muster.event.zone.default`, `muster.event.fleet`. */
export function logSubject(log: string): string {
  return `muster.event.${checkedLogName(log).replace('-', '.')}`;
}

/** Which epoch of a log a stream is; null when it is none of its. */
export function logEpochOf(log: string, stream: string): number | null {
  const number = Number(/_([1-9]\d{0,8})$/.exec(stream)?.[1]);
  return logStream(log, number) === stream ? number : null;
}

/** Where the subject of a sealed epoch's stream is parked, so that the next one can have the log's. */
export function sealedSubject(log: string, epoch: number): string {
  return `muster.sealed.${checkedLogName(log).replace('-', '.')}.${epoch}`;
}

/** The subjects of all sealed epochs of a log. */
export function sealedSubjects(log: string): string {
  return `muster.sealed.${checkedLogName(log).replace('-', '.')}.*`;
}

export function checkInSubject(zone: string, agentId: string): string {
  return `muster.checkin.${checked(zone)}.${checked(agentId)}`;
}

/** Whose check-in stands under a subject; null when it is no subject of a check-in. */
export function checkInPlace(subject: string): { readonly zone: string; readonly agentId: string } | null {
  const [muster, checkin, zone, agentId, ...rest] = subject.split('.');
  if (muster !== 'muster' || checkin !== 'checkin' || rest.length > 0) return null;
  if (zone === undefined || agentId === undefined || !isId(zone) || !isId(agentId)) return null;
  return { zone, agentId };
}

/** The feed of a log: `MUSTER_FEED_default`, and `MUSTER_FEED` for the fleet's, a name that no zone can take. */
export function feedStream(log: string): string {
  const zone = zoneOf(log);
  return zone === null ? 'MUSTER_FEED' : `MUSTER_FEED_${zone}`;
}

/**
 * Where one event stands in a feed: `muster.feed.default.agent-1.AgentEnabled`. `_` where no agent is concerned; what
 * happened to the fleet as a whole is under `=fleet`, which is no id, so that a zone may be called `fleet`.
 */
export function feedSubject(log: string, agentId: string | null, eventType: string): string {
  return `muster.feed.${feedToken(log)}.${agentId === null ? '_' : checked(agentId)}.${checked(eventType)}`;
}

export function feedSubjects(log: string): string {
  return `muster.feed.${feedToken(log)}.>`;
}

/** Whatever concerns one agent in a feed. */
export function feedSubjectsOf(log: string, agentId: string): string {
  return `muster.feed.${feedToken(log)}.${checked(agentId)}.>`;
}

/** Everything that programs ask for on the bus: to change something, and to be told something. */
export const COMMAND_SUBJECTS = 'muster.cmd.>';
export const QUERY_SUBJECTS = 'muster.query.>';
/** What stands in the place of a zone where the fleet as a whole is meant. */
export const FLEET_TARGET = 'fleet';

/** Where a caller asks for a change: `muster.cmd.<caller>.default.RequestSession`, of a zone or of the fleet. */
export function commandSubject(callerId: string, target: string, command: string): string {
  return `muster.cmd.${checked(callerId)}.${checked(target)}.${checked(command)}`;
}

/** Where a caller asks to be told something: `muster.query.<caller>.agents`. */
export function querySubject(callerId: string, query: string): string {
  return `muster.query.${checked(callerId)}.${checked(query)}`;
}

/** A subject of a request as documents write it, with what differs in braces: `muster.query.{keyId}.agents`. */
export function requestSubjectShown(name: string, target: 'zone' | 'fleet' | 'log' | null): string {
  if (target === null) return `muster.query.{keyId}.${checked(name)}`;
  const place = { zone: '{zone}', fleet: FLEET_TARGET, log: `{zone or ${FLEET_TARGET}}` }[target];
  return `muster.cmd.{keyId}.${place}.${checked(name)}`;
}

/** Who asks under a subject, and for what: the tokens behind the caller's. */
export interface RequestPlace {
  readonly kind: 'command' | 'query';
  readonly callerId: string;
  readonly asked: readonly string[];
}

/** Null: it is no subject of a request, or names no caller. */
export function requestPlace(subject: string): RequestPlace | null {
  const [muster, verb, callerId, ...asked] = subject.split('.');
  const kind = verb === 'cmd' ? 'command' : verb === 'query' ? 'query' : null;
  if (muster !== 'muster' || kind === null || callerId === undefined || !isId(callerId)) return null;
  return { kind, callerId, asked };
}

/** What the inboxes of a caller begin with, before a dot. Nobody else may listen there. */
export function inboxPrefix(callerId: string): string {
  return `_INBOX_${checked(callerId)}`;
}

/** Whether an answer under this subject reaches that caller and nobody else. */
export function isInboxOf(callerId: string, reply: string): boolean {
  return reply.startsWith(`${inboxPrefix(callerId)}.`);
}

/** The subject under which the desired bucket keeps an agent's document. */
export function desiredSubject(agentId: string): string {
  return `$KV.${DESIRED_BUCKET}.${checked(agentId)}`;
}

/** Under which an agent gets its answers, and nobody else. */
export function agentInbox(agentId: string): string {
  return `_INBOX.agent.${checked(agentId)}`;
}

/** Where an agent is called. */
export function agentCallSubjects(agentId: string): string {
  return `muster.agent.${checked(agentId)}.call.>`;
}

/** Where a gateway asks an agent for what a session's program has printed, and says how much of it may come. */
export function outputCallSubject(agentId: string): string {
  return `muster.agent.${checked(agentId)}.call.logs`;
}

/** Where a gateway asks an agent what it would remove of its images or to do it, and says that image definitions have changed. */
export function pruneCallSubject(agentId: string): string {
  return `muster.agent.${checked(agentId)}.call.prune`;
}

/** Where an agent answers one call. No stream takes these, and no call names a subject of its own. */
export function agentAnswerSubject(agentId: string, callId: string): string {
  return `muster.agent.${checked(agentId)}.answer.${checked(callId)}`;
}

export function agentAnswerSubjectsOf(agentId: string): string {
  return `muster.agent.${checked(agentId)}.answer.*`;
}

/** What an agent may ask the gateways for. */
export type AgentQuestion = 'desired' | 'definitions';

/** Where an agent asks the gateways. */
export function agentAskSubject(agentId: string, question: AgentQuestion): string {
  return `muster.agent.${checked(agentId)}.ask.${question}`;
}

export function agentAskSubjectsOf(agentId: string): string {
  return `muster.agent.${checked(agentId)}.ask.>`;
}

/** Where all agents ask the one question. */
export function allAgentsAskSubject(question: AgentQuestion): string {
  return `muster.agent.*.ask.${question}`;
}

/** Which agent asks under a subject; null when none does. */
export function askingAgent(subject: string): string | null {
  const [muster, agent, agentId = '', ask, question, ...rest] = subject.split('.');
  const isQuestion = muster === 'muster' && agent === 'agent' && ask === 'ask' && question !== undefined;
  return isQuestion && rest.length === 0 && isId(agentId) ? agentId : null;
}

/** Where the holder of an access key gives commands and asks. */
export function commandSubjectsOf(keyId: string): string {
  return `muster.cmd.${checked(keyId)}.>`;
}

export function querySubjectsOf(keyId: string): string {
  return `muster.query.${checked(keyId)}.>`;
}

/** Everything that is told of every log. */
export const FEED_SUBJECTS = 'muster.feed.>';

/** Where a chunk of an agent's history is kept: `muster.rollup.agent-1.10.1793534400`, for a start in seconds since 1970. */
export function rollupSubject(agentId: string, bucketSeconds: number, startSeconds: number): string {
  for (const number of [bucketSeconds, startSeconds]) {
    if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${number} is no whole number of seconds`);
  }
  return `muster.rollup.${checked(agentId)}.${bucketSeconds}.${startSeconds}`;
}

/** Where ten days of an agent's capacity and allocated are kept: `muster.rollup.agent-1.capacity.1793534400`. */
export function capacitySubject(agentId: string, startSeconds: number): string {
  if (!Number.isSafeInteger(startSeconds)) throw new RangeError(`${startSeconds} is no whole number of seconds`);
  return `muster.rollup.${checked(agentId)}.capacity.${startSeconds}`;
}

export function capacitySubjectsOf(agentId: string): string {
  return `muster.rollup.${checked(agentId)}.capacity.*`;
}

/** Up to which version of a zone's log they are kept. Shorter than an agent's subject, longer than that of the rollups. */
export function capacityMarkSubject(log: string): string {
  return `muster.rollup.capacity.${checkedLogName(log)}`;
}

/** The object of one snapshot: `zone-default/17`. */
export function snapshotObject(log: string, version: number): string {
  return `${checkedLogName(log)}/${version}`;
}

/** Where an object store keeps what describes an object: the name in base64url, so that it may hold anything. */
export function snapshotDescriptionSubject(object: string): string {
  return `${SNAPSHOT_DESCRIPTIONS}${paddedBase64Url(Buffer.from(object))}`;
}

/** As object stores write names and digests: base64url, with the padding that Node leaves out. */
export function paddedBase64Url(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** The log whose snapshot a subject describes, and its version; null when it describes something else. */
export function snapshotPlace(subject: string): { readonly log: string; readonly version: number } | null {
  const object = Buffer.from(subject.slice(SNAPSHOT_DESCRIPTIONS.length), 'base64url').toString();
  const [log = '', version = ''] = object.split('/');
  if (!isLogName(log) || !/^[1-9]\d{0,14}$/.test(version)) return null;
  return snapshotDescriptionSubject(object) === subject ? { log, version: Number(version) } : null;
}

function checked(id: string): string {
  if (!isId(id)) throw new RangeError(`"${id}" is not a valid id, so no bus name is built from it`);
  return id;
}

/** Null: it is the fleet's log. */
function zoneOf(log: string): string | null {
  return checkedLogName(log) === 'fleet' ? null : log.slice('zone-'.length);
}

function feedToken(log: string): string {
  return zoneOf(log) ?? '=fleet';
}

function checkedLogName(log: string): string {
  if (!isLogName(log)) throw new RangeError(`"${log}" is not the name of a log, so no bus name is built from it`);
  return log;
}
