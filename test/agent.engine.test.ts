import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putDesired } from '../infra/bus/desired.ts';
import { agentWorld, endOf } from './support/agentProcess.ts';
import { uniqueIds } from './support/agentSessions.ts';
import { desired, plainImage, wanted } from './support/desired.ts';
import { dockerOf, TEST_GPU_UUIDS } from './support/engine.ts';
import { engineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';
import { fakeNvidiaSmi } from './support/nvidiaSmi.ts';

const MEMORY = 96 * 1024 ** 2;

/**
 * An nvidia-smi that knows the GPUs which the engine of the tests can inject, and the hook by which one without CDI does.
 * Returns the PATH to find them on.
 */
async function withGpus(folder: string): Promise<string> {
  const bin = await fakeNvidiaSmi(
    join(folder, 'bin'),
    TEST_GPU_UUIDS.map((uuid) => ({ uuid })),
  );
  await writeFile(join(bin, 'nvidia-container-runtime-hook'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  return `${bin}:${process.env['PATH'] ?? ''}`;
}

engineTest(
  'a session of the document runs with its limits and its GPU, is reported, and ends with the document',
  async (t, engine) => {
    const folder = await temporaryFolder(t);
    const { logId, sessionId } = uniqueIds(t, engine);
    const world = await agentWorld(t, folder);
    const agent = await world.launch('agent/main.ts', [], { DOCKER_HOST: engine.host, PATH: await withGpus(folder) });
    const first = await world.hear('a check-in with GPUs', (said) => said.engine.status === 'up');
    t.deepEqual(
      first.hardware.gpus.map((gpu) => [gpu.uuid, gpu.usable, gpu.unusableReason]),
      TEST_GPU_UUIDS.map((uuid) => [uuid, true, null]),
    );
    t.true((first.usage.disk?.totalBytes ?? 0) > 0);

    const gpu = TEST_GPU_UUIDS[2] ?? '';
    const image = { ...plainImage, memoryBytes: MEMORY, ports: [{ containerPort: 8080, protocol: 'tcp' as const }] };
    const begun = performance.now();
    await putDesired(world.bus, desired(1, [wanted(sessionId, { image, gpuUuids: [gpu] })], logId));
    const running = await world.hear('running', (said) => said.sessions[0]?.status === 'running');
    t.log(`document to running, reported: ${Math.round(performance.now() - begun)} ms`);
    t.like(running, { logId, appliedVersion: 1 });
    t.like(running.sessions[0], { sessionId, failure: null });
    t.like(running.sessions[0]?.endpoints[0], { containerPort: 8080, protocol: 'tcp', hostAddress: '127.0.0.1' });

    const docker = dockerOf(engine);
    const { HostConfig: limits } = await docker.getContainer(running.sessions[0]?.containerId ?? '').inspect();
    t.is(limits.Memory, MEMORY);
    t.is(limits.CpuShares, 1024);
    t.true(JSON.stringify(limits.DeviceRequests).includes(gpu));

    await putDesired(world.bus, desired(2, [], logId));
    const over = await world.hear('version 2 applied', (said) => said.appliedVersion === 2);
    t.deepEqual(over.sessions, []);
    t.deepEqual(await docker.listContainers({ all: true, filters: { label: [`muster.log=${logId}`] } }), []);
    t.is(await endOf(agent, 'SIGTERM'), 0);
  },
);

engineTest("what a container's processes hold of a GPU is told as its session's own", async (t, engine) => {
  const folder = await temporaryFolder(t);
  const { logId, sessionId } = uniqueIds(t, engine);
  const world = await agentWorld(t, folder);
  const environment = { DOCKER_HOST: engine.host, PATH: await withGpus(folder), MUSTER_CHECKIN_SECONDS: '1' };
  const agent = await world.launch('agent/main.ts', [], environment);
  const [uuid = ''] = TEST_GPU_UUIDS;
  await putDesired(world.bus, desired(1, [wanted(sessionId, { gpuUuids: [uuid] })], logId));
  const running = await world.hear('running', (said) => said.sessions[0]?.status === 'running');
  await endOf(agent, 'SIGTERM');

  const container = await dockerOf(engine)
    .getContainer(running.sessions[0]?.containerId ?? '')
    .inspect();
  const processes = [
    { pid: container.State.Pid, mib: 512 },
    { pid: process.pid, mib: 64 },
  ];
  await fakeNvidiaSmi(join(folder, 'bin'), [{ uuid, processes }]);
  await world.launch('agent/main.ts', [], environment);
  const told = await world.hear('memory of its GPU', (said) => (said.usage.sessions[0]?.gpus.length ?? 0) > 0);
  t.like(told.usage.sessions[0], { sessionId, gpus: [{ uuid, memoryUsedBytes: 512 * 1024 ** 2 }] });
});

engineTest('an agent that was killed takes over its running session and starts nothing twice', async (t, engine) => {
  const folder = await temporaryFolder(t);
  const { logId, sessionId } = uniqueIds(t, engine);
  const world = await agentWorld(t, folder);
  const environment = { DOCKER_HOST: engine.host };
  const killed = await world.launch('agent/main.ts', [], environment);
  await putDesired(world.bus, desired(1, [wanted(sessionId)], logId));
  const before = await world.hear('running', (said) => said.sessions[0]?.status === 'running');
  await endOf(killed, 'SIGKILL');
  const restarted = await world.launch('agent/main.ts', [], environment);
  const after = await world.hear(
    'a check-in of the new boot',
    (said) => said.bootId !== before.bootId && said.engine.status === 'up',
  );
  t.deepEqual(after.sessions, before.sessions);
  t.is(after.appliedVersion, 1);

  const docker = dockerOf(engine);
  await docker.getContainer(before.sessions[0]?.containerId ?? '').remove({ force: true });
  await world.hear('gone', (said) => said.sessions[0]?.status === 'gone');
  await endOf(restarted, 'SIGKILL');
  await world.launch('agent/main.ts', [], environment);
  await world.hear(
    'gone, after another restart',
    (said) => said.bootId !== after.bootId && said.sessions[0]?.status === 'gone',
  );
  t.deepEqual(await docker.listContainers({ all: true, filters: { label: [`muster.log=${logId}`] } }), []);
});
