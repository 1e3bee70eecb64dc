import type { z } from 'zod';
import type { Bus } from './connect.ts';
import { parseJson } from './json.ts';

/** What calls of agents and their answers have in common: one JSON message each way, and nobody who waits for it here. */

/** Null: it is not understood. */
export type Heard<T> = (message: T | null) => void;

/** Hears a subject through reconnects. `onRefused`: the bus does not let it. The result ends it. */
export function hearMessages<T>(
  bus: Bus,
  subject: string,
  schema: z.ZodType<T>,
  onMessage: Heard<T>,
  onRefused: (error: Error) => void,
): () => void {
  const subscription = bus.connection.subscribe(subject, {
    callback(error, message) {
      if (error !== null) onRefused(error);
      else onMessage(schema.safeParse(parseJson(message.data)).data ?? null);
    },
  });
  return () => {
    if (!bus.connection.isClosed()) subscription.unsubscribe();
  };
}

/** False: the bus is away, and it was not sent. */
export function sendMessage(bus: Bus, subject: string, message: object): boolean {
  if (!bus.isConnected()) return false;
  bus.connection.publish(subject, JSON.stringify(message));
  return true;
}
