import type { ExecutionContext } from 'ava';
import { DockerEngine } from '../../agent/engine/docker.ts';
import { explainEngineFailure, isEngineDown } from '../../agent/engine/errors.ts';
import type { ContainerSpec, ContainerView, Engine } from '../../agent/engine/port.ts';
import { dockerOf, type TestEngine } from './engine.ts';
import { BUSYBOX_IMAGE } from './engineImages.ts';

/** What one test does with sessions on a container engine. Whatever it started is removed after it. */
export type SessionBench = {
  readonly engine: Engine;
  readonly logId: string;
  /** A session that runs a shell script. Everything else is small and without GPUs unless said. */
  readonly spec: (script: string, changes?: Partial<ContainerSpec>) => ContainerSpec;
  /** Starts it, waits for its end and returns what it printed. */
  readonly output: (spec: ContainerSpec) => Promise<string>;
  readonly view: (sessionId: string) => Promise<ContainerView>;
};

let count = 0;

export function sessionBench(t: ExecutionContext, testEngine: Pick<TestEngine, 'host'>): SessionBench {
  count += 1;
  const logId = `log-${process.pid}-${process.hrtime.bigint()}-${count}`;
  const docker = dockerOf(testEngine);
  const engine = new DockerEngine({ host: testEngine.host });
  t.teardown(async () => {
    const filters = { label: [`muster.log=${logId}`] };
    const left = await docker.listContainers({ all: true, filters }).catch((error: unknown) => {
      // A test that killed its engine has no containers left either.
      if (isEngineDown(explainEngineFailure(error, 'call', logId))) return [];
      throw error;
    });
    await Promise.all(left.map((each) => docker.getContainer(each.Id).remove({ force: true, v: true })));
  });
  let sessions = 0;
  const view = async (sessionId: string): Promise<ContainerView> => {
    const found = (await engine.list(logId)).find((each) => each.sessionId === sessionId);
    if (found === undefined) throw new Error(`There is no container of ${sessionId}`);
    return found;
  };
  return {
    engine,
    logId,
    spec(script, changes = {}) {
      sessions += 1;
      return {
        logId,
        sessionId: `s-${logId}-${sessions}`,
        agentId: 'agent-1',
        imageReference: BUSYBOX_IMAGE,
        millicores: 500,
        cpuMode: 'shares',
        memoryBytes: 64 * 1_048_576,
        shmBytes: null,
        gpuUuids: [],
        gpuMethod: 'cdi',
        ports: [],
        environment: {},
        command: ['/bin/sh', '-c', script],
        sessionAddress: '127.0.0.1',
        ...changes,
      };
    },
    async output(spec) {
      await engine.start(spec);
      const container = docker.getContainer((await view(spec.sessionId)).containerId);
      await container.wait();
      return plainText(await container.logs({ stdout: true, stderr: true }));
    },
    view,
  };
}

/** The engine sends output in frames: a head of 8 bytes, of which the last 4 are the length, then the text. */
function plainText(frames: Buffer): string {
  let text = '';
  for (let at = 0; at + 8 <= frames.length;) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    text += frames.toString('utf8', at + 8, end);
    at = end;
  }
  return text;
}
