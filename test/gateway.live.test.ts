import test from 'ava';
import { Core } from '../gateway/core/core.ts';
import { LiveHub } from '../gateway/live/hub.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import type { LiveStream } from '../gateway/live/stream.ts';
import type { ObservedSession } from '../domain/checkIn.ts';
import type { ImageDefinition } from '../domain/images/image.ts';
import type { AgentView, ImageView, SessionView } from '../projections/views.ts';
import { startGateway } from './support/gateway.ts';
import { memoryCorePorts } from './support/corePorts.ts';
import { manualClock } from './support/manualClock.ts';
import { openStream } from './support/sse.ts';
import { until } from './support/until.ts';

interface Snapshot {
  readonly agents: readonly AgentView[];
  readonly sessions: readonly SessionView[];
  readonly images: readonly ImageView[];
  readonly position: Readonly<Record<string, string>>;
  readonly serverTime: string;
}
interface Patch extends Partial<Snapshot> {
  readonly removedImages?: readonly string[];
}

test('the fleet arrives as a snapshot, then every change as whole rows', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  const stream = await openStream(`${muster.url}/api/v1/live?view=fleet`);
  t.teardown(() => stream.close());
  const first = await stream.next();
  const snapshot = first.data as Snapshot;
  t.is(first.event, 'snapshot');
  t.deepEqual(snapshot.agents, await muster.agents());
  t.deepEqual([snapshot.images.length, snapshot.sessions.length], [1, 0]);
  t.regex(snapshot.position['zone-default'] ?? '', /^zone-default:\d+$/);
  t.true(Math.abs(Date.parse(snapshot.serverTime) - Date.now()) < 5000);

  await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  const running = await stream.until(({ data }) => (data as Patch).sessions?.[0]?.phase === 'running');
  t.is(running.event, 'patch');
  t.is((running.data as Patch).sessions?.length, 1);
  await muster.request('DELETE', '/images/one');
  const retired = await stream.until(({ data }) => (data as Patch).removedImages !== undefined);
  t.deepEqual((retired.data as Patch).removedImages, ['one']);
});

test('what a check-in tells of a session changes its row, and is no event', async (t) => {
  const muster = await startGateway(t);
  let told: Partial<ObservedSession> = {};
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6, tells: () => told });
  await muster.defineImage('one');
  const stream = await openStream(`${muster.url}/api/v1/live?view=fleet`);
  t.teardown(() => stream.close());
  await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  await stream.until(({ data }) => (data as Patch).sessions?.[0]?.phase === 'running');
  const before = await muster.events();
  told = { health: 'unhealthy' };
  await agent.refresh();
  const patch = await stream.until(({ data }) => (data as Patch).sessions?.[0]?.health === 'unhealthy');
  t.is((patch.data as Patch).sessions?.[0]?.sentence, 'Running on six, but its health check fails.');
  t.deepEqual((patch.data as Patch).sessions, await muster.sessions());
  t.deepEqual(await muster.events(), before);
});

test('a log is streamed after a position, goes on live, and resumes from the last id', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  const url = `${muster.url}/api/v1/live?view=events&after=zone-default:0`;
  const stream = await openStream(url);
  const seen: EventRow[] = [];
  await stream.until(({ data }) => seen.push(data as EventRow) > 0 && (data as EventRow).type === 'AgentReturned');
  t.deepEqual(seen, await muster.events());
  await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  const placed = await stream.until(({ data }) => (data as EventRow).type === 'SessionPlaced');
  await stream.close();
  await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  const resumed = await openStream(url, { 'last-event-id': placed.id });
  t.teardown(() => resumed.close());
  const next = (await resumed.next()).data as EventRow;
  const all = await muster.events();
  t.deepEqual(next, all[all.findIndex(({ position }) => position === placed.id) + 2]);
});

test('a stopping gateway ends its streams and does not wait for them', async (t) => {
  const muster = await startGateway(t);
  const stream = await openStream(`${muster.url}/api/v1/live`);
  await stream.next();
  await muster.gateway.stop();
  t.true(await stream.ended());
});

test('events are paged oldest first; pages end on positions, and together they are the log', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  for (let count = 0; count < 5; count += 1) await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  await until('all running', muster.sessions, (sessions) => sessions.every(({ phase }) => phase === 'running'));
  const whole = await muster.events();
  const pages: EventRow[] = [];
  let next: string | null = 'zone-default:0';
  while (next !== null) {
    const page: { events: EventRow[]; next: string | null } = await muster.read(`/events?limit=3&after=${next}`);
    pages.push(...page.events);
    next = page.next;
  }
  t.true(whole.length > 10);
  t.deepEqual(pages, [...whole]);
  t.deepEqual(await muster.events('?last=2'), whole.slice(-2));
});

test('a client that cannot keep up gets no pile of patches, but a fresh snapshot when it can', async (t) => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const core = new Core(memoryCorePorts(clock, (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`)));
  await core.start();
  t.teardown(() => core.stop());
  const hub = new LiveHub(core, clock);
  const sent: string[] = [];
  const client = { slow: false };
  hub.follow(fakeStream(sent, client));
  const define = async (imageId: string) => {
    const image = imageOf(imageId);
    const actor = { kind: 'operator', id: 'admin' } as const;
    await core.fleet.submit({
      key: imageId,
      recorded: true,
      actor,
      command: { type: 'DefineImage', image, ifRevision: null },
    });
    hub.tick();
  };
  await define('one');
  client.slow = true;
  await define('two');
  await define('three');
  t.deepEqual(sent, ['snapshot', 'patch']);
  client.slow = false;
  hub.tick();
  await define('four');
  t.deepEqual(sent, ['snapshot', 'patch', 'snapshot', 'patch']);
});

function fakeStream(sent: string[], client: { readonly slow: boolean }): LiveStream {
  return {
    send: (event) => sent.push(event) > 0,
    heartbeat: () => undefined,
    get isSlow() {
      return client.slow;
    },
    whenDrained: () => Promise.resolve(),
    ended: new AbortController().signal,
    end: () => undefined,
  };
}

function imageOf(imageId: string): ImageDefinition {
  return {
    imageId,
    name: imageId,
    revision: 1,
    reference: 'busybox',
    digest: null,
    millicores: 1000,
    memoryBytes: 1024 ** 3,
    cpuMode: 'shares',
    gpu: { kind: 'none' },
    gpuModel: null,
    gpuMemoryBytes: null,
    ports: [],
    shmBytes: null,
    environment: {},
    command: null,
  };
}
