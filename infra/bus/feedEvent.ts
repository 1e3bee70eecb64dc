import { z } from 'zod';
import type { Commit } from '../../domain/commit.ts';
import { formatPosition } from '../../domain/commit.ts';
import { allEvents, eventEnvelope, type AnyEvent } from '../../domain/events.ts';
import { canonicalJson } from '../log/canonical.ts';
import { UPCASTERS, currentSchemaVersion, upcast } from '../log/upcasters.ts';

/**
 * One message of a feed: the public contract for automation. `event` is the event as the log has it, with a
 * `schemaVersion` of its own for its `data`; the outer one is raised when this envelope changes. `position` is
 * `<log>:<version>`; a version's events stand one behind the other with `index` from 0 to `count` - 1, and only together do
 * they say what happened. `logId` changes when the log itself is another one.
 */
export const feedEvent = z.object({
  schemaVersion: z.literal(1),
  logId: z.string(),
  position: z.string(),
  index: z.int().min(0),
  count: z.int().min(1),
  event: z.looseObject({ id: z.string(), type: z.string(), schemaVersion: z.int(), occurredAt: z.string() }),
});
export type FeedEvent = z.infer<typeof feedEvent>;

/** The body of a message. Canonical, so that what has to be written again has the same bytes. */
export function feedEventText(log: string, commit: Commit, index: number): string {
  const { logId, version, events } = commit;
  const position = formatPosition(log, version);
  return canonicalJson({ schemaVersion: 1, logId, position, index, count: events.length, event: events[index] });
}

/** The version within a position of this log; null when the position is none. */
export function versionIn(log: string, position: string): number | null {
  const version = Number(position.slice(log.length + 1));
  return Number.isSafeInteger(version) && version > 0 && formatPosition(log, version) === position ? version : null;
}

const schemas: ReadonlyMap<string, z.ZodType> = new Map(Object.entries(allEvents));

/** The event as this version of Muster has it; null when a later one wrote it. */
export function eventIn({ event }: FeedEvent): AnyEvent | null {
  const current = currentSchemaVersion(event.type, UPCASTERS);
  const schema = schemas.get(event.type);
  if (schema === undefined || event.schemaVersion > current) return null;
  const data = upcast(event.type, event.schemaVersion, event['data'], UPCASTERS);
  const lifted: unknown = { ...event, data, schemaVersion: current };
  return isEvent(lifted, schema) ? lifted : null;
}

function isEvent(lifted: unknown, schema: z.ZodType): lifted is AnyEvent {
  const envelope = eventEnvelope.safeParse(lifted);
  return envelope.success && schema.safeParse(envelope.data.data).success;
}
