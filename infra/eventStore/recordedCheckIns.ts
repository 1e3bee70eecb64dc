import type { CheckIn } from '../../domain/checkIn.ts';
import { isId } from '../../domain/ids.ts';
import { checkInMark, type CheckInMark } from '../bus/checkInMark.ts';
import { CHECKINS_DAYS } from '../bus/streams.ts';
import { eventId } from '../log/eventId.ts';
import { isWrongRevision } from './errors.ts';
import { firstOf } from './firstOf.ts';
import type { EventStore, NewEvent, StreamLimits } from './port.ts';

/**
 * How check-ins look in EventStoreDB: a stream `checkins-<agentId>` for each agent, and one event in a stream of its own that
 * says up to where they are all recorded. That one is not of the category `checkins`.
 */
export const CHECKINS_RECORDED = 'checkinsRecorded';

/** Throws RangeError when it is no agent's id. */
export function checkInsStreamOf(agentId: string): string {
  if (!isId(agentId)) throw new RangeError(`"${agentId}" is not a valid id, so no stream is named by it`);
  return `checkins-${agentId}`;
}

/** As long as the bus keeps them. */
const CHECKINS_LIMITS = { maxAgeSeconds: CHECKINS_DAYS * 86_400 };
const RECORDED_LIMITS = { maxCount: 1 };

/** The id depends on the mark, which no other check-in ever has, so an append that is tried again is known to the store. */
export function checkInEvent(checkIn: CheckIn, mark: CheckInMark): NewEvent {
  return { id: idOf(checkIn.agentId, mark), type: 'AgentCheckedIn', data: checkIn, metadata: mark };
}

/** All check-ins up to `mark` are recorded. */
export function recordedEvent(mark: CheckInMark): NewEvent {
  return { id: idOf('', mark), type: 'CheckInsRecorded', data: {}, metadata: mark };
}

function idOf(agentId: string, { stream, sequence, receivedAt }: CheckInMark): string {
  return eventId(`${agentId}:${stream}:${receivedAt}`, sequence);
}

/** Where a stream ends. */
export interface RecordedEnd {
  /** Of its last event; null: it has none. */
  readonly revision: number | null;
  /** What its last event is of; null when it has none, or it is somebody else's. */
  readonly mark: CheckInMark | null;
}

/**
 * Where a stream ends, which has its limits after this: those that somebody else has set stay. `hint`: at which revision
 * the store says that it ends, in case that all its events have left by their age. Rejects with StoreError.
 */
export async function endOf(store: EventStore, stream: string, hint: number | null): Promise<RecordedEnd> {
  await limit(store, stream);
  const last = await firstOf(store.read(stream, { from: 'end', direction: 'backwards', limit: 1 }));
  if (last === null) return { revision: hint, mark: null };
  const { success, data } = checkInMark.safeParse(last.metadata);
  return { revision: last.revision, mark: success ? data : null };
}

async function limit(store: EventStore, stream: string): Promise<void> {
  const limits = await store.limitsOf(stream);
  const wanted: StreamLimits = stream === CHECKINS_RECORDED ? RECORDED_LIMITS : CHECKINS_LIMITS;
  if (Object.keys(wanted).every((name) => Object.hasOwn(limits, name))) return;
  try {
    await store.setLimits(stream, wanted);
  } catch (error) {
    // Another gateway has just set the same; if it was somebody else, whoever looks next sees it.
    if (!isWrongRevision(error)) throw error;
  }
}
