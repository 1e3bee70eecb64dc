import { parseCheckIn } from '../../infra/bus/checkIns.ts';
import { isReadUpTo, type CheckInMark } from '../../infra/bus/checkInMark.ts';
import type { MarkedCheckIn } from '../../infra/bus/checkInsBehind.ts';
import type { Clock } from '../../infra/clock.ts';
import { isTooLarge, isWrongRevision } from '../../infra/eventStore/errors.ts';
import type { EventStore, NewEvent } from '../../infra/eventStore/port.ts';
import { checkInEvent, checkInsStreamOf, endOf, type RecordedEnd } from '../../infra/eventStore/recordedCheckIns.ts';

export interface AgentStreamsOptions {
  readonly store: EventStore;
  readonly clock: Clock;
  /** So many were recorded just now. */
  readonly onRecorded: (checkIns: number) => void;
  /** One is more than the store takes, and is left out. */
  readonly onTooLarge: (agentId: string) => void;
}

/** One append has no more events, and no more bytes unless one check-in alone has. */
const MOST_EVENTS = 256;
const MOST_BYTES = 256 * 1024;
/** So many bytes are parsed before everything else gets its turn: about a millisecond. */
const TURN_BYTES = 16 * 1024;
/** More ends than that are all forgotten and read again. */
const MOST_ENDS = 50_000;
/** So many refusals in a row: others write there all the time. */
const ATTEMPTS = 8;

/**
 * Brings check-ins into the streams of their agents, each once: what a stream ends with tells what is recorded, and every
 * append is refused unless the stream ends so. Then it looks again, so that two gateways at once do no harm.
 */
export class AgentStreams {
  readonly #options: AgentStreamsOptions;
  readonly #ends = new Map<string, RecordedEnd>();

  constructor(options: AgentStreamsOptions) {
    this.#options = options;
  }

  /** Looks again at every stream. To be called when others may have written. */
  forget(): void {
    this.#ends.clear();
  }

  /**
   * Records an agent's check-ins, in order. `upTo`: all up to there are recorded, also when the agent's stream does not tell.
   * Rejects with StoreError; what is recorded by then is not recorded again.
   */
  async record(agentId: string, checkIns: readonly MarkedCheckIn[], upTo: CheckInMark | null): Promise<void> {
    const { onRecorded, onTooLarge } = this.#options;
    const stream = checkInsStreamOf(agentId);
    let [refusals, most] = [0, MOST_EVENTS];
    let end = this.#ends.get(agentId) ?? (await this.#look(stream, null));
    let waiting = notRecorded(checkIns, end, upTo);
    while (waiting.length > 0) {
      const batch = waiting.slice(0, fitting(waiting, most));
      try {
        const events = await this.#eventsOf(batch);
        end = await this.#append(stream, end, events, batch.at(-1)?.mark ?? null);
        this.#keep(agentId, end);
        onRecorded(events.length);
        waiting = waiting.slice(batch.length);
      } catch (error) {
        this.#ends.delete(agentId);
        if (isTooLarge(error) && batch.length > 1) most = Math.ceil(batch.length / 2);
        else if (isTooLarge(error)) {
          onTooLarge(agentId);
          waiting = waiting.slice(1);
        } else if (isWrongRevision(error) && refusals < ATTEMPTS) {
          refusals += 1;
          end = await this.#look(stream, error.actual);
          waiting = notRecorded(waiting, end, upTo);
        } else throw error;
      }
    }
  }

  async #append(
    stream: string,
    end: RecordedEnd,
    events: readonly NewEvent[],
    mark: CheckInMark | null,
  ): Promise<RecordedEnd> {
    if (events.length === 0) return end;
    return { revision: await this.#options.store.append(stream, end.revision, events), mark };
  }

  async #look(stream: string, hint: number | null): Promise<RecordedEnd> {
    return await endOf(this.#options.store, stream, hint);
  }

  #keep(agentId: string, end: RecordedEnd): void {
    if (this.#ends.size >= MOST_ENDS) this.#ends.clear();
    this.#ends.set(agentId, end);
  }

  /** What is no check-in is left out; whoever hears it says so. */
  async #eventsOf(batch: readonly MarkedCheckIn[]): Promise<readonly NewEvent[]> {
    const events: NewEvent[] = [];
    let bytes = 0;
    for (const message of batch) {
      const result = parseCheckIn(message);
      if (!('problem' in result)) events.push(checkInEvent(result.checkIn, message.mark));
      bytes += message.data.length;
      if (bytes < TURN_BYTES) continue;
      bytes = 0;
      await this.#options.clock.afterOthers();
    }
    return events;
  }
}

function notRecorded(
  checkIns: readonly MarkedCheckIn[],
  end: RecordedEnd,
  upTo: CheckInMark | null,
): readonly MarkedCheckIn[] {
  const last = end.mark ?? upTo;
  return last === null ? checkIns : checkIns.filter(({ mark }) => !isReadUpTo(mark, last));
}

/** How many of them go into one append: at least one. */
function fitting(checkIns: readonly MarkedCheckIn[], most: number): number {
  let bytes = 0;
  let count = 0;
  for (const { data } of checkIns) {
    bytes += data.length;
    if (count === most || (count > 0 && bytes > MOST_BYTES)) break;
    count += 1;
  }
  return count;
}
