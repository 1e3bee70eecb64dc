import { ErrorCode, NatsError, type Msg } from 'nats';
import { aliveSubject, relaySubject } from '../names.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';

/**
 * How gateways ask one another: requests and answers are JSON, in the account LOG that only gateways enter. A command
 * carries its idempotency key, so asking again after a lost answer is harmless.
 */
export interface Relay {
  /**
   * Answers what others ask of this gateway, until the result is called: then nothing new is taken, and it resolves when all
   * that had arrived is answered, so that nobody waits for a gateway that is gone. `answer` must not reject.
   */
  serve(answer: (request: unknown) => Promise<unknown>): () => Promise<void>;
  /** Rejects with a BusError when that gateway does not answer in time or is gone. */
  ask(gatewayId: string, request: unknown): Promise<unknown>;
  /** Whether nobody on the bus answers for that gateway: its process has ended, or has lost the bus. */
  isGone(gatewayId: string): Promise<boolean>;
}

const ANSWER_WITHIN_MS = 12_000;
const ALIVE_WITHIN_MS = 1_000;

export function createBusRelay(bus: Bus, gatewayId: string): Relay {
  return {
    serve(answer) {
      const underWay = new Set<Promise<void>>();
      const reply = async (message: Msg): Promise<void> => {
        const text = encode(await answer(parse(message.data)));
        // Whoever asked sees the connection go, and asks again.
        if (bus.isConnected()) message.respond(text);
      };
      const take = async (message: Msg): Promise<void> => {
        const answering = reply(message);
        underWay.add(answering);
        await answering;
        underWay.delete(answering);
      };
      const subscription = bus.connection.subscribe(relaySubject(gatewayId), {
        callback(error, message) {
          // One that is refused shows to those who ask: nobody answers them here.
          if (error === null) void take(message);
        },
      });
      const alive = bus.connection.subscribe(aliveSubject(gatewayId), { callback: (_, message) => message.respond() });
      return async () => {
        if (bus.connection.isClosed()) return;
        alive.unsubscribe();
        if (bus.isConnected()) await subscription.drain();
        else subscription.unsubscribe();
        await Promise.all(underWay);
      };
    },

    async ask(otherId, request) {
      try {
        const options = { timeout: ANSWER_WITHIN_MS };
        const reply = await bus.connection.request(relaySubject(otherId), encode(request), options);
        return parse(reply.data);
      } catch (error) {
        const gone = error instanceof NatsError && error.code === ErrorCode.NoResponders;
        const message = gone ? `gateway ${otherId} is gone` : `gateway ${otherId} did not answer`;
        throw new BusError(gone ? BusErrorCode.Unreachable : BusErrorCode.NoAnswer, message, { cause: error });
      }
    },
    async isGone(otherId) {
      try {
        await bus.connection.request(aliveSubject(otherId), undefined, { timeout: ALIVE_WITHIN_MS });
        return false;
      } catch (error) {
        // One that is there and does not answer may be busy, or stopped: only time tells.
        return error instanceof NatsError && error.code === ErrorCode.NoResponders;
      }
    },
  };
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Null for what is no JSON: whoever reads it finds that it is none of the shapes that it knows. */
function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
