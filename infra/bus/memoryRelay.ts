import { BusError, BusErrorCode } from './errors.ts';
import type { Relay } from './relay.ts';

/** Gateways by their id, each with what it answers. Whoever holds the same map can ask one another. */
export type MemoryRelays = Map<string, (request: unknown) => Promise<unknown>>;

/** The relay in memory, for tests and the simulation; requests pass as JSON, as on the bus. */
export function createMemoryRelay(gatewayId: string, gateways: MemoryRelays = new Map()): Relay {
  return {
    serve(answer) {
      gateways.set(gatewayId, answer);
      return async () => {
        if (gateways.get(gatewayId) === answer) gateways.delete(gatewayId);
      };
    },
    async ask(otherId, request) {
      const other = gateways.get(otherId);
      if (other === undefined) throw new BusError(BusErrorCode.Unreachable, `gateway ${otherId} is gone`);
      return asJson(await other(asJson(request)));
    },
    isGone: async (otherId) => !gateways.has(otherId),
  };
}

function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
