import type { EventStore } from '../../infra/eventStore/port.ts';

/**
 * A store in which every stream has `prefix` in front of its name, so that a test on a server that others use, too, has its
 * own ones. Those it writes to are noted in `written`.
 */
export function ownStreams(store: EventStore, prefix: string, written: Set<string>): EventStore {
  const own = (stream: string): string => `${prefix}${stream}`;
  return {
    shownUrl: store.shownUrl,
    check: () => store.check(),
    append: (stream, expected, events) => {
      written.add(own(stream));
      return store.append(own(stream), expected, events);
    },
    read: (stream, range) => store.read(own(stream), range),
    subscribe: (stream, after, signal) => store.subscribe(own(stream), after, signal),
    limitsOf: (stream) => store.limitsOf(own(stream)),
    setLimits: (stream, limits) => store.setLimits(own(stream), limits),
    isConnected: () => store.isConnected(),
    onChange: (listener) => store.onChange(listener),
    close: () => store.close(),
  };
}
