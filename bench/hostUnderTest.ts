import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { DockerEngine } from '../agent/engine/docker.ts';
import { startDockerEngine } from '../infra/tools/dockerEngine.ts';
import { dockerOf } from '../test/support/engine.ts';
import { importBusybox } from '../test/support/engineImages.ts';
import { untilOnline, writeManagerToken } from '../test/support/gateway.ts';
import { startNats } from '../test/support/nats.ts';
import { startGatewayProcess, type GatewayProcess } from './gatewayProcess.ts';

const AGENT = join(import.meta.dirname, '../agent/main.ts');
export const AGENT_ID = 'host-under-test';

/** The whole system around one host: bus, gateway, agent and container engine, each a real process of its own. */
export interface HostUnderTest {
  readonly gateway: GatewayProcess;
  readonly docker: Docker;
  readonly agent: ChildProcess;
  readonly stop: () => Promise<void>;
}

/** `probe`: a module that the agent's process loads first. The agent is approved and online when this resolves. */
export async function startHost(probe: string | null = null): Promise<HostUnderTest> {
  const root = await mkdtemp(join(tmpdir(), 'muster-bench-engine-'));
  const data = await mkdtemp(join(tmpdir(), 'muster-bench-agent-'));
  const engine = await startDockerEngine({
    root,
    nvidia: true,
    onProgress: (step) => process.stderr.write(`${step}\n`),
  });
  const docker = dockerOf(engine);
  await importBusybox(docker);
  await new DockerEngine({ host: engine.host }).prepare();
  const nats = await startNats();
  const gateway = await startGatewayProcess(nats);
  const token = join(data, 'manager.token');
  await writeManagerToken(gateway.rest, token);
  const agent = fork(AGENT, [], {
    env: {
      PATH: process.env['PATH'],
      MUSTER_NATS_URL: nats.url,
      MUSTER_MANAGER_TOKEN_FILE: token,
      MUSTER_DATA: data,
      MUSTER_AGENT_ID: AGENT_ID,
      MUSTER_LOG_LEVEL: 'error',
      DOCKER_HOST: engine.host,
    },
    execArgv: [...(probe === null ? [] : ['--import', probe]), ...profiling()],
  });
  await once(agent, 'message');
  await untilOnline(gateway.rest, AGENT_ID);
  return {
    gateway,
    docker,
    agent,
    async stop() {
      const exited = once(agent, 'exit');
      agent.kill('SIGTERM');
      await exited;
      await gateway.stop();
      await nats.stop();
      await engine.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** With BENCH_PROFILE=FOLDER the agent leaves a CPU profile there when it stops, as gateways do. */
function profiling(): readonly string[] {
  const folder = process.env['BENCH_PROFILE'];
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}
