import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { connectBus } from '../../infra/bus/connect.ts';
import { realClock } from '../../infra/clock.ts';
import { MOST_SIMULATED_AGENTS, simulatedCount } from '../../infra/start/simulated.ts';
import { emptyLedger } from '../ledger.ts';
import type { LedgerStore } from '../ledgerFile.ts';
import { runAgent } from '../loop.ts';
import type { AgentLog, AgentSettings } from '../ports.ts';
import { AGENT_VERSION, runAgentProcess, type AgentProcess } from '../process.ts';
import { FakeEngine, type EngineCall } from './engine.ts';
import { publishPastDay } from './history.ts';
import { simulatedHost } from './host.ts';
import { simulatedHosts, type SimulatedHost } from './hosts.ts';
import { dailyLoad, seededRandom, seedOf } from './load.ts';

/** `main.ts N`: N simulated agents in this one process. Only their hosts and engines are not real. */
const count = countOrExit(process.argv[2] ?? '');

await runAgentProcess('agents', async (around) => {
  const hosts = simulatedHosts(count);
  const silent = new Set(hosts.map((host) => host.agentId));
  const heard = (agentId: string) => {
    if (silent.delete(agentId) && silent.size === 0) {
      around.log.info({ agents: count }, 'all simulated agents have checked in');
      around.ready();
    }
  };
  around.log.info({ agents: count }, 'simulated agents start');
  const settings = await withPast(hosts, around);
  const runs = hosts.map((host, index) => {
    const own = settings[index];
    return own === undefined ? Promise.resolve() : runSimulated(host, own, around, heard);
  });
  await Promise.all(runs);
});

/**
 * The agents' settings for this boot, after the past day of each was published where the stream knows nothing of it. An agent may
 * not look into the stream, so this goes by the gateways' own user, whose password only a demonstration is given.
 */
async function withPast(
  hosts: readonly SimulatedHost[],
  { config, log, signal }: AgentProcess,
): Promise<readonly AgentSettings[]> {
  const { natsUrl: url = '', natsTls: tls, natsAppPassword: password = '', zone } = config;
  const bus = await connectBus({ url, tls, user: 'muster-app', password, name: 'simulated past', signal });
  try {
    const settings: AgentSettings[] = [];
    for (const host of hosts) {
      const { agentId, hostname } = host;
      const about = { agentId, bootId: randomUUID(), hostname, agentVersion: AGENT_VERSION, simulated: true };
      const firstSeq = await publishPastDay(bus, zone, host, about, realClock.now());
      if (firstSeq > 1) log.info({ agentId, checkIns: firstSeq - 1 }, 'a day of history was published');
      const { sessionAddress, checkInSeconds, pruneGraceMinutes, diskLimitPercent } = config;
      settings.push({
        ...about,
        firstSeq,
        sessionAddress,
        checkInMs: checkInSeconds * 1000,
        diskLimitPercent,
        pruneGraceMs: pruneGraceMinutes * 60_000,
      });
    }
    return settings;
  } finally {
    await bus.close();
  }
}

async function runSimulated(
  host: SimulatedHost,
  settings: AgentSettings,
  around: AgentProcess,
  heard: (agentId: string) => void,
): Promise<void> {
  const { config, log, join: joinBus, signal } = around;
  const engine = fakeEngine(host);
  const secretFile = join(config.dataDir, 'agent', host.agentId, 'credential');
  await runAgent(
    settings,
    {
      clock: realClock,
      bus: await joinBus(host.agentId, settings, secretFile),
      engine,
      host: simulatedHost(host, engine, realClock),
      ledger: forgetfulLedger(),
      log: quieter(log, host.agentId),
      random: Math.random,
      onCheckIn: () => heard(host.agentId),
    },
    signal,
  );
}

function fakeEngine(host: SimulatedHost): FakeEngine {
  const random = seededRandom(seedOf(`${host.agentId} engine`));
  const engine = new FakeEngine({
    clock: realClock,
    facts: host.facts,
    latencyMs: (call) => latency(call) * (0.7 + 0.6 * random()),
    images: new Set(),
    pullSteps: 4,
    use(spec, nowMs) {
      const share = 0.1 + 0.8 * dailyLoad(seedOf(spec.sessionId))(nowMs);
      return {
        millicores: Math.round(spec.millicores * share),
        memoryBytes: Math.round(spec.memoryBytes * (0.2 + 0.6 * share)),
      };
    },
  });
  if (host.engineDown) engine.goDown();
  return engine;
}

function latency(call: EngineCall): number {
  switch (call) {
    case 'pull':
      return 4000;
    case 'start':
      return 250;
    case 'stop':
      return 400;
    case 'remove':
      return 60;
    case 'facts':
    case 'list':
    case 'unmanaged':
    case 'images':
    case 'imageStock':
    case 'removeImage':
    case 'hasImage':
    case 'stats':
    case 'output':
      return 2;
  }
}

/** Simulated containers end with this process, so there is nothing to remember: to its fleet this is a reboot. */
function forgetfulLedger(): LedgerStore {
  return { load: () => Promise.resolve(emptyLedger), save: () => Promise.resolve() };
}

/** Many agents share one log: theirs are details, trouble excepted. */
function quieter(log: AgentLog, agentId: string): AgentLog {
  return {
    debug: (fields, message) => log.debug({ agentId, ...fields }, message),
    info: (fields, message) => log.debug({ agentId, ...fields }, message),
    warn: (fields, message) => log.info({ agentId, ...fields }, message),
    error: (fields, message) => log.error({ agentId, ...fields }, message),
  };
}

function countOrExit(text: string): number {
  const agents = simulatedCount(text);
  if (agents !== null) return agents;
  process.stderr.write(`the number of simulated agents must be from 1 to ${MOST_SIMULATED_AGENTS}\n`);
  process.exit(2);
}
