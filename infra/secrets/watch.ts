import { jetStreamApi, objectIn, sequenceOf } from '../bus/api.ts';
import { pauseUnlessAborted, type Bus } from '../bus/connect.ts';
import { BusError, ServerCode, hasServerCode, isBusAway } from '../bus/errors.ts';
import { orderedMessages } from '../bus/ordered.ts';
import { SECRETS_STREAM, SECRETS_SUBJECTS, secretPlace, secretSubject } from '../names.ts';
import type { Seal } from './seal.ts';
import type { ShownSecrets } from './shown.ts';

export interface WatchPorts {
  readonly bus: Bus;
  readonly seal: Seal;
  /** Makes the bucket when it is not there, and holds it to the key. */
  readonly prepare: () => Promise<void>;
  readonly onTrouble: (sentence: string, cause?: unknown) => void;
}

/** Hears everything that is written to the bucket and has it shown. */
export interface SecretsWatch {
  /** Resolves once everything is shown that stood when it was called. */
  whole(): Promise<void>;
  /** Resolves with true once what was written at `revision`, or something newer, is shown; with false after 10 s or at the end. */
  heard(name: string, revision: number): Promise<boolean>;
  /** Settles when the watch has ended, by the signal or because the connection was closed for good. */
  readonly ended: Promise<void>;
}

const RETRY_MS = 500;
const LIST_AGAIN_MS = 1000;
const HEARD_WITHIN_MS = 10_000;

/**
 * Every round begins with what stands, as the leader lists it, and goes on with what is written, until the connection
 * breaks. So what was removed while nobody listened is not shown any longer either, whether or not its removal still stands in
 * the bucket.
 */
export function watchSecrets(ports: WatchPorts, shown: ShownSecrets, signal: AbortSignal): SecretsWatch {
  const { bus, onTrouble } = ports;
  /** The last revision heard of each subject in this round. */
  const heard = new Map<string, number>();
  const waiting = new Set<() => void>();
  let lastTrouble = '';

  function take(subject: string, sequence: number, data: Uint8Array): void {
    heard.set(subject, sequence);
    const name = secretPlace(subject);
    if (name !== null) shown.show(name, valueIn(ports, name, data), sequence);
    for (const look of waiting) look();
  }

  async function round(): Promise<void> {
    const { names, lastSequence } = await listed(bus);
    heard.clear();
    if (lastSequence < shown.highest) shown.startAnew();
    shown.keepOnly(names, lastSequence);
    const options = { stream: SECRETS_STREAM, start: { kind: 'last-per-subject' }, attempts: 1, signal } as const;
    for await (const { subject, sequence, data } of orderedMessages(bus, options)) {
      lastTrouble = '';
      take(subject, sequence, data);
    }
  }

  async function follow(): Promise<void> {
    while (!signal.aborted && !bus.connection.isClosed()) {
      try {
        await round();
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        await mend(error);
        await pauseUnlessAborted(RETRY_MS, signal);
      }
    }
  }

  /** A lost connection comes back by itself; a bucket that is gone does not. */
  async function mend(error: BusError): Promise<void> {
    try {
      if (hasServerCode(error, ServerCode.streamNotFound)) await ports.prepare();
      else if (!isBusAway(error)) throw error;
    } catch (why) {
      const sentence = why instanceof Error ? why.message : String(why);
      if (sentence !== lastTrouble && !signal.aborted) onTrouble(`the secrets are not heard: ${sentence}`, why);
      lastTrouble = sentence;
    }
  }

  /** Looks again at every message that is heard; false when it is not met within the limit or before the watch has ended. */
  async function until(met: () => boolean, limitMs: number): Promise<boolean> {
    const enough = new AbortController();
    const look = (): void => {
      if (met()) enough.abort();
    };
    waiting.add(look);
    look();
    await Promise.race([pauseUnlessAborted(limitMs, enough.signal), ended]);
    waiting.delete(look);
    const was = enough.signal.aborted;
    enough.abort();
    return was;
  }

  const ended = follow();
  return {
    ended,
    heard: (name, revision) => until(() => (heard.get(secretSubject(name)) ?? 0) >= revision, HEARD_WITHIN_MS),
    async whole() {
      while (!signal.aborted && !bus.connection.isClosed()) {
        // Listed again from time to time, since a removal that nobody heard of yet may leave the bucket meanwhile.
        const { subjects } = await listed(bus);
        if (await until(() => subjects.every((subject) => heard.has(subject)), LIST_AGAIN_MS)) return;
      }
    },
  };
}

interface Listed {
  readonly subjects: readonly string[];
  readonly names: ReadonlySet<string>;
  /** The last sequence that was given before the subjects were listed. */
  readonly lastSequence: number;
}

/** What stands in the bucket, removals that have not left it yet included: far fewer than the 100,000 that a server lists. */
async function listed(bus: Bus): Promise<Listed> {
  const info = await jetStreamApi(bus, `STREAM.INFO.${SECRETS_STREAM}`, { subjects_filter: SECRETS_SUBJECTS });
  const state = objectIn(info, 'state');
  const subjects = state['subjects'] === undefined ? [] : Object.keys(objectIn(state, 'subjects'));
  const names = new Set(subjects.map(secretPlace).filter((name) => name !== null));
  return { subjects, names, lastSequence: sequenceOf(state, 'last_seq') };
}

/** Null for a removal, and for what was not written with our key under this name. */
function valueIn({ seal, onTrouble }: WatchPorts, name: string, data: Uint8Array): string | null {
  if (data.length === 0) return null;
  const value = seal.open(name, data);
  if (value === null) {
    onTrouble(
      `the secret ${name} was altered or moved, or written with another key: it counts as none until it is set again`,
    );
  }
  return value;
}
