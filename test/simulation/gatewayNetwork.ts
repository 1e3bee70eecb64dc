import { BusError, BusErrorCode } from '../../infra/bus/errors.ts';
import { createMemoryRelay, type MemoryRelays } from '../../infra/bus/memoryRelay.ts';
import type { Relay } from '../../infra/bus/relay.ts';
import type { Clock } from '../../infra/clock.ts';
import { createMemoryLeases } from '../../infra/leases/memory.ts';
import type { LeaseStore, StandingLease } from '../../infra/leases/port.ts';
import type { LogName } from '../../infra/log/port.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';

/** What gateways share beside the log: who leads each log, and how to ask one another. */
export interface GatewayNetwork {
  /** One gateway's end. */
  leases(): LeaseStore;
  relay(gatewayId: string): Relay;
  /** A gateway is gone: nobody reaches it any more. */
  leave(gatewayId: string): void;
  /** While it is split, every gateway finds every lease free: all of them lead. */
  isSplit: boolean;
}

export interface GatewayNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly isAway: () => boolean;
}

/** As the real relay: who does not answer within this is not waited for. */
const ANSWER_WITHIN_MS = 12_000;
/** The longest way of one message, however long others take: the stores' own requests give up before. */
const LONGEST_MS = 3000;

export function gatewayNetwork({ clock, random, faults, isAway }: GatewayNetworkOptions): GatewayNetwork {
  const shared = createMemoryLeases(clock, new Map<LogName, StandingLease>());
  const relays: MemoryRelays = new Map();

  async function travel(): Promise<void> {
    await clock.sleep(random.int(1, Math.max(5, Math.min(faults.delay, LONGEST_MS))));
    if (isAway()) throw new BusError(BusErrorCode.Disconnected, 'the bus is away');
  }

  const network: GatewayNetwork = {
    isSplit: false,
    leave: (gatewayId) => relays.delete(gatewayId),

    leases() {
      const own = createMemoryLeases(clock, new Map<LogName, StandingLease>());
      const store = () => (network.isSplit ? own : shared);
      return {
        async read(log) {
          await travel();
          return await store().read(log);
        },
        async write(log, record, revision) {
          await travel();
          if (random.chance(faults['lost message'])) throw new BusError(BusErrorCode.NoAnswer, 'it never arrived');
          const written = await store().write(log, record, revision);
          if (random.chance(faults['lost ack'])) throw new BusError(BusErrorCode.NoAnswer, 'the answer was lost');
          return written;
        },
        async time() {
          await travel();
          return await store().time();
        },
      };
    },

    relay(gatewayId) {
      const inner = createMemoryRelay(gatewayId, relays);
      return {
        serve: (answer) => inner.serve(answer),
        async isGone(otherId) {
          await travel();
          return await inner.isGone(otherId);
        },
        async ask(otherId, request) {
          await travel();
          const answered = new AbortController();
          const late = clock.sleep(ANSWER_WITHIN_MS, answered.signal).then(() => null);
          const reply = await Promise.race([inner.ask(otherId, request).then((value) => ({ value })), late]);
          answered.abort();
          if (reply === null) throw new BusError(BusErrorCode.NoAnswer, `gateway ${otherId} did not answer`);
          await travel();
          return reply.value;
        },
      };
    },
  };
  return network;
}
