import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { parseDockerHost } from '../agent/engine/address.ts';
import { DockerEngine } from '../agent/engine/docker.ts';
import {
  EngineError,
  explainEngineFailure,
  isEngineDown,
  isEngineError,
  isNetworkFailure,
  isTransient,
} from '../agent/engine/errors.ts';
import type { PullProgress } from '../agent/engine/port.ts';
import { startDockerEngine } from '../infra/tools/dockerEngine.ts';
import { breakableEngine, DOCKER_VERSION, dockerOf } from './support/engine.ts';
import { engineTest } from './support/engineTest.ts';
import { BUSYBOX_IMAGE } from './support/engineImages.ts';
import { startRegistry } from './support/engineRegistry.ts';
import { sessionBench } from './support/engineSessions.ts';

const noProgress = (): void => {};

engineTest('an image is pulled with its progress, and is there with its digest', async (t, shared) => {
  const { engine, spec, output, view } = sessionBench(t, shared);
  const reference = `${await startRegistry(t, shared)}/muster/present:1`;
  const seen: PullProgress[] = [];
  const { signal } = new AbortController();
  await engine.pull(reference, { signal, onProgress: (progress) => seen.push(progress) });
  t.like(seen.at(-1), { layersDone: 1, layersTotal: 1 });
  const local = await engine.hasImage(reference);
  t.regex(local?.digest ?? '', /^sha256:[0-9a-f]{64}$/);
  const session = spec('echo runs', { imageReference: reference });
  t.is((await output(session)).trim(), 'runs');
  t.is((await view(session.sessionId)).imageDigest, local?.digest ?? '');
  const built = spec('true');
  await output(built);
  t.is((await view(built.sessionId)).imageDigest, null, 'what never was in a registry has none');
  const pinned = `${reference.replace(/:1$/, '')}@${local?.digest}`;
  t.is((await engine.hasImage(pinned))?.imageId, local?.imageId);
  await engine.pull(pinned, { signal, onProgress: noProgress });
  await dockerOf(shared).getImage(reference).remove({ force: true });
});

engineTest('a pull that cannot succeed says which way it failed', async (t, shared) => {
  const { engine } = sessionBench(t, shared);
  const registry = await startRegistry(t, shared);
  const pull = (name: string) => engine.pull(name, { signal: new AbortController().signal, onProgress: noProgress });
  const codes = {
    absent: 'IMAGE_NOT_FOUND',
    nowhere: 'IMAGE_NOT_FOUND',
    private: 'IMAGE_NO_ACCESS',
    locked: 'IMAGE_NO_ACCESS',
    busy: 'NETWORK',
    ill: 'NETWORK',
    broken: 'NETWORK',
  };
  for (const [name, code] of Object.entries(codes)) {
    const error = await t.throwsAsync(pull(`${registry}/muster/${name}:1`), { instanceOf: EngineError }, name);
    t.true(isEngineError(error) && error.code === code, `${name}: ${error?.code} ${error?.message}`);
    t.is(isNetworkFailure(error), code === 'NETWORK');
    t.log(`${name}: ${error?.message}`);
  }
  await t.throwsAsync(pull(`${registry}/muster/absent:1`), { message: /Check its name/ });
  await t.throwsAsync(pull(`${registry}/muster/private:1`), { message: /sign this host/ });
  await t.throwsAsync(pull('127.0.0.1:1/muster/present:1'), { code: 'NETWORK' });
  await t.throwsAsync(pull('registry.invalid/muster/present:1'), { code: 'NETWORK' });
});

engineTest('a pull that is no longer wanted ends at once', async (t, shared) => {
  const { engine } = sessionBench(t, shared);
  const registry = await startRegistry(t, shared);
  const wanted = new AbortController();
  const pulling = engine.pull(`${registry}/muster/stalled:1`, { signal: wanted.signal, onProgress: noProgress });
  wanted.abort(new Error('withdrawn'));
  await t.throwsAsync(pulling, { message: 'withdrawn' });
});

engineTest('an engine that dies in the middle of a call is down', async (t) => {
  const own = await breakableEngine(t, 'killed');
  const { engine, spec } = sessionBench(t, own);
  const session = spec("trap '' TERM; while :; do sleep 1; done");
  await engine.start(session);
  const changes = engine.changes(new AbortController().signal)[Symbol.asyncIterator]();
  await changes.next();
  const stopping = engine.stop(session.sessionId, 60);
  await changes.next();
  process.kill(own.dockerdPid, 'SIGKILL');
  const error = await t.throwsAsync(stopping, { code: 'ENGINE_DOWN' });
  t.true(isEngineDown(error) && isTransient(error));
  await t.throwsAsync(
    async () => {
      for (let next = await changes.next(); next.done !== true; next = await changes.next())
        t.is(next.value, 'changed');
    },
    { code: 'ENGINE_DOWN' },
  );
  await t.throwsAsync(engine.list('any'), { code: 'ENGINE_DOWN', message: /Check that it runs/ });
});

engineTest('an engine that was killed with its keeper is cleared away by the next start', async (t) => {
  const own = await breakableEngine(t, 'crashed');
  const { engine, spec } = sessionBench(t, own);
  await engine.start(spec('sleep 2147483647'));
  const root = join(tmpdir(), `muster-engine-${process.pid}-crashed`);
  await t.throwsAsync(startDockerEngine({ root, network: 'private', onProgress: noProgress }), {
    message: /is in use/,
  });
  process.kill(own.keeperPid, 'SIGKILL');
  process.kill(own.dockerdPid, 'SIGKILL');
  const version = DOCKER_VERSION;
  const next = await startDockerEngine({ root, version, network: 'private', onProgress: noProgress });
  t.deepEqual(await dockerOf(next).listContainers({ all: true }), []);
  await next.stop();
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
  t.false(stdout.split('\n').some((line) => line.includes(`${root}/`)));
});

engineTest('a container that is not ours is counted and never touched', async (t) => {
  const own = await breakableEngine(t, 'foreign');
  process.env['DOCKER_HOST'] = own.host;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';
  const { GenericContainer } = await import('testcontainers');
  const { engine, logId, spec } = sessionBench(t, own);
  const session = spec('sleep 2147483647');
  t.is(await engine.unmanaged(), 0);
  const foreign = await new GenericContainer(BUSYBOX_IMAGE)
    .withName(session.sessionId)
    .withNetworkMode('none')
    .withCommand(['sleep', '2147483647'])
    .start();
  t.is(await engine.unmanaged(), 1);
  t.deepEqual(await engine.list(logId), []);
  await engine.stop(session.sessionId, 0);
  await engine.remove(session.sessionId);
  await t.throwsAsync(engine.start(session), { code: 'CONTAINER_START_FAILED', message: /already in use/ });
  t.is(await engine.unmanaged(), 1, 'it still runs under the name that the session wanted');
  await foreign.stop();
});

test('an engine that is not there is down', async (t) => {
  const engine = new DockerEngine({ host: 'unix:///nowhere/docker.sock' });
  await t.throwsAsync(engine.facts(), { code: 'ENGINE_DOWN' });
  await t.throwsAsync(new DockerEngine({ host: 'tcp://127.0.0.1:1' }).facts(), { code: 'ENGINE_DOWN' });
});

test('DOCKER_HOST is a socket or a plain address, anything else is refused', (t) => {
  t.deepEqual(parseDockerHost('unix:///run/docker.sock'), { kind: 'unix', socketPath: '/run/docker.sock' });
  t.deepEqual(parseDockerHost('tcp://10.0.0.5:2375'), { kind: 'tcp', host: '10.0.0.5', port: 2_375 });
  t.deepEqual(parseDockerHost('tcp://[::1]:2375'), { kind: 'tcp', host: '::1', port: 2_375 });
  for (const host of [
    '',
    'unix://',
    'unix://docker.sock',
    'ssh://root@host',
    'npipe:////./pipe/x',
    'tcp://host',
    'http://a:1',
  ]) {
    t.throws(() => parseDockerHost(host), { code: 'ADDRESS_UNSUPPORTED' }, host);
  }
});

test('the words of the engine lead to a code and to advice', (t) => {
  const cases = [
    ['pull', 'write /var/lib/docker/tmp/x: no space left on device', 'NO_SPACE'],
    ['start', 'mkdir /var/lib/docker/overlay2: no space left on device', 'NO_SPACE'],
    ['start', 'could not select device driver "nvidia" with capabilities: [[gpu]]', 'NO_GPU_DRIVER'],
    ['start', 'nvidia-container-cli: device error: GPU-1: unknown device', 'GPU_DEVICE_UNKNOWN'],
    ['start', 'CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=x', 'GPU_DEVICE_UNKNOWN'],
    ['start', 'exec: "/app": permission denied', 'CONTAINER_START_FAILED'],
    ['create', 'No such image: a:1', 'IMAGE_NOT_FOUND'],
    ['create', 'Conflict. The container name "/s" is already in use', 'CONTAINER_START_FAILED'],
    ['pull', 'pull access denied for a, repository does not exist', 'IMAGE_NO_ACCESS'],
    ['pull', 'manifest for a:1 not found: manifest unknown', 'IMAGE_NOT_FOUND'],
    ['pull', 'expected HTTP 206 from byte range request', 'NETWORK'],
    ['pull', 'dial tcp: lookup registry: no such host', 'NETWORK'],
    ['network', 'could not find an available, non-overlapping IPv4 address pool', 'NETWORK'],
    ['call', 'socket hang up', 'ENGINE_DOWN'],
    ['call', 'something new', 'ENGINE_REFUSED'],
  ] as const;
  for (const [task, said, code] of cases) {
    const error = explainEngineFailure(new Error(said), task, 'a:1');
    t.is(error.code, code, said);
    t.true(error.message.includes(said));
  }
});
