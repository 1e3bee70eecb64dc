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
  readonly #heard = new Map<AbortSignal, { readonly own: AbortSignal; readonly forget: () => void }>();

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
    for (const { forget } of this.#heard.values()) forget();
    this.#heard.clear();
  }

  /** The outcome of the call, or nothing for ever. */
  async call<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#alive) return await never();
    try {
      const result = await work();
      return this.#alive ? result : await never();
    } catch (error) {
      if (this.#alive) throw error;
      return await never();
    }
  }

  async *each<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const item of source) {
      if (!this.#alive) await never();
      yield item;
    }
  }

  /**
   * A signal of this life that says what `signal` says. Node keeps a signal that is made of others for as long as somebody
   * listens to it, with all that hangs on it, and what has ended waits for ever: so nobody else listens to it.
   */
  #hearing(signal: AbortSignal): AbortSignal {
    const known = this.#heard.get(signal);
    if (signal.aborted || !this.#alive) return signal;
    if (known !== undefined) return known.own;
    const own = new AbortController();
    const abort = (): void => {
      this.#heard.delete(signal);
      own.abort();
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#heard.set(signal, { own: own.signal, forget: () => signal.removeEventListener('abort', abort) });
    return own.signal;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      sleep: (ms, signal) => this.call(() => clock.sleep(ms, signal === undefined ? signal : this.#hearing(signal))),
      afterOthers: () => this.call(() => clock.afterOthers()),
    };
  }

  log(log: EventLog): EventLog {
    return {
      append: (name, expected, commit) => this.call(() => log.append(name, expected, commit)),
      read: (name, after) => this.each(log.read(name, after)),
      follow: (name, after, signal) => this.each(log.follow(name, after, this.#hearing(signal))),
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

/** A new one each time: whoever waits for one promise for ever is kept by it for ever. */
function never(): Promise<never> {
  return new Promise(() => {});
}
