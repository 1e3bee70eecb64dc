import type { ExecutionContext } from 'ava';
import pino from 'pino';
import type { CheckIn } from '../../domain/checkIn.ts';
import { CheckInRecorder, type RecordingResult } from '../../gateway/checkInRecorder/recorder.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { ensureCheckIns } from '../../infra/bus/streams.ts';
import { realClock, type Clock } from '../../infra/clock.ts';
import type { EventStore, StoredEvent } from '../../infra/eventStore/port.ts';
import { checkInsStreamOf } from '../../infra/eventStore/recordedCheckIns.ts';
import { aCheckIn, observed } from './builders.ts';
import { startEventStore, type TestEventStore } from './eventStore.ts';
import { openStore } from './eventStoreHarness.ts';
import { startNats, type TestNats } from './nats.ts';
import { checkInMessage, storeCheckIns } from './storedCheckIns.ts';

const { signal } = new AbortController();
/** So many of each agent are on their way to the stream at a time. */
const AT_ONCE = 50;
/** A clock that sleeps little, for passes that come by themselves. */
export const hasty: Clock = { ...realClock, sleep: (ms, signal) => realClock.sleep(Math.min(ms, 5), signal) };

interface Line {
  readonly level: 'info' | 'warn';
  readonly msg: string;
}

/** A recorder as a gateway has one, and what it told. */
export interface Recording {
  readonly recorder: CheckInRecorder;
  leading: boolean;
  readonly counts: Record<RecordingResult, number>;
  readonly lines: readonly Line[];
  readonly pass: () => Promise<void>;
}

interface RecordingOptions {
  readonly store?: EventStore;
  readonly bus?: Bus;
  readonly isKnown?: (agentId: string) => boolean;
  readonly mostBytes?: number;
}

export interface Setup {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly server: TestEventStore;
  readonly store: EventStore;
  readonly recording: (options?: RecordingOptions) => Recording;
}

export async function start(t: ExecutionContext): Promise<Setup> {
  const [nats, server] = await Promise.all([startNats(), startEventStore()]);
  t.teardown(async () => await nats.stop());
  t.teardown(async () => await server.stop());
  const bus = await nats.connect('app');
  await ensureCheckIns(bus, 1);
  const recording = ({ store = openStore(t, server.url), ...options }: RecordingOptions = {}): Recording =>
    recordingOn({ bus, store, ...options });
  return { nats, bus, server, store: openStore(t, server.url), recording };
}

function recordingOn(options: RecordingOptions & { readonly store: EventStore; readonly bus: Bus }): Recording {
  const lines: Line[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(lineOf(line)) });
  const counts = { recorded: 0, missed: 0, left_out: 0 };
  const recorder = new CheckInRecorder({
    clock: hasty,
    log,
    isKnown: () => true,
    ...options,
    isLeading: () => made.leading,
    count: (result, checkIns) => {
      counts[result] += checkIns;
    },
  });
  const made: Recording = { recorder, leading: true, counts, lines, pass: () => recorder.pass(signal) };
  return made;
}

function lineOf(line: string): Line {
  const { level, msg } = JSON.parse(line) as { readonly level: number; readonly msg: string };
  return { level: level >= 40 ? 'warn' : 'info', msg };
}

/** Check-ins number `from` to `to` of agents, one of each in turn, on the bus when this resolves. */
export async function say(
  bus: Bus,
  agents: readonly string[],
  from: number,
  to: number,
  change: Partial<CheckIn> = {},
) {
  for (let first = from; first <= to; first += AT_ONCE) {
    const seqs = Array.from({ length: Math.min(AT_ONCE, to - first + 1) }, (_, index) => first + index);
    const checkIns = seqs.flatMap((seq) => agents.map((agentId) => aCheckIn({ agentId, seq, ...change })));
    await storeCheckIns(bus, ...checkIns.map(checkInMessage));
  }
}

export async function eventsOf(store: EventStore, agentId: string): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  const all = { from: 'start', direction: 'forwards' } as const;
  for await (const event of store.read(checkInsStreamOf(agentId), all)) events.push(event);
  return events;
}

/** The numbers of the check-ins that are recorded of an agent, in their order. */
export async function recordedOf(store: EventStore, agentId: string): Promise<readonly number[]> {
  return (await eventsOf(store, agentId)).map(({ data }) => Number(Object(data).seq));
}

export const oneTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);
export const named = (count: number): readonly string[] => oneTo(count).map((number) => `agent-${number}`);

/** Every agent's stream has the check-ins 1 to `count`, each once and in order. */
export async function assertRecorded(t: ExecutionContext, store: EventStore, agents: readonly string[], count: number) {
  for (const agentId of agents) t.deepEqual(await recordedOf(store, agentId), oneTo(count), agentId);
}

/** A session of which much is told, to make check-ins large. */
export const largeSession = (index: number) =>
  observed('running', {
    sessionId: `s-${index}`,
    containerId: 'c'.repeat(128),
    failure: { code: 'X'.repeat(64), detail: 'x' },
  });

/** Runs until the test or what this gives ends it. */
export function inBackground(t: ExecutionContext, run: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const stop = new AbortController();
  const running = run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  t.teardown(end);
  return end;
}
