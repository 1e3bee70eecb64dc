import { z } from 'zod';
import { agentEvents } from './agents/events.ts';
import { enrolmentEvents } from './fleet/events.ts';
import { imageEvents } from './images/events.ts';
import { keyEvents } from './keys/events.ts';
import { logEvents } from './logs/events.ts';
import { managerTokenEvents } from './managerTokens/events.ts';
import { peopleEvents } from './people/events.ts';
import { actor } from './schemas.ts';
import { sessionEvents } from './sessions/events.ts';

/**
 * The catalogue of everything that can be recorded. A type is added here, in its aggregate's `events.ts`, with a golden
 * file; a shape once recorded never changes, it gets a new `schemaVersion` and an upcaster in the codec.
 */
export const zoneEvents = { ...agentEvents, ...sessionEvents, ...logEvents };
export const fleetEvents = {
  ...enrolmentEvents,
  ...imageEvents,
  ...peopleEvents,
  ...keyEvents,
  ...managerTokenEvents,
  ...logEvents,
};
export const allEvents = { ...zoneEvents, ...fleetEvents };

type Fact<Catalogue extends Record<string, z.ZodType>> = {
  readonly [Type in keyof Catalogue & string]: { readonly type: Type; readonly data: z.infer<Catalogue[Type]> };
}[keyof Catalogue & string];

/** What a zone's decider says happened, without who and when. */
export type ZoneFact = Fact<typeof zoneEvents>;
/** The same for the fleet's log. */
export type FleetFact = Fact<typeof fleetEvents>;
export type AnyFact = ZoneFact | FleetFact;

/** Who did it. `system` is Muster itself: a rule that came due. */
export type Actor = z.infer<typeof actor>;

/** The envelope around a fact. `occurredAt` is the deciding gateway's time, ISO 8601 in UTC. */
export const eventEnvelope = z.object({
  id: z.uuid(),
  type: z.string(),
  schemaVersion: z.int().min(1),
  occurredAt: z.iso.datetime(),
  actor,
  reason: z.string().max(500).optional(),
  correlationId: z.string().max(128),
  causationId: z.string().max(128),
  data: z.unknown(),
});

export type Recorded<F extends AnyFact> = F extends AnyFact
  ? F & Omit<z.infer<typeof eventEnvelope>, 'type' | 'data'>
  : never;
export type ZoneEvent = Recorded<ZoneFact>;
export type FleetEvent = Recorded<FleetFact>;
export type AnyEvent = Recorded<AnyFact>;

/** A zone's log holds these and nothing else; the fleet's log holds the others. A seal is in both. */
export function isZoneEvent(event: AnyEvent): event is ZoneEvent {
  return Object.hasOwn(zoneEvents, event.type);
}

export function isFleetEvent(event: AnyEvent): event is FleetEvent {
  return Object.hasOwn(fleetEvents, event.type);
}
