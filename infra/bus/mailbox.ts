import { createInbox, type Msg } from 'nats';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';

/** What arrives on an inbox of its own, one message after another, with a watch on the connection and on silence. */
export interface Mailbox {
  readonly inbox: string;
  /** The next message; null when the signal aborted. Throws BusError when the connection was lost or fell silent. */
  next(): Promise<Msg | null>;
  close(): void;
}

/** `silenceMs`: so long without any message, heartbeats included, counts as broken. */
export function openMailbox(bus: Bus, signal: AbortSignal, silenceMs: number): Mailbox {
  if (bus.connection.isClosed()) throw new BusError(BusErrorCode.Disconnected, 'the connection to the bus is closed');
  const inbox = createInbox();
  const queue: Msg[] = [];
  let head = 0;
  let heard = true;
  let broken: BusError | null = null;
  let wake: (() => void) | null = null;

  function notify(): void {
    wake?.();
    wake = null;
  }

  function fail(code: BusErrorCode, message: string, cause?: unknown): void {
    broken ??= new BusError(code, message, { cause });
    notify();
  }

  const subscription = bus.connection.subscribe(inbox, {
    callback(error, message) {
      if (error !== null) {
        fail(BusErrorCode.JetStreamRefused, `the subscription was refused: ${error.message}`, error);
        return;
      }
      heard = true;
      queue.push(message);
      notify();
    },
  });
  const stopWatching = bus.onChange((connected) => {
    if (!connected) fail(BusErrorCode.Disconnected, 'the connection to the bus was lost');
  });
  const watchdog = setInterval(() => {
    if (!heard) fail(BusErrorCode.NoAnswer, `nothing came from the bus for ${silenceMs} ms`);
    heard = false;
  }, silenceMs);
  signal.addEventListener('abort', notify);

  return {
    inbox,
    async next() {
      for (;;) {
        if (signal.aborted) return null;
        const message = queue[head];
        if (message !== undefined) {
          head += 1;
          // The queue is emptied in one go, since taking from its front would move all that is behind.
          if (head === queue.length) {
            queue.length = 0;
            head = 0;
          }
          return message;
        }
        if (broken !== null) throw broken;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    close() {
      clearInterval(watchdog);
      stopWatching();
      signal.removeEventListener('abort', notify);
      if (!bus.connection.isClosed()) subscription.unsubscribe();
    },
  };
}
