import test from 'ava';
import { containerOptions } from '../agent/engine/containerOptions.ts';
import { dockerOf, TEST_GPU_UUIDS } from './support/engine.ts';
import { cdiTest, engineTest } from './support/engineTest.ts';
import { importTestImage, SLEEPER_IMAGE } from './support/engineImages.ts';
import { sessionBench } from './support/engineSessions.ts';
import { until } from './support/until.ts';

const SLEEP = "trap 'exit 0' TERM; sleep 2147483647 & wait";
const [FIRST_GPU = '', SECOND_GPU = ''] = TEST_GPU_UUIDS;

engineTest('a session is started, seen, stopped and removed', async (t, { host }) => {
  const { engine, logId, spec, view } = sessionBench(t, { host });
  const session = spec('', { imageReference: SLEEPER_IMAGE, command: null });
  await engine.start(session);
  const running = await view(session.sessionId);
  t.like(running, { status: 'running', exitCode: null, oomKilled: false, ports: [] });
  t.regex(running.startedAt ?? '', /^\d{4}-\d\d-\d\dT/);
  await t.throwsAsync(engine.remove(session.sessionId), { code: 'CONTAINER_RUNNING' });

  await engine.stop(session.sessionId, 10);
  t.like(await view(session.sessionId), { status: 'exited', exitCode: 0 });
  await engine.stop(session.sessionId, 10);
  await engine.remove(session.sessionId);
  t.deepEqual(await engine.list(logId), []);
  await engine.remove(session.sessionId);
  await engine.stop(session.sessionId, 10);
});

engineTest('a session that does not end by itself is killed after the grace', async (t, { host }) => {
  const { engine, spec, view } = sessionBench(t, { host });
  const session = spec("trap '' TERM; while :; do sleep 1; done");
  await engine.start(session);
  await engine.stop(session.sessionId, 0);
  t.like(await view(session.sessionId), { status: 'exited', exitCode: 137, oomKilled: false });
});

engineTest('the images of the host are listed with their names and sizes, newest first', async (t, { host }) => {
  const { engine } = sessionBench(t, { host });
  const images = await engine.images();
  const sleeper = images.find(({ tags }) => tags.includes(SLEEPER_IMAGE));
  t.regex(sleeper?.imageId ?? '', /^sha256:[0-9a-f]{64}$/);
  t.true((sleeper?.sizeBytes ?? 0) > 100_000);
  const created = await dockerOf({ host }).listImages();
  const madeAt = new Map(created.map(({ Id, Created }) => [Id, Created]));
  const times = images.map(({ imageId }) => madeAt.get(imageId) ?? 0);
  t.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
});

engineTest('only the containers of the asked log are listed', async (t, { host }) => {
  const one = sessionBench(t, { host });
  const other = sessionBench(t, { host });
  const session = one.spec('exit 3');
  await one.engine.start(session);
  t.deepEqual(
    (await one.engine.list(one.logId)).map((each) => each.sessionId),
    [session.sessionId],
  );
  t.deepEqual(await one.engine.list(other.logId), []);
});

engineTest('what a session may do is limited as the rules say', async (t, { host }) => {
  const { engine, spec, view } = sessionBench(t, { host });
  const shares = spec(SLEEP, { millicores: 1_500, memoryBytes: 100_000_000, shmBytes: 80_000_000 });
  const quota = spec(SLEEP, { cpuMode: 'quota', millicores: 64_000 });
  await engine.start(shares);
  await engine.start(quota);
  const docker = dockerOf({ host });
  const inspected = await docker.getContainer((await view(shares.sessionId)).containerId).inspect();
  const limits = inspected.HostConfig;
  t.is(inspected.Name, `/${shares.sessionId}`);
  t.like(inspected.Config.Labels, {
    'muster.log': shares.logId,
    'muster.session': shares.sessionId,
    'muster.agent': 'agent-1',
  });
  t.like(limits, { Memory: 100_000_000, MemorySwap: -1, CpuShares: 1_536, ShmSize: 80_000_000, Privileged: false });
  t.is(limits.RestartPolicy?.Name, 'no');
  t.deepEqual(limits.SecurityOpt, ['no-new-privileges:true']);
  t.true((limits.PidsLimit ?? 0) > 0);
  t.deepEqual(limits.Binds ?? [], []);
  t.deepEqual(limits.Devices ?? [], []);
  t.not(limits.NetworkMode, 'host');
  t.not(limits.PidMode, 'host');
  t.not(limits.IpcMode, 'host');
  const { HostConfig } = await docker.getContainer((await view(quota.sessionId)).containerId).inspect();
  t.is(HostConfig.CpuQuota, 6_400_000, 'a quota above the cores of the host is kept');
});

engineTest('a session has the seven capabilities and no new privileges', async (t, { host }) => {
  const { spec, output } = sessionBench(t, { host });
  const status = await output(spec("grep -E 'Cap(Eff|Bnd)|NoNewPrivs' /proc/self/status"));
  // CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10.
  t.regex(status, /CapEff:\s+00000000000004eb/);
  t.regex(status, /CapBnd:\s+00000000000004eb/);
  t.regex(status, /NoNewPrivs:\s+1/);
});

engineTest('a session that uses too much memory is shown as killed for it', async (t, { host }) => {
  const { spec, output, view } = sessionBench(t, { host });
  const greedy = spec('sleep 0.5; exec tail /dev/zero', { memoryBytes: 8 * 1_048_576 });
  await output(greedy);
  // The engine hears of the exit and of the kill's reason by two ways, and may tell of the exit first.
  const seen = await until(
    'the reason of the kill',
    () => view(greedy.sessionId),
    ({ oomKilled }) => oomKilled,
  );
  t.like(seen, { status: 'exited', exitCode: 137, oomKilled: true });
});

engineTest('what the health check of an image says is seen, and every change of it is told', async (t, { host }) => {
  const { engine, spec, view } = sessionBench(t, { host });
  const docker = dockerOf({ host });
  const imageReference = 'muster-test/checked:1';
  const check = 'HEALTHCHECK --interval=1s --timeout=10s --retries=1 CMD ["/bin/test", "-e", "/tmp/well"]';
  await importTestImage(docker, imageReference, [check, 'CMD ["/bin/sh"]']);
  const session = spec(SLEEP, { imageReference });
  const plain = spec(SLEEP);
  await engine.start(plain);
  await engine.start(session);
  t.is((await view(session.sessionId)).health, 'starting');
  t.is((await view(plain.sessionId)).health, null);

  const ending = new AbortController();
  const changes = engine.changes(ending.signal)[Symbol.asyncIterator]();
  const told = async (health: string): Promise<void> => {
    while ((await view(session.sessionId)).health !== health) await changes.next();
  };
  await told('unhealthy');
  const { containerId } = await view(session.sessionId);
  const exec = await docker.getContainer(containerId).exec({ Cmd: ['touch', '/tmp/well'] });
  await exec.start({});
  await told('healthy');
  await engine.stop(session.sessionId, 10);
  t.like(await view(session.sessionId), { status: 'exited', health: null });
  ending.abort();
});

cdiTest('a session sees exactly its GPUs by CDI', async (t, { host }) => {
  const { engine, spec, output } = sessionBench(t, { host });
  t.deepEqual(
    (await engine.facts()).cdiDevices.toSorted(),
    TEST_GPU_UUIDS.map((uuid) => `nvidia.com/gpu=${uuid}`),
  );
  const said = await output(spec('env; ls /dev', { gpuUuids: [SECOND_GPU] }));
  const lines = said.split('\n');
  t.deepEqual(
    lines.filter((line) => line.startsWith('MUSTER_TEST_CDI')),
    [`MUSTER_TEST_CDI_1=${SECOND_GPU}`],
  );
  t.deepEqual(
    lines.filter((line) => /^nvidia\d/.test(line)),
    ['nvidia1'],
  );
  t.true(lines.includes('NVIDIA_DRIVER_CAPABILITIES=all'));
});

engineTest('a session sees exactly its GPUs by the nvidia driver', async (t, { host }) => {
  const { engine, spec, output } = sessionBench(t, { host });
  t.is(typeof (await engine.facts()).nvidiaHook, 'boolean');
  const gpuUuids = [FIRST_GPU, SECOND_GPU];
  const said = await output(spec('env', { gpuUuids, gpuMethod: 'nvidia' }));
  const lines = new Set(said.split('\n').filter((line) => line.startsWith('NVIDIA_')));
  t.deepEqual([...lines].toSorted(), [
    'NVIDIA_DRIVER_CAPABILITIES=all',
    `NVIDIA_VISIBLE_DEVICES=${gpuUuids.join(',')}`,
  ]);
});

engineTest('neither an image nor a request gives itself a GPU', async (t, { host }) => {
  const { spec, output } = sessionBench(t, { host });
  const imageReference = 'muster-test/greedy:1';
  await importTestImage(dockerOf({ host }), imageReference, ['ENV NVIDIA_VISIBLE_DEVICES=all', 'CMD ["/bin/sh"]']);
  const said = await output(spec('env', { imageReference, environment: { NVIDIA_VISIBLE_DEVICES: 'all', A: 'b' } }));
  const lines = said.split('\n');
  t.deepEqual(
    lines.filter((line) => line.startsWith('NVIDIA_')),
    ['NVIDIA_VISIBLE_DEVICES=void'],
  );
  t.true(lines.includes('A=b'));
});

cdiTest('a GPU that the engine does not know leaves nothing behind', async (t, { host }) => {
  const { engine, logId, spec } = sessionBench(t, { host });
  const session = spec('true', { gpuUuids: ['GPU-99999999-9999-4999-8999-999999999999'] });
  await t.throwsAsync(engine.start(session), { code: 'GPU_DEVICE_UNKNOWN', message: /nvidia-ctk cdi generate/ });
  t.deepEqual(await engine.list(logId), []);
});

engineTest('a program that the image lacks is a failed start that leaves nothing behind', async (t, { host }) => {
  const { engine, logId, spec } = sessionBench(t, { host });
  const session = spec('', { command: ['/bin/there-is-no-such-program'] });
  await t.throwsAsync(engine.start(session), { code: 'CONTAINER_START_FAILED' });
  t.deepEqual(await engine.list(logId), []);
});

engineTest('an image that is not on this host is not started', async (t, { host }) => {
  const { engine, logId, spec } = sessionBench(t, { host });
  const imageReference = 'muster-test/never-made:1';
  t.is(await engine.hasImage(imageReference), null);
  await t.throwsAsync(engine.start(spec('true', { imageReference })), { code: 'IMAGE_NOT_FOUND' });
  t.deepEqual(await engine.list(logId), []);
  t.regex((await engine.hasImage(SLEEPER_IMAGE))?.imageId ?? '', /^sha256:/);
});

engineTest('anonymous volumes go with their session', async (t, { host }) => {
  const { engine, spec, output } = sessionBench(t, { host });
  const docker = dockerOf({ host });
  const imageReference = 'muster-test/volume:1';
  await importTestImage(docker, imageReference, ['VOLUME /kept', 'CMD ["/bin/sh"]']);
  const session = spec('grep /kept /proc/mounts | cut -d" " -f2', { imageReference });
  t.is((await output(session)).trim(), '/kept');
  const [container] = await docker.listContainers({ all: true, filters: { name: [session.sessionId] } });
  const volume = container?.Mounts[0]?.Name ?? 'none';
  await engine.remove(session.sessionId);
  await t.throwsAsync(docker.getVolume(volume).inspect(), { message: /no such volume/ });
});

engineTest('what a session uses is known from the second measurement on', async (t, { host }) => {
  const { engine, spec } = sessionBench(t, { host });
  const busy = spec('while :; do :; done', { millicores: 200, cpuMode: 'quota' });
  await engine.start(busy);
  t.is((await engine.stats([busy.sessionId])).size, 0);
  const use = await engine.stats([busy.sessionId]);
  const { millicores = -1, memoryBytes = 0 } = use.get(busy.sessionId) ?? {};
  t.true(millicores >= 0 && millicores < 2_000, `${millicores} millicores`);
  t.true(memoryBytes > 0 && memoryBytes < 64 * 1_048_576, `${memoryBytes} bytes`);
});

engineTest('a change of a session is told at once', async (t, { host }) => {
  const { engine, spec } = sessionBench(t, { host });
  const ending = new AbortController();
  const changes = engine.changes(ending.signal)[Symbol.asyncIterator]();
  t.deepEqual(await changes.next(), { done: false, value: 'changed' }, 'the subscription stands');
  await engine.start(spec(SLEEP));
  t.deepEqual(await changes.next(), { done: false, value: 'changed' });
  ending.abort();
  for (let next = await changes.next(); next.done !== true; next = await changes.next()) t.is(next.value, 'changed');
});

engineTest('an engine tells its version, storage and runtimes', async (t, { host, version }) => {
  const facts = await sessionBench(t, { host }).engine.facts();
  t.is(facts.version, version);
  t.true(facts.runtimes.includes('runc'));
  t.true(facts.dataRoot.startsWith('/'));
  t.regex(facts.cgroupVersion, /^[12]$/);
  t.regex(facts.apiVersion, /^1\.\d+$/);
});

test('a quota of nothing is the least quota, never none at all', (t) => {
  const spec = {
    logId: 'l',
    sessionId: 's',
    agentId: 'a',
    imageReference: 'i',
    millicores: 0,
    cpuMode: 'quota' as const,
    memoryBytes: 0,
    shmBytes: null,
    gpuUuids: [],
    gpuMethod: 'cdi' as const,
    ports: [],
    environment: {},
    command: null,
    sessionAddress: '127.0.0.1',
  };
  t.like(containerOptions(spec).HostConfig, { CpuQuota: 1_000, Memory: 6 * 1_048_576 });
  t.like(containerOptions({ ...spec, cpuMode: 'shares' }).HostConfig, { CpuShares: 2 });
});
