import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ledgerInFolder } from '../agent/ledgerFile.ts';
import type { DesiredSession } from '../domain/desired.ts';
import { putDesired } from '../infra/bus/desired.ts';
import { agentWorld, type AgentWorld } from './support/agentProcess.ts';
import { desired, plainImage, wanted } from './support/desired.ts';
import { breakableEngine, dockerOf, type TestEngine } from './support/engine.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';
import { until } from './support/until.ts';

const CYCLES = 200;
const AT_ONCE = 20;
const LOG_ID = 'log-cycles';
/** Connections that are kept for the next call come and go; what leaks grows with the number of cycles. */
const FILES_SLACK = 8;

/** What an agent and its engine hold on to, in numbers that must not grow with the sessions that came and went. */
interface Held {
  readonly containers: number;
  readonly networks: number;
  /** Devices in the network of the engine: each session has two there while it runs. */
  readonly devices: number;
  /** Also those that have ended and that nobody has asked after. */
  readonly processesOfEngine: number;
  readonly processesOfAgent: number;
  readonly filesOfAgent: number;
  readonly filesOfEngine: number;
}

serialEngineTest(`${CYCLES} sessions that came and went leave nothing behind`, async (t) => {
  const engine = await breakableEngine(t, 'cycles');
  const folder = await temporaryFolder(t);
  const world = await agentWorld(t, folder);
  const agent = await world.launch('agent/main.ts', [], { DOCKER_HOST: engine.host });
  const look = () => heldBy(engine, agent.pid ?? 0);

  const idle = await look();
  await cycle(world, 0);
  // The networks of sessions are made with the first of them, and stay.
  const isOver = ({ containers, processesOfEngine }: Held) =>
    containers === 0 && processesOfEngine <= idle.processesOfEngine;
  const before = await until('the end of the first round', look, isOver);
  const begun = performance.now();
  for (let round = 1; round <= CYCLES / AT_ONCE; round += 1) await cycle(world, round);
  t.log(`${((performance.now() - begun) / 1000).toFixed(1)} s`);
  // What never goes is told by the last look.
  const after = await until('nothing left', look, (held) => leftBehind(before, held).length === 0).catch(look);
  t.deepEqual(leftBehind(before, after), []);
  t.is((await ledgerInFolder(join(folder, 'agent')).load()).entries.size, 0);
});

/** So many sessions start, some of them with a port, all run, and all are gone again. */
async function cycle(world: AgentWorld, round: number): Promise<void> {
  const sessions = Array.from({ length: AT_ONCE }, (_, n): DesiredSession => {
    const ports = n % 5 === 0 ? [{ containerPort: 8080, protocol: 'tcp' as const }] : [];
    return wanted(`s-${round}-${n}`, { image: { ...plainImage, ports } });
  });
  const version = 2 * round + 1;
  await putDesired(world.bus, desired(version, sessions, LOG_ID));
  await world.hear(`round ${round} running`, (said) => {
    const running = said.sessions.filter(({ status }) => status === 'running');
    return said.appliedVersion >= version && running.length === AT_ONCE;
  });
  await putDesired(world.bus, desired(version + 1, [], LOG_ID));
  await world.hear(`round ${round} gone`, (said) => said.appliedVersion === version + 1);
}

function leftBehind(before: Held, after: Held): readonly string[] {
  const names = Object.keys(before) as (keyof Held)[];
  return names
    .filter((name) => after[name] > before[name] + (name.startsWith('files') ? FILES_SLACK : 0))
    .map((name) => `${name}: ${before[name]} before, ${after[name]} after`);
}

async function heldBy(engine: Pick<TestEngine, 'host' | 'dockerdPid'>, agentPid: number): Promise<Held> {
  const docker = dockerOf(engine);
  const folder = dirname(engine.host.slice('unix://'.length));
  const processes = await allProcesses();
  const [containers, networks, filesOfAgent, filesOfEngine, devices] = await Promise.all([
    docker.listContainers({ all: true }),
    docker.listNetworks(),
    readdir(`/proc/${agentPid}/fd`),
    readdir(`/proc/${engine.dockerdPid}/fd`),
    readFile(`/proc/${engine.dockerdPid}/net/dev`, 'utf8'),
  ]);
  return {
    containers: containers.length,
    networks: networks.length,
    devices: devices.trim().split('\n').length,
    // What keeps a container is no child of the engine, but knows the folder of it.
    processesOfEngine: processes.filter(
      ({ pid, line }) => isBelow(processes, pid, engine.dockerdPid) || line.includes(folder),
    ).length,
    processesOfAgent: processes.filter(({ pid }) => isBelow(processes, pid, agentPid)).length,
    filesOfAgent: filesOfAgent.length,
    filesOfEngine: filesOfEngine.length,
  };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly line: string;
}

async function allProcesses(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<Process[]> => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(pid), parent, line: await readFile(`/proc/${pid}/cmdline`, 'utf8') }];
      } catch (error) {
        // It ended meanwhile.
        if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

function isBelow(processes: readonly Process[], pid: number, ancestor: number): boolean {
  const parent = processes.find((each) => each.pid === pid)?.parent ?? 0;
  return parent === ancestor || (parent > 1 && isBelow(processes, parent, ancestor));
}
