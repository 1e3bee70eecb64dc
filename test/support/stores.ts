import type { ExecutionContext } from 'ava';
import type { SealedLog } from '../../gateway/http/routes/sealLog.ts';
import { jetStreamApi, publishAcked } from '../../infra/bus/api.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { createEventStoreLog } from '../../infra/log/eventStore/eventStoreLog.ts';
import { createJetStreamLog } from '../../infra/log/jetstream/jetStreamLog.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import { logSubject } from '../../infra/names.ts';
import { startEventStore } from './eventStore.ts';
import { eventStoreHarness, openStore } from './eventStoreHarness.ts';

/** Where the event logs of a gateway under test are kept, and how a test reaches them past every gateway. */
export interface TestStore {
  /** Whether the commit with the seal stays where it is when what it sealed is moved offline. */
  readonly keepsSeal: boolean;
  /** What the gateway is told beside its bus. */
  readonly env: Readonly<Record<string, string>>;
  /** The logs as an auditor reads them; `bus` is the gateway's, in the account LOG. */
  openLog(bus: Bus): EventLog;
  /** Puts a text into a log that no gateway wrote. */
  appendStrange(bus: Bus, log: LogName, text: string): Promise<void>;
  /** Moves what was sealed offline, as an operator does who does what sealing has printed. */
  moveOffline(bus: Bus, sealed: Pick<SealedLog, 'stream' | 'how'>): Promise<void>;
}

export interface StoreKind {
  /** As `npx muster log list` says it. */
  readonly name: 'NATS JetStream' | 'EventStoreDB';
  /** Everything that it starts ends with the test. */
  readonly start: (t: ExecutionContext) => Promise<TestStore>;
}

export const STORE_ON_BUS: StoreKind = { name: 'NATS JetStream', start: async (t) => onBus(t) };
const STORE_BESIDE: StoreKind = { name: 'EventStoreDB', start: async (t) => await beside(t) };
/** The stores that a deployment may choose: what is end to end is tested on each. */
export const STORES: readonly StoreKind[] = [STORE_ON_BUS, STORE_BESIDE];

function onBus(t: ExecutionContext): TestStore {
  return {
    keepsSeal: false,
    env: {},
    openLog: (bus) => closing(t, createJetStreamLog({ bus })),
    appendStrange: async (bus, log, text) => {
      await publishAcked(bus, logSubject(log), Buffer.from(text));
    },
    async moveOffline(bus, { stream, how }) {
      if (how !== `back the stream ${stream} up, then delete it`) throw new Error(`what is this? ${how}`);
      await jetStreamApi(bus, `STREAM.DELETE.${stream}`);
    },
  };
}

async function beside(t: ExecutionContext): Promise<TestStore> {
  const server = await startEventStore();
  t.teardown(() => server.stop());
  const harness = eventStoreHarness(t, server.url, async () => {});
  return {
    keepsSeal: true,
    env: { MUSTER_EVENT_LOG: server.url },
    openLog: () => closing(t, createEventStoreLog({ store: openStore(t, server.url) })),
    appendStrange: (_, log, text) => harness.appendRaw(log, Buffer.from(text)),
    async moveOffline(_, { stream, how }) {
      const [, revision] = /^set \$tb of the stream \S+ to (\d+) in its metadata, then scavenge/.exec(how) ?? [];
      if (revision === undefined) throw new Error(`what is this? ${how}`);
      await openStore(t, server.url).setLimits(stream, { truncateBefore: Number(revision) });
    },
  };
}

function closing(t: ExecutionContext, log: EventLog): EventLog {
  t.teardown(() => log.close());
  return log;
}
