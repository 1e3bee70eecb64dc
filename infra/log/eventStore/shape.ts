import { formatPosition } from '../../../domain/commit.ts';
import type { NewEvent, StoredEvent } from '../../eventStore/port.ts';
import { canonicalJson } from '../canonical.ts';
import type { EncodedCommit } from '../codec.ts';
import { LogError, LogErrorCode } from '../errors.ts';
import { eventId } from '../eventId.ts';
import type { LogName } from '../port.ts';

/**
 * How a commit looks in EventStoreDB: one of its events for each of ours, so that its own pages and projections can be used.
 * The type is ours and so is the data; the metadata hold the rest of the envelope and the event's place in its commit, and
 * the first one what the commit says of itself. Put together again it is the same canonical JSON, byte for byte.
 */

/** Where an event stands: the last one of a commit tells how far the log goes. */
export interface Place {
  readonly revision: number;
  /** Of the commit that the event belongs to. */
  readonly version: number;
  readonly index: number;
  /** How many events the commit has. */
  readonly count: number;
}

/** The members of an event's metadata that are not of its envelope. */
const OWN = ['commit', 'index', 'count', 'header', '$correlationId', '$causationId'] as const;

/**
 * The events to append for a commit. Their ids depend on the commit's hash, not on our events' own ids: EventStoreDB takes an
 * append whose ids stand there already for written, and two gateways that decide one command at one version make events of
 * the same ids and other content.
 */
export function eventsOfCommit(log: LogName, { bytes, hash }: EncodedCommit): readonly NewEvent[] {
  const { events, ...header } = record(JSON.parse(new TextDecoder().decode(bytes)));
  if (!Array.isArray(events)) throw notOurs('it has no events');
  const commit = formatPosition(log, Number(header['version']));
  return events.map((event: unknown, index) => {
    const { type, data, correlationId, causationId, ...envelope } = record(event);
    const place = { commit, index, count: events.length, ...(index === 0 ? { header } : {}) };
    const metadata = { $correlationId: correlationId, $causationId: causationId, ...envelope, ...place };
    return { id: eventId(hash, index), type: String(type), data: record(data), metadata };
  });
}

/** Where an event of a log stands. Throws LogError LOG_CORRUPT when it is none that Muster wrote. */
export function placeOf(event: StoredEvent): Place {
  const { commit, index, count } = record(event.metadata);
  const version = Number(typeof commit === 'string' ? /:([1-9]\d*)$/.exec(commit)?.[1] : undefined);
  if (!Number.isSafeInteger(version) || !isCount(count) || !isIndex(index) || index >= count) {
    throw notOurs('its metadata do not say which commit it belongs to');
  }
  return { revision: event.revision, version, index, count };
}

export function endsCommit({ index, count }: Place): boolean {
  return index === count - 1;
}

/** The canonical bytes of the commit whose events these are, all of them and in order. Throws LogError LOG_CORRUPT. */
export function bytesOfCommit(events: readonly StoredEvent[]): Uint8Array {
  const first = events[0];
  const header = record(record(first?.metadata)['header']);
  try {
    return Buffer.from(canonicalJson({ ...header, events: events.map(eventOf) }), 'utf8');
  } catch (error) {
    if (error instanceof LogError) throw error;
    throw new LogError(LogErrorCode.LogCorrupt, 'the stored events have no canonical JSON', error);
  }
}

function eventOf({ type, data, metadata }: StoredEvent): object {
  const { $correlationId, $causationId, ...rest } = record(metadata);
  const envelope = Object.fromEntries(Object.entries(rest).filter(([name]) => !OWN.some((own) => own === name)));
  return { ...envelope, type, data, correlationId: $correlationId, causationId: $causationId };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw notOurs('it is not an event of Muster');
  }
  return { ...value };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function isIndex(value: unknown): value is number {
  return value === 0 || isCount(value);
}

function notOurs(why: string): LogError {
  return new LogError(LogErrorCode.LogCorrupt, `what is stored there was not written by Muster: ${why}`);
}
