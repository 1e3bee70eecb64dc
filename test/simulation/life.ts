import type { Clock } from '../../infra/clock.ts';
import type { Feed } from '../../infra/bus/feed.ts';
import type { Relay } from '../../infra/bus/relay.ts';
import type { LeaseStore } from '../../infra/leases/port.ts';
import type { EventLog } from '../../infra/log/port.ts';

/**
 * One life of a process. A crash is a process that takes no further step: whatever it waited for never comes to it, and
 * whatever it still asks for is not asked. What it had asked of others before goes on there.
 */
export class Life {
  #alive = true;
  readonly #ended = Promise.withResolvers<void>();

  get alive(): boolean {
    return this.#alive;
  }

  /** Resolves at the crash. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(): void {
    this.#alive = false;
    this.#ended.resolve();
  }

  /** The outcome of the call, or nothing for ever. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#alive) return await NEVER;
    try {
      const result = await work();
      return this.#alive ? result : await NEVER;
    } catch (error) {
      if (this.#alive) throw error;
      return await NEVER;
    }
  }

  async *each<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of source) {
      if (!this.#alive) await NEVER;
      yield item;
    }
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => this.call(() => clock.sleep(ms, signal)),
      afterOthers: () => this.call(() => clock.afterOthers()),
    };
  }

  log(log: EventLog): EventLog {
    return {
      append: (name, expected, commit) => this.call(() => log.append(name, expected, commit)),
      read: (name, after) => this.each(log.read(name, after)),
      follow: (name, after, signal) => this.each(log.follow(name, after, signal)),
      close: () => this.call(() => log.close()),
    };
  }

  leases(store: LeaseStore): LeaseStore {
    return {
      read: (log) => this.call(() => store.read(log)),
      write: (log, record, revision) => this.call(() => store.write(log, record, revision)),
      time: () => this.call(() => store.time()),
    };
  }

  feed(feed: Feed): Feed {
    return {
      end: () => this.call(() => feed.end()),
      make: (first) => this.call(() => feed.make(first)),
      open: (sequence, onChange) => feed.open(sequence, onChange),
    };
  }

  relay(relay: Relay): Relay {
    return {
      serve: (answer) => relay.serve((request) => this.call(() => answer(request))),
      ask: (gatewayId, request) => this.call(() => relay.ask(gatewayId, request)),
      isGone: (gatewayId) => this.call(() => relay.isGone(gatewayId)),
    };
  }
}

const NEVER = Promise.withResolvers<never>().promise;
