import type { CommandOutcome } from '../../domain/commit.ts';
import type { AnyEvent } from '../../domain/events.ts';
import { actor as actorSchema } from '../../domain/schemas.ts';
import * as s from '../../domain/schemas.ts';

/**
 * What fits its schema at a glance. The schemas are the judges of what may be written; these recognise, at a
 * fraction of the cost, what a schema would take unchanged; whatever they do not recognise is put before the schema, which
 * names the field. So they may be too strict, never too lenient: a test spoils every field in many ways to see that.
 */

const UUID_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ACTOR_KINDS: ReadonlySet<string> = new Set(actorSchema.shape.kind.options);
const ENVELOPE_FIELDS = 8;

/** Whether everything of an event but its data fits `eventEnvelope`, and nothing stands beside it. */
export function isEvidentEnvelope(event: AnyEvent): boolean {
  const { id, type, schemaVersion, occurredAt, actor, reason, correlationId, causationId, data } = event;
  return (
    Object.keys(event).length === ENVELOPE_FIELDS + (reason === undefined ? 0 : 1) &&
    isText(id, 36) &&
    UUID_8.test(id) &&
    typeof type === 'string' &&
    Number.isSafeInteger(schemaVersion) &&
    schemaVersion >= 1 &&
    isEvidentTime(occurredAt) &&
    isEvidentActor(actor) &&
    (reason === undefined || isText(reason, 500)) &&
    isText(correlationId, 128) &&
    isText(causationId, 128) &&
    data !== undefined
  );
}

/** Whether it fits `commandOutcome`, with scalars only. */
export function isEvidentOutcome(command: CommandOutcome): boolean {
  const { key, requestHash, outcome } = command;
  return (
    Object.keys(command).length === 3 && isText(key, 128) && key !== '' && isText(requestHash, 64) && isFlat(outcome)
  );
}

function isEvidentActor(actor: unknown): boolean {
  if (typeof actor !== 'object' || actor === null || !('id' in actor) || !('kind' in actor)) return false;
  const { id, kind } = actor;
  return (
    Object.keys(actor).length === 2 && isText(id, 64) && id !== '' && typeof kind === 'string' && ACTOR_KINDS.has(kind)
  );
}

/** The events of a commit happened at one time, so it is usually the one that was looked at last. */
let lastTime = '';

function isEvidentTime(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  if (text === lastTime) return true;
  if (!s.time.safeParse(text).success) return false;
  lastTime = text;
  return true;
}

function isFlat(outcome: unknown): boolean {
  if (typeof outcome !== 'object' || outcome === null) return false;
  if (Object.getPrototypeOf(outcome) !== Object.prototype) return false;
  // The schema loses this one name.
  if (Object.hasOwn(outcome, '__proto__')) return false;
  for (const value of Object.values(outcome)) {
    if (value !== null && typeof value !== 'string' && typeof value !== 'boolean' && !Number.isFinite(value))
      return false;
  }
  return true;
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}
