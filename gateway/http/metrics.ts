import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { StoredCommit } from '../../infra/log/port.ts';
import type { Core } from '../core/core.ts';

export type CommandResult = 'accepted' | 'repeated' | 'rejected' | 'unavailable' | 'failed';

/** What the gateway counts. Labels name logs, command types and outcomes: few, and none of them grows with the fleet. */
export interface Metrics {
  readonly registry: Registry;
  countCommit(log: string, stored: StoredCommit): void;
  countCommand(command: string, result: CommandResult, seconds: number): void;
  countCheckIn(result: 'received' | 'malformed'): void;
  /** Reads these whenever somebody asks. */
  watch(core: Core, liveClients: () => number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const commits = counter(registers, 'muster_commits_total', 'Commits acknowledged by the event log', ['log']);
  const events = counter(registers, 'muster_events_total', 'Events in those commits', ['log']);
  const checkIns = counter(registers, 'muster_check_ins_total', 'Check-ins received', ['result']);
  const commands = counter(registers, 'muster_commands_total', 'Commands by outcome', ['command', 'outcome']);
  const seconds = new Histogram({
    registers,
    name: 'muster_command_seconds',
    help: 'From a command to its acknowledged answer',
    labelNames: ['command'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  });
  return {
    registry,
    countCommit(log, { commit }) {
      commits.inc({ log });
      events.inc({ log }, commit.events.length);
    },
    countCommand(command, outcome, took) {
      commands.inc({ command, outcome });
      seconds.observe({ command }, took);
    },
    countCheckIn: (result) => checkIns.inc({ result }),
    watch: (core, liveClients) => watch(registers, core, liveClients),
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
      for (const { zone } of core.fleetProjection.state.agents.values()) if (zone === null) add(counts, 'pending');
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
