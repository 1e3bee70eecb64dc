import { createInbox, type Msg, type MsgHdrs } from 'nats';
import type { Bus } from '../bus/connect.ts';
import { LogError, LogErrorCode } from './errors.ts';

/**
 * Publishes and waits for the store's answer: one inbox and a map of what is in flight, which costs half of what the
 * client's own publishing does. Nothing is sent twice. When the connection is lost everything in flight is given up as
 * OUTCOME_UNKNOWN, since the client drops what it had not sent and nobody knows what it had.
 */
export interface AckedPublisher {
  /** Resolves with the answer, which may be an error of JetStream. Rejects LOG_UNAVAILABLE when nothing was sent. */
  publish(subject: string, bytes: Uint8Array, headers: MsgHdrs): Promise<Msg>;
  close(): void;
}

interface InFlight {
  readonly resolve: (answer: Msg) => void;
  readonly reject: (error: LogError) => void;
  readonly timer: NodeJS.Timeout;
}

/** A server whose disk is full stores nothing and says nothing, also when there is room again. */
const IF_IT_STAYS_SO =
  'If it stays so, the disk may be full: free space where nats-server keeps its store, then restart nats-server.';

export function createAckedPublisher(bus: Bus, timeoutMs: number): AckedPublisher {
  const inbox = createInbox();
  const inFlight = new Map<string, InFlight>();
  let count = 0;

  function settle(token: string): InFlight | undefined {
    const entry = inFlight.get(token);
    inFlight.delete(token);
    clearTimeout(entry?.timer);
    return entry;
  }

  function giveUp(token: string, why: string, cause?: unknown): void {
    settle(token)?.reject(new LogError(LogErrorCode.OutcomeUnknown, `no answer from the log: ${why}`, cause));
  }

  function giveUpAll(why: string, cause?: unknown): void {
    for (const token of inFlight.keys()) giveUp(token, why, cause);
  }

  const subscription = bus.connection.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (error === null) settle(message.subject.slice(inbox.length + 1))?.resolve(message);
      else giveUpAll('the subscription to answers was refused', error);
    },
  });
  const stopWatching = bus.onChange((connected) => {
    if (!connected) giveUpAll('the connection to the bus was lost');
  });

  return {
    async publish(subject, bytes, headers) {
      if (!bus.isConnected()) throw new LogError(LogErrorCode.LogUnavailable, 'the bus is away; nothing was written');
      count += 1;
      const token = count.toString(36);
      const { promise, resolve, reject } = Promise.withResolvers<Msg>();
      const timer = setTimeout(() => giveUp(token, `${timeoutMs} ms passed. ${IF_IT_STAYS_SO}`), timeoutMs);
      inFlight.set(token, { resolve, reject, timer });
      try {
        bus.connection.publish(subject, bytes, { headers, reply: `${inbox}.${token}` });
      } catch (error) {
        settle(token);
        throw new LogError(LogErrorCode.LogUnavailable, 'the bus did not take the commit; nothing was written', error);
      }
      return await promise;
    },
    close() {
      stopWatching();
      giveUpAll('the log was closed');
      if (!bus.connection.isClosed()) subscription.unsubscribe();
    },
  };
}
