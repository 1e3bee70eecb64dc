import { join } from 'node:path';
import type Docker from 'dockerode';
import type { ExecutionContext } from 'ava';
import { DockerEngine } from '../agent/engine/docker.ts';
import type { PruneReport } from '../domain/pruning/record.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import { dockerOf, type TestEngine } from './support/engine.ts';
import { busyboxTar } from './support/engineImages.ts';
import { engineProxy } from './support/engineProxy.ts';
import { startRegistry } from './support/engineRegistry.ts';
import { engineTest, serialEngineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';
import { startMuster, type RunningMuster, type StartAnswer } from './support/muster.ts';
import { until } from './support/until.ts';

const CALM = { signal: new AbortController().signal, onProgress: () => {} };

/** A registry whose images leave the shared engine with the test, and the engine as the agent sees it. */
async function bench(t: ExecutionContext, { host }: Pick<TestEngine, 'host'>, engine: TestEngine) {
  const registry = await startRegistry(t, engine);
  const docker = dockerOf(engine);
  const name = (repository: string) => `${registry}/muster/${repository}:1`;
  const idOf = async (reference: string): Promise<string | null> =>
    (await new DockerEngine({ host }).hasImage(reference))?.imageId ?? null;
  t.teardown(async () => {
    const left = await docker.listImages();
    const ours = left.flatMap(({ RepoTags }) => (RepoTags ?? []).filter((tag) => tag.startsWith(registry)));
    await Promise.all(ours.map((tag) => docker.getImage(tag).remove({ force: true })));
  });
  return { docker, name, idOf };
}

/** Somebody makes an image of his own under this name, which takes it from another. Its id. */
async function build(docker: Docker, reference: string, change: string): Promise<string> {
  const at = reference.lastIndexOf(':');
  const options = { repo: reference.slice(0, at), tag: reference.slice(at + 1), changes: [change] };
  const answer = await docker.importImage(await busyboxTar(), options);
  for await (const line of answer) if (String(line).includes('"error"')) throw new Error(String(line));
  return (await docker.getImage(reference).inspect()).Id;
}

engineTest('an image is removed by all its names, and nothing is left of it', async (t, testEngine) => {
  const { name, idOf } = await bench(t, testEngine, testEngine);
  const engine = new DockerEngine({ host: testEngine.host });
  const { imageId } = await engine.pull(name('ours'), CALM);
  const before = await engine.imageStock();
  const image = before.images.find((each) => each.imageId === imageId);
  t.deepEqual(image?.tags, [name('ours')]);
  t.is(image?.digests.length, 1);
  t.false(before.containers.has(imageId));
  t.true(await engine.removeImage({ imageId, tags: [name('ours')], whole: true }));
  t.is(await idOf(imageId), null);
  t.true(await engine.removeImage({ imageId, tags: [name('ours')], whole: true }), 'fine when it is not there');
});

engineTest('what a container refers to in whatever state is not removed, not even its name', async (t, testEngine) => {
  const { docker, name, idOf } = await bench(t, testEngine, testEngine);
  const engine = new DockerEngine({ host: testEngine.host });
  const { imageId } = await engine.pull(name('held'), CALM);
  const container = await docker.createContainer({ Image: name('held'), Cmd: ['true'] });
  t.is((await engine.imageStock()).containers.get(imageId), 1);
  const removal = { imageId, tags: [name('held')], whole: true };
  await t.throwsAsync(engine.removeImage(removal), { code: 'IMAGE_IN_USE', message: /container/ });
  t.is(await idOf(name('held')), imageId);
  await container.remove();
  t.true(await engine.removeImage(removal));
});

engineTest(
  'of several names only those that are given go; a name that has moved is left alone',
  async (t, testEngine) => {
    const { docker, name, idOf } = await bench(t, testEngine, testEngine);
    const engine = new DockerEngine({ host: testEngine.host });
    const { imageId } = await engine.pull(name('twice'), CALM);
    await docker.getImage(imageId).tag({ repo: name('mine').slice(0, -2), tag: '1' });
    const whole = { imageId, tags: [name('twice')], whole: true };
    await t.throwsAsync(engine.removeImage(whole), { code: 'IMAGE_IN_USE', message: /was called .*mine:1 meanwhile/ });
    t.is(await idOf(name('twice')), null);
    t.is(await idOf(name('mine')), imageId);

    const other = await build(docker, name('mine'), 'ENV A=other');
    t.true(await engine.removeImage({ imageId, tags: [name('mine')], whole: true }));
    t.is(await idOf(name('mine')), other, 'the name is on another image by now');
    t.is(await idOf(imageId), null);
  },
);

engineTest('an image that others are made of keeps its layers, and the refusal says why', async (t, testEngine) => {
  const { docker, name, idOf } = await bench(t, testEngine, testEngine);
  const engine = new DockerEngine({ host: testEngine.host });
  const { imageId } = await engine.pull(name('parent'), CALM);
  const container = await docker.createContainer({ Image: name('parent'), Cmd: ['true'] });
  await container.commit({ repo: name('child').slice(0, -2), tag: '1' });
  await container.remove();
  const removal = { imageId, tags: [name('parent')], whole: true };
  await t.throwsAsync(engine.removeImage(removal), { code: 'IMAGE_IN_USE', message: /child/ });
  t.is(await idOf(imageId), imageId);
  await docker.getImage(name('child')).remove();
});

type Removal = Extract<EventRow, { type: 'ImageRemoved' }>;

async function removals(muster: RunningMuster): Promise<readonly Removal[]> {
  const { body } = await muster.request('GET', '/agents/this-machine/events?limit=200');
  return (body as { readonly events: readonly EventRow[] }).events.filter(
    (event): event is Removal => event.type === 'ImageRemoved',
  );
}

/** A session of the image ran and is over, so the agent has pulled it. */
async function runOnce(muster: RunningMuster, imageId: string, reference: string): Promise<void> {
  const image = { name: imageId, reference, cores: 1, memory: '64MiB', command: ['/bin/sleep', '600'] };
  await muster.request('PUT', `/images/${imageId}`, image);
  const { body } = await muster.request('POST', '/sessions', { imageId });
  const { sessionId } = (body as StartAnswer).session;
  await muster.untilSession(sessionId, ({ phase }) => phase === 'running');
  await muster.request('DELETE', `/sessions/${sessionId}`, {});
  await muster.untilSession(sessionId, ({ phase }) => phase === 'ended');
}

serialEngineTest(
  'an agent removes what it pulled and nobody needs, tells it once whoever is killed, and touches nothing else',
  async (t, engine) => {
    const folder = await temporaryFolder(t);
    const proxy = await engineProxy(t, engine, folder);
    const { docker, name, idOf } = await bench(t, engine, engine);
    const env = {
      MUSTER_CHECKIN_SECONDS: '1',
      MUSTER_PRUNE_GRACE_MINUTES: '0',
      MUSTER_ALLOWED_REGISTRIES: name('x').split('/')[0],
    };
    const muster = await startMuster(t, { engineHost: proxy.host, env, dataDir: join(folder, 'data') });
    await until(
      'the agent online',
      () => muster.agents(),
      ([agent]) => agent?.connectivity === 'online',
    );
    for (const each of ['ours', 'held', 'twice']) await runOnce(muster, each, name(each));
    const [ours, held, twice] = [await idOf(name('ours')), await idOf(name('held')), await idOf(name('twice'))];
    const own = await build(docker, name('ours'), 'ENV A=first');
    const ownNow = await build(docker, name('ours'), 'ENV A=second');
    t.is(await idOf(own), own, 'an image of his own without any name');

    const { reached } = proxy.hold({ call: 'remove the image', moment: 'after' });
    await muster.request('PATCH', '/agents/this-machine', { pruneMode: 'normal' });
    await reached;
    const killed = await muster.pidOf('agent/main.ts');
    process.kill(await muster.pidOf('gateway/main.ts'), 'SIGKILL');
    process.kill(killed, 'SIGKILL');
    const told = await until(
      'the removal in the log',
      () => removals(muster).catch(() => []),
      ({ length }) => length > 0,
    );
    t.like(told[0]?.data, { imageId: ours, references: [name('ours')], mode: 'normal', asker: null });
    t.true((told[0]?.data.freedBytes ?? 0) > 100_000);
    t.is(await idOf(ours ?? ''), null);

    const container = await docker.createContainer({ Image: name('held'), Cmd: ['true'] });
    await docker.getImage(twice ?? '').tag({ repo: name('mine').slice(0, -2), tag: '1' });
    for (const each of ['ours', 'held', 'twice']) await muster.request('DELETE', `/images/${each}`, {});
    const preview = await until(
      'the agent back',
      () => muster.request('GET', '/agents/this-machine/prune?mode=aggressive'),
      ({ status }) => status === 200,
    );
    const whyOf = (report: unknown, imageId: string | null) => {
      const row = (report as PruneReport).images.find((each) => each.imageId === imageId);
      return [row?.verdict, row?.outcome, row?.why];
    };
    t.deepEqual(whyOf(preview.body, held), ['keep', null, 'a container uses it']);
    const stays = `no image definition names it; somebody else calls it ${name('mine')}, so it stays`;
    t.deepEqual(whyOf(preview.body, twice), ['remove', null, stays]);
    for (const imageId of [own, ownNow])
      t.deepEqual(whyOf(preview.body, imageId), ['keep', null, 'Muster did not pull it']);

    await muster.request('PATCH', '/agents/this-machine', { pruneMode: 'aggressive' });
    await until(
      'the name taken away',
      () => idOf(name('twice')),
      (imageId) => imageId === null,
    );
    t.is(await idOf(name('mine')), twice);
    t.is(await idOf(name('held')), held);

    await container.remove();
    const body = { mode: 'aggressive', reason: 'the disk is full' };
    const pruned = await muster.request('POST', '/agents/this-machine/prune', body);
    t.deepEqual(whyOf(pruned.body, held), ['remove', 'removed', 'no image definition names it']);
    t.is(await idOf(held ?? ''), null);
    for (const imageId of [own, ownNow]) t.is(await idOf(imageId), imageId);

    const all = await until(
      'all of it in the log',
      () => removals(muster),
      ({ length }) => length >= 3,
    );
    t.deepEqual(
      all.map(({ data }) => [data.imageId, data.freedBytes > 0, data.asker?.reason ?? null]),
      [
        [held, true, 'the disk is full'],
        [twice, false, null],
        [ours, true, null],
      ],
    );
    await docker.getImage(own).remove({ force: true });
  },
);
