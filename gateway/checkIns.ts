import { once } from 'node:events';
import type { Logger } from 'pino';
import { followCheckIns } from '../infra/bus/checkIns.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { realClock } from '../infra/clock.ts';
import type { EventLogPlace } from '../infra/config/values.ts';
import { openEventStore } from '../infra/eventStore/client.ts';
import type { EventStore } from '../infra/eventStore/port.ts';
import { CheckInRecorder } from './checkInRecorder/recorder.ts';
import type { Door } from './callout/door.ts';
import type { Core } from './core/core.ts';
import { HistoryKeeper } from './history/keeper.ts';
import type { Metrics } from './http/metrics.ts';

/** Subjects of malformed check-ins that were spoken of; a flood of them says no more. */
const MOST_NAMED = 100;

export interface Hearing {
  readonly bus: Bus;
  readonly core: Core;
  readonly door: Pick<Door, 'heard' | 'flooded'>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Brings every check-in to the core, and who was heard to the door, until the signal aborts. */
export async function hearCheckIns({ bus, core, door, metrics, log }: Hearing, signal: AbortSignal): Promise<void> {
  const named = new Set<string>();
  await followCheckIns(bus, {
    signal,
    onCheckIn({ checkIn, receivedAt }) {
      metrics.countCheckIn('received');
      core.receive(checkIn, receivedAt);
      door.heard(checkIn.agentId);
    },
    onMalformed({ subject, problem, flooding }) {
      metrics.countCheckIn('malformed');
      if (flooding !== undefined) door.flooded(flooding);
      if (named.has(subject) || named.size >= MOST_NAMED) return;
      named.add(subject);
      log.warn({ subject, problem }, 'a check-in that is none was left out');
    },
  });
}

/** Keeps the utilization history in the background: it decides nothing. The gateway that leads the fleet's log writes it. */
export async function keepHistory(bus: Bus, core: Core, log: Logger, signal: AbortSignal): Promise<void> {
  const keeper = new HistoryKeeper({
    bus,
    clock: realClock,
    log,
    history: core.history,
    isKnown: (agentId) => core.fleetProjection.state.agents.has(agentId),
    isLeading: () => core.fleet.role === 'leading',
  });
  await keeper.run(signal);
}

export interface Recording {
  readonly place: EventLogPlace;
  readonly bus: Bus;
  readonly core: Core;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Records check-ins in the background where the event logs are in EventStoreDB, until the signal aborts: it decides nothing,
 * and no decision shares its connection. One gateway records those of all zones: the one that leads the fleet's log.
 */
export async function recordCheckIns(
  { place, bus, core, metrics, log }: Recording,
  signal: AbortSignal,
): Promise<void> {
  if (place.kind !== 'eventStore' || signal.aborted) return;
  const store = openEventStore({ url: place.url, name: 'gateway check-ins' });
  const recorder = new CheckInRecorder({
    bus,
    store,
    clock: realClock,
    log,
    isKnown: (agentId) => core.fleetProjection.state.agents.has(agentId),
    isLeading: () => core.fleet.role === 'leading',
    count: (result, checkIns) => metrics.countRecording(result, checkIns),
  });
  metrics.watchRecording(() => recorder.lagSeconds);
  await Promise.all([recorder.run(signal), closeAtEnd(store, signal)]);
}

/** What is under way then is not waited for: whoever records next sees whether it came through. */
async function closeAtEnd(store: EventStore, signal: AbortSignal): Promise<void> {
  await once(signal, 'abort');
  await store.close();
}
