import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { isPending } from '../../domain/fleet/state.ts';
import type { StoredCommit } from '../../infra/log/port.ts';
import type { RecordingResult } from '../checkInRecorder/recorder.ts';
import type { CalloutOutcome } from '../callout/callout.ts';
import type { Core } from '../core/core.ts';

/** Of a request on the bus: `inbox-refused`, when the answer would have gone to somebody else; `lost`, when the bus went away before. */
export type BusResult = 'answered' | 'refused' | 'too-many' | 'inbox-refused' | 'lost';

export type CommandResult = 'accepted' | 'repeated' | 'rejected' | 'unavailable' | 'failed';

/** What the gateway counts. Labels name logs, command types and outcomes: few, and none of them grows with the fleet. */
export interface Metrics {
  readonly registry: Registry;
  countCommit(log: string, stored: StoredCommit): void;
  countCommand(command: string, result: CommandResult, seconds: number): void;
  countBusRequest(result: BusResult): void;
  countCheckIn(result: 'received' | 'malformed'): void;
  countRecording(result: RecordingResult, checkIns: number): void;
  /** Somebody came to the bus, and was let in or not. */
  countEntry(outcome: CalloutOutcome, seconds: number): void;
  /** Reads these whenever somebody asks. */
  watch(core: Core, liveClients: () => number): void;
  watchLogs(canBeWritten: () => boolean): void;
  watchRecording(lagSeconds: () => number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const commits = counter(registers, 'muster_commits_total', 'Commits acknowledged by the event log', ['log']);
  const events = counter(registers, 'muster_events_total', 'Events in those commits', ['log']);
  const checkIns = counter(registers, 'muster_check_ins_total', 'Check-ins received', ['result']);
  const onBus = 'Requests on the bus by outcome; inbox-refused asked for an answer to an inbox that is not their own';
  const busRequests = counter(registers, 'muster_bus_requests_total', onBus, ['outcome']);
  const recorded = 'Check-ins recorded in EventStoreDB, or not: those that had left the bus before, and those left out';
  const recordings = counter(registers, 'muster_check_in_records_total', recorded, ['result']);
  const commands = counter(registers, 'muster_commands_total', 'Commands by outcome', ['command', 'outcome']);
  const seconds = new Histogram({
    registers,
    name: 'muster_command_seconds',
    help: 'From a command to its acknowledged answer',
    labelNames: ['command'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  });
  const entries = counter(registers, 'muster_bus_entries_total', 'Who came to the bus: as what, or why not', [
    'outcome',
  ]);
  const entrySeconds = new Histogram({
    registers,
    name: 'muster_bus_entry_seconds',
    help: 'From the question of the bus whether somebody may enter to the answer',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5],
  });
  return {
    registry,
    countEntry(outcome, took) {
      entries.inc({ outcome });
      entrySeconds.observe(took);
    },
    countCommit(log, { commit }) {
      commits.inc({ log });
      events.inc({ log }, commit.events.length);
    },
    countCommand(command, outcome, took) {
      commands.inc({ command, outcome });
      seconds.observe({ command }, took);
    },
    countBusRequest: (outcome) => busRequests.inc({ outcome }),
    countCheckIn: (result) => checkIns.inc({ result }),
    countRecording: (result, count) => recordings.inc({ result }, count),
    watch: (core, liveClients) => watch(registers, core, liveClients),
    watchLogs: (canBeWritten) => {
      const help = '1 while bus and event store can be reached from this gateway, else 0';
      gauge(registers, 'muster_event_log_reachable', help, () => (canBeWritten() ? 1 : 0));
    },
    watchRecording: (lagSeconds) => {
      const help = 'How far the check-ins recorded in EventStoreDB are behind; 0 where another gateway records';
      gauge(registers, 'muster_check_in_records_lag_seconds', help, lagSeconds);
    },
  };
}

function counter<const Label extends string>(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: readonly Label[],
): Counter<Label> {
  return new Counter({ registers, name, help, labelNames });
}

function watch(registers: Registry[], core: Core, liveClients: () => number): void {
  const zones = [...core.zones.values()];
  gauge(registers, 'muster_queue_length', 'Sessions that wait for a place', () =>
    zones.reduce((sum, { projection }) => sum + projection.state.line.length, 0),
  );
  gauge(registers, 'muster_live_sessions', 'Sessions that wait or hold a claim', () =>
    zones.reduce((sum, { projection }) => sum + projection.state.sessions.size, 0),
  );
  gauge(registers, 'muster_live_clients', 'Open live streams', liveClients);
  const byConnectivity = new Gauge({
    registers,
    name: 'muster_agents',
    help: 'Agents by connectivity; pending ones wait for approval',
    labelNames: ['connectivity'],
    collect() {
      const counts = new Map([...CONNECTIVITIES].map((name) => [name, 0]));
      for (const agent of core.fleetProjection.state.agents.values()) if (isPending(agent)) add(counts, 'pending');
      for (const { projection } of zones) {
        for (const { connectivity } of projection.state.agents.values()) add(counts, connectivity);
      }
      for (const [connectivity, count] of counts) byConnectivity.set({ connectivity }, count);
    },
  });
}

const CONNECTIVITIES = ['pending', 'never', 'online', 'late', 'missing', 'lost'];

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function gauge(registers: Registry[], name: string, help: string, value: () => number): void {
  const made: Gauge = new Gauge({ registers, name, help, collect: () => made.set(value()) });
}
