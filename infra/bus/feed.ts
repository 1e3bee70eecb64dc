import { createInbox, headers, type Msg } from 'nats';
import type { AnyEvent } from '../../domain/events.ts';
import { formatPosition, type Commit } from '../../domain/commit.ts';
import { feedStream, feedSubject } from '../names.ts';
import { apiAnswer, getMessage, objectIn, sequenceOf, streamInfo } from './api.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from './errors.ts';
import { feedEvent, feedEventText, versionIn, type FeedEvent } from './feedEvent.ts';
import { assertConfig, feedConfig, makeFeed } from './streams.ts';

/** The last event of a feed, and the version that its position names. */
export interface FeedLast extends FeedEvent {
  readonly version: number;
}

/** Where a feed ends. `last` is null when nothing is left in it, or nothing was ever written. */
export interface FeedEnd {
  readonly sequence: number;
  readonly last: FeedLast | null;
}

/** The stream of one log's feed, as the one who writes it sees it. */
export interface Feed {
  /** Asked of the leader. Null: there is no stream. Rejects with BusError, STREAM_DIFFERS included. */
  end(): Promise<FeedEnd | null>;
  /** Makes the stream; the first event will have this sequence. */
  make(firstSequence: number): Promise<void>;
  /** Writes behind `sequence`, where the feed must end. `onChange` is called when something was stored, or the pipe broke. */
  open(sequence: number, onChange: () => void): FeedPipe;
}

/**
 * Events on their way into a feed. Each is stored only directly behind the one before, so when one is lost or somebody
 * else writes there too, none that follows is stored: the feed then ends where it ended well.
 */
export interface FeedPipe {
  /** Events sent of which it is not known that they are stored. */
  readonly inFlight: number;
  /** Why nothing more comes through; where the feed ends now, `end` tells. */
  readonly broken: BusError | null;
  /** Sends the events of a commit from `index` on. */
  send(commit: Commit, index: number): void;
  close(): void;
}

const SILENCE_MS = 5000;
/** Told with every event besides its body, for whoever needs no more than that. */
const POSITION_HEADER = 'Muster-Position';
const INDEX_HEADER = 'Muster-Index';

/** The feed of a log on the account APP. The stream has so many copies on a cluster; a single server has 1. */
export function createBusFeed(bus: Bus, log: string, replicas: number): Feed {
  const stream = feedStream(log);
  const config = feedConfig(bus, log, replicas);
  return {
    async end() {
      const info = await streamInfo(bus, stream);
      if (info === null) return null;
      assertConfig(config, objectIn(info, 'config'));
      const state = objectIn(info, 'state');
      const sequence = sequenceOf(state, 'last_seq');
      if (sequenceOf(state, 'messages') === 0) return { sequence, last: null };
      const message = await getMessage(bus, stream, { seq: sequence });
      // It may have come of age between the two questions.
      return { sequence, last: message === null ? null : parsed(log, sequence, message.data) };
    },
    make: (firstSequence) => makeFeed(bus, config, firstSequence),
    open: (sequence, onChange) => openPipe({ bus, log, sequence, onChange }),
  };
}

interface Opening {
  readonly bus: Bus;
  readonly log: string;
  readonly sequence: number;
  readonly onChange: () => void;
}

function openPipe({ bus, log, sequence, onChange }: Opening): FeedPipe {
  const inbox = createInbox();
  let sent = sequence;
  let stored = sequence;
  let heard = true;
  let broken: BusError | null = bus.isConnected() ? null : disconnected();

  function breakWith(error: BusError): void {
    broken ??= error;
    onChange();
  }

  /** The last event of a commit asks for an answer; it can only be stored when all before it are. */
  function hear(answer: Msg): void {
    heard = true;
    try {
      stored = storedAt(answer, log);
      onChange();
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      breakWith(error);
    }
  }

  const subscription = bus.connection.subscribe(inbox, {
    callback(error, message) {
      if (error === null) hear(message);
      else breakWith(new BusError(BusErrorCode.NoAnswer, `the answers of ${log}'s feed are refused`, { cause: error }));
    },
  });
  const stopWatching = bus.onChange((connected) => {
    if (!connected) breakWith(disconnected());
  });
  const watchdog = setInterval(() => {
    const silent = stored < sent && !heard;
    heard = false;
    if (silent) breakWith(new BusError(BusErrorCode.NoAnswer, `${log}'s feed did not answer for ${SILENCE_MS} ms`));
  }, SILENCE_MS);

  return {
    get inFlight() {
      return sent - stored;
    },
    get broken() {
      return broken;
    },
    send(commit, index) {
      // What is published while the connection is away would be dropped without a word.
      if (broken !== null) throw broken;
      const position = formatPosition(log, commit.version);
      for (const [at, event] of commit.events.entries()) {
        if (at < index) continue;
        const last = at === commit.events.length - 1;
        const told = headers();
        told.set('Nats-Expected-Last-Sequence', String(sent));
        told.set(POSITION_HEADER, position);
        told.set(INDEX_HEADER, String(at));
        const body = Buffer.from(feedEventText(log, commit, at));
        const subject = feedSubject(log, agentOf(event), event.type);
        bus.connection.publish(subject, body, last ? { headers: told, reply: inbox } : { headers: told });
        sent += 1;
      }
    },
    close() {
      clearInterval(watchdog);
      stopWatching();
      if (!bus.connection.isClosed()) subscription.unsubscribe();
    },
  };
}

function storedAt(answer: Msg, log: string): number {
  if (answer.headers?.code === 503) {
    throw new BusError(BusErrorCode.JetStreamAway, `nobody on the bus answers for ${log}'s feed`);
  }
  try {
    return sequenceOf(apiAnswer(answer.data, `the feed of ${log}`), 'seq');
  } catch (error) {
    if (!hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) throw error;
    const message = `the feed of ${log} ends elsewhere: another gateway writes it too, or something of it was lost`;
    throw new BusError(BusErrorCode.Contended, message, { cause: error });
  }
}

function disconnected(): BusError {
  return new BusError(BusErrorCode.Disconnected, 'the bus is away');
}

function agentOf({ data }: AnyEvent): string | null {
  return 'agentId' in data ? data.agentId : null;
}

/** Throws BusError BUS_MALFORMED: then somebody else has written there, and nothing may be written behind it. */
function parsed(log: string, sequence: number, data: Uint8Array): FeedLast {
  const stream = feedStream(log);
  const event = feedEventIn(stream, sequence, data);
  const version = versionIn(log, event.position);
  if (version === null) throw notOurs(stream, sequence, null);
  return { ...event, version };
}

/** What a message of a feed says. Throws BusError BUS_MALFORMED. */
export function feedEventIn(stream: string, sequence: number, data: Uint8Array): FeedEvent {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    throw notOurs(stream, sequence, error);
  }
  const result = feedEvent.safeParse(json);
  if (!result.success) throw notOurs(stream, sequence, result.error);
  return result.data;
}

function notOurs(stream: string, sequence: number, cause: unknown): BusError {
  const message =
    `message ${sequence} of ${stream} is no event that this version of Muster understands; ` +
    'to have the feed written anew, delete the stream';
  return new BusError(BusErrorCode.Malformed, message, { cause });
}
