import { hash } from 'node:crypto';
import type { z } from 'zod';
import { RULES_VERSION, commitHeader, type Commit, type CommandOutcome } from '../../domain/commit.ts';
import { allEvents, eventEnvelope, type AnyEvent } from '../../domain/events.ts';
import { canonicalJson } from './canonical.ts';
import { LogError, LogErrorCode } from './errors.ts';
import { isEvidentEnvelope, isEvidentOutcome } from './evident.ts';
import { originOf, rememberOrigin } from './origin.ts';
import type { StoredCommit } from './port.ts';
import { firstDifference } from './strict.ts';
import { UPCASTERS, currentSchemaVersion, upcast, type Upcasters } from './upcasters.ts';

/**
 * Commits to bytes and back. Writing is strict: every field is validated, and a field that the schema does not know is
 * refused. The bytes are canonical JSON (RFC 8785) and the hash is SHA-256 over them.
 *
 * Reading is tolerant and does not run zod: 3 µs per small event would double the time to replay a log, and the hash chain
 * already proves that the bytes are what a validating writer wrote. What later code relies on without looking is checked:
 * the header, and that every event's type and schema version are known.
 */
export interface EncodedCommit {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/** The place in a log that the next commit follows. A `StoredCommit` is one; so is what a snapshot keeps. */
export interface LogHead {
  readonly commit: Pick<Commit, 'logId' | 'version'>;
  readonly hash: string;
}

const decoder = new TextDecoder('utf-8', { fatal: true });
const header = commitHeader.omit({ events: true });
const headerWithoutCommands = header.omit({ commands: true });
const schemas: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(allEvents));

/**
 * The commit that follows `previous`; `null` begins a log and gives it `newLogId`. Whoever has encoded the events already
 * gives what `encodeEvent` said as `texts`, one for each event; they are checked no more.
 */
export function nextCommit(input: {
  readonly previous: LogHead | null;
  readonly newLogId: string;
  readonly at: string;
  readonly events: readonly AnyEvent[];
  readonly texts?: readonly string[];
  readonly commands: readonly CommandOutcome[];
}): Commit {
  const { previous, newLogId, at, events, texts, commands } = input;
  const commit: Commit = {
    logId: previous?.commit.logId ?? newLogId,
    version: (previous?.commit.version ?? 0) + 1,
    previousHash: previous?.hash ?? '',
    rulesVersion: RULES_VERSION,
    at,
    events,
    commands,
  };
  if (texts === undefined) return commit;
  if (texts.length !== events.length) throw new RangeError(`${texts.length} texts for ${events.length} events`);
  eventTexts.set(commit, texts);
  return commit;
}

/**
 * Throws LogError INVALID_COMMIT, naming the event and the field. A commit never changes once made, so it is encoded once,
 * however often it is asked for: for the hash, for the append, for a second try. One that was read is the bytes that it was
 * read from, whichever build wrote them: lifting its events and today's checks concern what is decided now.
 */
export function encodeCommit(commit: Commit, upcasters: Upcasters = UPCASTERS): EncodedCommit {
  const known = encodedCommits.get(commit);
  if (known !== undefined) return known;
  const bytes = originOf(commit) ?? made(commit, upcasters);
  const encoded = { bytes, hash: hashOf(bytes) };
  encodedCommits.set(commit, encoded);
  return encoded;
}

function made(commit: Commit, upcasters: Upcasters): Uint8Array {
  checkHeader(commit);
  const texts =
    eventTexts.get(commit) ??
    commit.events.map((event, index) => encodeEvent(event, upcasters, `event ${index} (${event.type})`));
  return Buffer.from(assemble(commit, texts), 'utf8');
}

/** The canonical JSON of one event as it will stand in its commit. Throws LogError INVALID_COMMIT, naming the field. */
export function encodeEvent(event: AnyEvent, upcasters: Upcasters = UPCASTERS, place: string = event.type): string {
  checkEvent(event, place, upcasters);
  return textOf(event);
}

// By commit, not by event: looking after an entry for every event would cost more than encoding it.
const encodedCommits = new WeakMap<Commit, EncodedCommit>();
const eventTexts = new WeakMap<Commit, readonly string[]>();

/** Canonical JSON of the commit around that of its events: the members in the order of their names. */
function assemble(
  { at, commands, logId, previousHash, rulesVersion, version }: Commit,
  events: readonly string[],
): string {
  const tail = textOf({ logId, previousHash, rulesVersion, version }).slice(1);
  return `{"at":${textOf(at)},"commands":${textOf(commands)},"events":[${events.join(',')}],${tail}`;
}

/** Throws LogError UNKNOWN_EVENT at a type or schema version of a newer build, LOG_CORRUPT at anything else unreadable. */
export function decodeCommit(bytes: Uint8Array, upcasters: Upcasters = UPCASTERS): StoredCommit {
  const value = parseJson(bytes);
  assertCommit(value, upcasters);
  const commit = upcastCommit(value, upcasters);
  rememberOrigin(commit, bytes);
  return { commit, hash: hashOf(bytes) };
}

/** SHA-256 over a commit's bytes, in hexadecimal. */
export function hashOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/** Everything but what the events are. Commands that evidently fit are spared the schema, which would take 1 µs for each. */
function checkHeader(commit: Commit): void {
  const { events, commands, ...scalars } = commit;
  const evident = Array.isArray(commands) && commands.every(isEvidentOutcome);
  if (evident) checkAgainst(headerWithoutCommands, scalars, 'the commit');
  else checkAgainst(header, { ...scalars, commands }, 'the commit');
  if (events.length < 1 || events.length > 256) throw invalid(`a commit holds 1 to 256 events, not ${events.length}`);
}

function checkEvent(event: AnyEvent, place: string, upcasters: Upcasters): void {
  if (!isEvidentEnvelope(event)) checkAgainst(eventEnvelope, event, place);
  const schema = schemas.get(event.type);
  if (schema === undefined) throw invalid(`${place}: no such event type`);
  const current = currentSchemaVersion(event.type, upcasters);
  if (event.schemaVersion !== current) {
    throw invalid(`${place}: schemaVersion is ${event.schemaVersion}, but this build writes ${current}`);
  }
  checkAgainst(schema, event.data, `${place}, data`);
}

/** What is written must be what is read back: neither an unknown field nor a value that the schema would change. */
function checkAgainst(schema: z.ZodType, value: unknown, place: string): void {
  const result = schema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw invalid(`${place}, field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'invalid'}`, result.error);
  }
  const field = firstDifference(value, result.data);
  if (field !== null) throw invalid(`${place}, field "${field}": not in the schema, or not in its normal form`);
}

function textOf(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    throw invalid(`the commit has no canonical JSON: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new LogError(LogErrorCode.LogCorrupt, 'the stored bytes are not JSON', error);
  }
}

function assertCommit(value: unknown, upcasters: Upcasters): asserts value is Commit {
  if (!isRecord(value)) throw corrupt('is not an object');
  const { logId, version, previousHash, rulesVersion, at, events, commands } = value;
  if (typeof logId !== 'string' || logId === '') throw corrupt('has no logId');
  if (!isCount(version)) throw corrupt('has no version');
  if (typeof previousHash !== 'string') throw corrupt(`${version} has no previousHash`);
  if (!isCount(rulesVersion)) throw corrupt(`${version} has no rulesVersion`);
  if (typeof at !== 'string') throw corrupt(`${version} has no time`);
  if (!Array.isArray(events) || events.length === 0) throw corrupt(`${version} has no events`);
  if (!Array.isArray(commands)) throw corrupt(`${version} has no commands`);
  for (const event of events) assertEvent(event, version, upcasters);
}

function assertEvent(event: unknown, version: number, upcasters: Upcasters): void {
  if (!isRecord(event)) throw corrupt(`${version} holds an event that is not an object`);
  const { type, schemaVersion, data } = event;
  if (typeof type !== 'string' || !isCount(schemaVersion)) throw corrupt(`${version} holds an event without a type`);
  if (!schemas.has(type)) throw unknown(version, `"${type}" is not an event type that this build knows`);
  const current = currentSchemaVersion(type, upcasters);
  if (schemaVersion > current) {
    throw unknown(version, `${type} has schema version ${schemaVersion}; this build knows up to ${current}`);
  }
  if (!isRecord(data)) throw corrupt(`${version} holds a ${type} without data`);
}

/** The commit itself when no event is of an older version, which is nearly always. */
function upcastCommit(commit: Commit, upcasters: Upcasters): Commit {
  if (!commit.events.some((event) => event.schemaVersion < currentSchemaVersion(event.type, upcasters))) return commit;
  return { ...commit, events: commit.events.map((event) => upcastEvent(event, upcasters)) };
}

function upcastEvent(event: AnyEvent, upcasters: Upcasters): AnyEvent {
  const data = upcast(event.type, event.schemaVersion, event.data, upcasters);
  const lifted: unknown = { ...event, data, schemaVersion: currentSchemaVersion(event.type, upcasters) };
  assertCurrent(lifted);
  return lifted;
}

/** An upcaster's result has not been seen by any writer, so it is the one thing that is validated on reading. */
function assertCurrent(event: unknown): asserts event is AnyEvent {
  const envelope = eventEnvelope.safeParse(event);
  const result = envelope.success ? schemas.get(envelope.data.type)?.safeParse(envelope.data.data) : undefined;
  if (result?.success !== true) {
    const type = envelope.data?.type ?? 'an event';
    throw new LogError(LogErrorCode.LogCorrupt, `${type} does not fit its schema after upcasting`, result?.error);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && typeof value === 'number' && value >= 1;
}

function invalid(message: string, cause?: unknown): LogError {
  return new LogError(LogErrorCode.InvalidCommit, message, cause);
}

function corrupt(what: string): LogError {
  return new LogError(LogErrorCode.LogCorrupt, `a stored commit ${what}`);
}

function unknown(version: number, what: string): LogError {
  return new LogError(LogErrorCode.UnknownEvent, `commit ${version}: ${what}`);
}
