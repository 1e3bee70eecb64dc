import type { Bus } from '../bus/connect.ts';
import type { EventLogPlace } from '../config/values.ts';
import { logStream } from '../names.ts';
import { createJetStreamLog } from './jetstream/jetStreamLog.ts';
import { openEventStoreLog } from './eventStore/open.ts';
import type { OpenedLog } from './openedLog.ts';

export interface OpenOptions {
  readonly place: EventLogPlace;
  /** Connected to the account LOG. It keeps the logs where no other store is named. */
  readonly bus: Bus;
  readonly replicas: number;
  /** How the connection calls itself in the store's own list. */
  readonly name: string;
}

/** The one place that chooses where the event logs are kept. Connects to nothing yet. */
export function openEventLog({ place, bus, replicas, name }: OpenOptions): OpenedLog {
  if (place.kind === 'eventStore') return openEventStoreLog({ url: place.url, name });
  const eventLog = createJetStreamLog({ bus, replicas });
  return {
    eventLog,
    shown: { store: 'NATS JetStream', at: bus.connection.getServer() },
    remedy: 'If it stays so, free disk space where nats-server keeps its store and restart it',
    ready: async () => {},
    away: () => null,
    onChange: () => () => {},
    offline: async (log, epoch) => {
      const stream = logStream(log, epoch);
      return { stream, how: `back the stream ${stream} up, then delete it` };
    },
    close: () => eventLog.close(),
  };
}
