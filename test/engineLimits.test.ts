import test from 'ava';
import { DockerEngine } from '../agent/engine/docker.ts';
import type { Engine } from '../agent/engine/port.ts';
import { specOf } from './support/desired.ts';
import { silentEngine } from './support/silentEngine.ts';
import { until } from './support/until.ts';

const LIMITS = { callMs: 60, startMs: 60, pullSilenceMs: 60, stopExtraMs: 60, removeImageMs: 60 };
/** What a loaded machine may add. */
const SLACK_MS = 5_000;

/** Every call of the port, so that a new one is not forgotten here. */
const CALLS: Readonly<Record<keyof Engine, (engine: Engine) => Promise<unknown>>> = {
  facts: (engine) => engine.facts(),
  list: (engine) => engine.list('log-a'),
  unmanaged: (engine) => engine.unmanaged(),
  images: (engine) => engine.images(),
  imageStock: (engine) => engine.imageStock(),
  removeImage: (engine) => engine.removeImage({ imageId: 'sha256:1', tags: [], whole: true }),
  hasImage: (engine) => engine.hasImage('a:1'),
  pull: (engine) => engine.pull('a:1', { signal: new AbortController().signal, onProgress: () => {} }),
  start: (engine) => engine.start(specOf('s1')),
  stop: (engine) => engine.stop('s1', 0),
  remove: (engine) => engine.remove('s1'),
  stats: (engine) => engine.stats(['s1']),
  output: (engine) =>
    engine.output(
      { logId: 'log-a', sessionId: 's1', tail: 10, after: null, follow: true },
      new AbortController().signal,
    ),
  changes: (engine) => engine.changes(new AbortController().signal)[Symbol.asyncIterator]().next(),
};

for (const [call, ask] of Object.entries(CALLS)) {
  test(`an engine that hangs is given up by ${call} after its time`, async (t) => {
    const { host } = await silentEngine(t);
    const begun = performance.now();
    await t.throwsAsync(ask(new DockerEngine({ host, limits: LIMITS })), { code: 'TIMEOUT' });
    t.true(performance.now() - begun < LIMITS.callMs + SLACK_MS);
  });
}

test('an answer that stops in its middle is given up after its time', async (t) => {
  const { host } = await silentEngine(
    t,
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[',
  );
  const engine = new DockerEngine({ host, limits: LIMITS });
  for (const call of ['facts', 'list', 'unmanaged', 'hasImage', 'pull', 'stats'] as const)
    await t.throwsAsync(CALLS[call](engine), { code: 'TIMEOUT' }, call);
});

test('what the agent asks of a hanging engine again and again leaves no connection open', async (t) => {
  const { host, open } = await silentEngine(t);
  const engine = new DockerEngine({ host, limits: LIMITS });
  for (const call of ['facts', 'list', 'unmanaged', 'stats', 'stop', 'remove', 'pull'] as const)
    await t.throwsAsync(CALLS[call](engine), { code: 'TIMEOUT' });
  t.is(
    await until(
      'their end',
      async () => open(),
      (count) => count === 0,
    ),
    0,
  );
});
