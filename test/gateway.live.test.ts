import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Core } from '../gateway/core/core.ts';
import { LiveHub } from '../gateway/live/hub.ts';
import { RecentChanges } from '../gateway/live/recentChanges.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import type { LiveStream } from '../gateway/live/stream.ts';
import type { ObservedSession } from '../domain/checkIn.ts';
import type { ImageDefinition } from '../domain/images/image.ts';
import type { AgentView, ChangeView, FleetTotals, ImageView, SessionView } from '../projections/views.ts';
import { anImage } from './support/builders.ts';
import { ADMIN_KEY, startGateway } from './support/gateway.ts';
import { memoryCorePorts } from './support/corePorts.ts';
import { codeOf, LOCAL_KEY, memoryApp } from './support/memoryApp.ts';
import { manualClock } from './support/manualClock.ts';
import { openStream } from './support/sse.ts';
import { until } from './support/until.ts';

interface Snapshot {
  readonly agents: readonly AgentView[];
  readonly sessions: readonly SessionView[];
  readonly images: readonly ImageView[];
  readonly totals: FleetTotals;
  readonly changes: readonly ChangeView[];
  readonly position: Readonly<Record<string, string>>;
  readonly serverTime: string;
}
interface Patch extends Partial<Snapshot> {
  readonly removedAgents?: readonly string[];
  readonly removedImages?: readonly string[];
  readonly zones?: readonly object[];
  readonly more?: { readonly agents: number; readonly sessions: number };
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

test('the totals of the fleet and what changed in it come with the snapshot, and again when they are others', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  const first = await openStream(`${muster.url}/api/v1/live?view=fleet`);
  t.teardown(() => first.close());
  const snapshot = (await first.next()).data as Snapshot;
  t.deepEqual([snapshot.totals.capacity.millicores, snapshot.totals.allocated.millicores], [6000, 0]);
  t.is(snapshot.totals.connectivity.online, 1);
  t.deepEqual(
    snapshot.changes.slice(0, 1).map(({ about, words }) => [about?.id, words]),
    [['one', 'was defined']],
  );

  await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  const running = await first.until(({ data }) => (data as Patch).totals?.sessions.running === 1);
  t.deepEqual((running.data as Patch).totals?.allocated, { millicores: 1000, memoryBytes: 1024 ** 3, gpus: 0 });
  await muster.request('POST', '/agents/six/disable', { body: { reason: 'kernel update' } });
  const disabled = await first.until(({ data }) => (data as Patch).changes !== undefined);
  t.like((disabled.data as Patch).changes?.[0], { words: 'was disabled', reason: 'kernel update' });

  const second = await openStream(`${muster.url}/api/v1/live?view=fleet`);
  t.teardown(() => second.close());
  const later = (await second.next()).data as Snapshot;
  t.is(later.totals.sessions.running, 1);
  t.deepEqual(later.totals.closed, { millicores: 6000, memoryBytes: 6 * 1024 ** 3, gpus: 0, agents: 1 });
  t.is(later.changes.length, snapshot.changes.length + 1);
});

test('a gateway that starts anew still tells what changed last', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.request('POST', '/agents/six/disable', { body: {} });
  await muster.gateway.stop();
  const again = await startGateway(t, { nats: muster.nats, dataDir: muster.dataDir });
  const changes = await until(
    'what changed is recalled',
    async () => {
      const stream = await openStream(`${again.url}/api/v1/live?view=fleet`);
      const { data } = await stream.next();
      await stream.close();
      return (data as Snapshot).changes;
    },
    (all) =>
      all.some(({ words }) => words.startsWith('was approved')) && all.some(({ words }) => words === 'was disabled'),
  );
  t.is(changes[0]?.words, 'was disabled');
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

test('a stopping gateway waits for no connection on which nothing was asked yet', async (t) => {
  const muster = await startGateway(t);
  const silent = await connected(t, muster.url);
  const closed = once(silent, 'close');
  const before = performance.now();
  await muster.gateway.stop();
  await closed;
  t.true(performance.now() - before < 4_000);
});

test('a stopping gateway does not wait for ever for a request that stands still', async (t) => {
  const muster = await startGateway(t);
  const halting = await connected(t, muster.url);
  const closed = once(halting, 'close');
  const head = [
    'PUT /api/v1/images/one HTTP/1.1',
    `host: ${new URL(muster.url).host}`,
    `authorization: Bearer ${ADMIN_KEY}`,
  ];
  halting.write(
    [...head, 'content-type: application/json', 'content-length: 9', 'expect: 100-continue', '', ''].join('\r\n'),
  );
  // It says so once it has begun to look at the request, whose body never comes.
  t.regex(String((await once(halting, 'data'))[0]), /^HTTP\/1.1 100 /);
  const before = performance.now();
  await muster.gateway.stop();
  await closed;
  t.true(performance.now() - before < 20_000);
});

async function connected(t: ExecutionContext, url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

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

test('a client that cannot keep up gets no pile of patches, but what it missed in one when it can', async (t) => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const core = new Core(memoryCorePorts(clock, (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`)));
  await core.start();
  t.teardown(() => core.stop());
  const hub = new LiveHub(core, clock, new RecentChanges());
  const sent: string[] = [];
  const client = { slow: false };
  const data: string[] = [];
  hub.follow(fakeStream(sent, client, data));
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
  await until(
    'what it missed',
    async () => sent.length,
    (length) => length === 3,
  );
  await define('four');
  t.deepEqual(sent, ['snapshot', 'patch', 'patch', 'patch']);
  const missed: Patch = JSON.parse(data[2] ?? '');
  t.deepEqual(
    missed.images?.map(({ imageId }) => imageId),
    ['two', 'three'],
  );
  t.truthy(missed.zones);
});

test('a large fleet arrives in pieces, the first with the snapshot, and in between it goes on', async (t) => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const core = new Core(memoryCorePorts(clock, (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`)));
  await core.start();
  t.teardown(() => core.stop());
  const actor = { kind: 'operator', id: 'admin' } as const;
  const enrol = async (agentId: string) => {
    const about = { agentId, hostname: agentId, simulated: false, fingerprint: null, expected: false };
    await core.fleet.submit({ key: agentId, recorded: false, actor, command: { type: 'EnrolAgent', ...about } });
  };
  for (const agentId of ['a', 'b', 'c', 'd', 'e']) await enrol(agentId);
  const hub = new LiveHub(core, clock, new RecentChanges(), 2);
  hub.tick();
  const data: string[] = [];
  hub.follow(fakeStream([], { slow: false }, data));
  await enrol('f');
  hub.tick();
  const command = { type: 'RemoveAgent', agentId: 'e', left: null } as const;
  await core.fleet.submit({ key: 'remove', recorded: false, actor, command });
  const parsed = (): readonly Patch[] => data.map((text): Patch => JSON.parse(text));
  await until(
    'all of it',
    async () => parsed(),
    (events) => events.some(({ more }) => more?.agents === 0),
  );
  hub.tick();
  const known = new Set<string>();
  for (const { agents = [], removedAgents = [] } of parsed()) {
    t.true(agents.length <= 2);
    for (const { agentId } of agents) known.add(agentId);
    for (const agentId of removedAgents) known.delete(agentId);
  }
  t.deepEqual([...known].toSorted(), ['a', 'b', 'c', 'd', 'f']);
  t.deepEqual(parsed()[0]?.more, { agents: 3, sessions: 0 });
});

test('an agent that is removed is told once, and is in no later patch', async (t) => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const core = new Core(memoryCorePorts(clock, (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`)));
  await core.start();
  t.teardown(() => core.stop());
  const hub = new LiveHub(core, clock, new RecentChanges());
  const data: string[] = [];
  hub.follow(fakeStream([], { slow: false }, data));
  const actor = { kind: 'operator', id: 'admin' } as const;
  const about = { agentId: 'one', hostname: 'host-1', simulated: false, fingerprint: null, expected: false };
  await core.fleet.submit({ key: 'enrol', recorded: false, actor, command: { type: 'EnrolAgent', ...about } });
  hub.tick();
  const remove = { type: 'RemoveAgent', agentId: 'one', left: null } as const;
  await core.fleet.submit({ key: 'remove', recorded: false, actor, command: remove });
  hub.tick();
  hub.tick();
  const patches = data.slice(1).map((text): Patch => JSON.parse(text));
  t.deepEqual(
    patches.map(({ agents = [], removedAgents = [] }) => [agents.map(({ intent }) => intent), removedAgents]),
    [
      [['pending'], []],
      [[], ['one']],
    ],
  );
});

function fakeStream(sent: string[], client: { readonly slow: boolean }, data: string[] = []): LiveStream {
  return {
    send(event, text) {
      data.push(text);
      return sent.push(event) > 0;
    },
    heartbeat: () => undefined,
    get isSlow() {
      return client.slow;
    },
    whenDrained: async () =>
      void (await until(
        'room',
        async () => client.slow,
        (slow) => !slow,
      )),
    ended: new AbortController().signal,
    end: () => undefined,
  };
}

function imageOf(imageId: string): ImageDefinition {
  return { ...anImage({ imageId }), name: imageId };
}

test('one caller has so many live streams and no more, and keeps out nobody else', async (t) => {
  const muster = await memoryApp(t);
  const [anna, other] = [
    { kind: 'operator', id: 'admin' },
    { kind: 'automation', id: 'admin' },
  ] as const;
  const { live } = muster.edge;
  for (let open = 0; open < 50; open += 1) {
    t.true(live.hasRoomFor(anna));
    live.keep(fakeStream([], { slow: false }), { actor: anna, stands: () => true });
  }
  t.deepEqual(codeOf(await muster.ask('GET', '/live', { key: LOCAL_KEY })), [503, 'BUSY']);
  t.true(live.hasRoomFor(other));
  for (let open = 0; open < 150; open += 1) {
    live.keep(fakeStream([], { slow: false }), { actor: { ...other, id: `k-${open}` }, stands: () => true });
  }
  t.false(live.hasRoomFor(other), 'of all together there are 200');
});
