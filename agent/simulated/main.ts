import { randomUUID } from 'node:crypto';
import { realClock } from '../../infra/clock.ts';
import { agentBus, type BusLink } from '../bus.ts';
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

const MOST_AGENTS = 200;

/** `main.ts N`: N simulated agents in this one process. Only their hosts and engines are not real. */
const count = Number(process.argv[2]);
if (!Number.isInteger(count) || count < 1 || count > MOST_AGENTS) {
  process.stderr.write(`the number of simulated agents must be from 1 to ${MOST_AGENTS}\n`);
  process.exit(2);
}

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
  const settings: AgentSettings[] = [];
  for (const host of hosts) settings.push(await withPast(host, around));
  const runs = hosts.map((host, index) => {
    const own = settings[index];
    return own === undefined ? Promise.resolve() : runSimulated(host, own, around, heard);
  });
  await Promise.all(runs);
});

/** An agent's settings for this boot, after its past day was published where the stream knows nothing of it. */
async function withPast(host: SimulatedHost, { config, link, log, signal }: AgentProcess): Promise<AgentSettings> {
  const about = {
    agentId: host.agentId,
    bootId: randomUUID(),
    hostname: host.hostname,
    agentVersion: AGENT_VERSION,
    simulated: true,
  };
  const bus = await there(link, signal);
  const firstSeq = bus === null ? 1 : await publishPastDay(bus, config.zone, host, about, realClock.now());
  if (firstSeq > 1) log.info({ agentId: host.agentId, checkIns: firstSeq - 1 }, 'a day of history was published');
  return { ...about, firstSeq, sessionAddress: config.sessionAddress, checkInMs: config.checkInSeconds * 1000 };
}

async function runSimulated(
  host: SimulatedHost,
  settings: AgentSettings,
  around: AgentProcess,
  heard: (agentId: string) => void,
): Promise<void> {
  const { config, log, link, signal } = around;
  const engine = fakeEngine(host);
  await runAgent(
    settings,
    {
      clock: realClock,
      bus: agentBus(link, config.zone, host.agentId, log),
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

function there(link: BusLink, signal: AbortSignal): Promise<BusLink['bus']> {
  return new Promise((resolve) => {
    link.whenThere(resolve);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
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
    case 'hasImage':
    case 'stats':
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
