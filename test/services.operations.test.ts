import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import type { FastifyInstance } from 'fastify';
import type { Zone } from '../gateway/core/zone.ts';
import { askedInside, askInside } from '../gateway/http/inside.ts';
import { limitedAs } from '../gateway/http/rateLimits.ts';
import { Answers } from '../gateway/services/answers.ts';
import { operationsOf, type OwnOperation } from '../gateway/services/operations.ts';
import { openServices, ownOperations } from '../gateway/services/services.ts';
import { UnderWay } from '../gateway/underWay.ts';
import { commandSubject, isInboxOf, querySubject, requestPlace } from '../infra/names.ts';
import { LOCAL_KEY, memoryApp, type MemoryApp } from './support/memoryApp.ts';
import { startNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** What there is on the bus, who may ask for it, and of which zone. */

const FEED: OwnOperation = {
  bus: { kind: 'query', name: 'feed' },
  role: 'viewer',
  summary: 'Stands for the feed, which needs a bus',
  answer: async (fields) => fields,
};

/** Everything that is on the bus, by the least role that may ask for it. What is not in this table fails the test. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  viewer: [
    'query agent',
    'query agentEvents',
    'query agents',
    'query capacity',
    'query events',
    'query feed',
    'query host',
    'query image',
    'query images',
    'query logs',
    'query placement',
    'query session',
    'query sessionEvents',
    'query sessions',
    'query utilization',
    'query verification',
    'query zones',
  ],
  operator: [
    'command zone DeclareAgentLost',
    'command zone PruneImages',
    'command zone RequestSession',
    'command zone SetAgentSettings',
    'command zone StopSession',
    'query plan',
    'query prune',
  ],
  admin: [
    'command fleet ApproveAgent',
    'command fleet DefineImage',
    'command fleet RetireImage',
    'command log SealLog',
  ],
};

const ROLES = ['viewer', 'operator', 'admin'];
const rows = Object.entries(TABLE).flatMap(([needed, names]) => names.map((name) => ({ name, needed })));

interface Answer {
  readonly status: number;
  readonly code: string | null;
  readonly body: unknown;
}

/** Asks as the bus would: by subject, for a key of the role. */
async function callers(muster: MemoryApp) {
  const operations = operationsOf(muster.app.allRoutes, [FEED]);
  const answers = new Answers({ app: muster.app, edge: muster.edge, operations });
  const keys = new Map<string, string>();
  for (const role of ROLES) {
    const { key } = await muster.admin<{ readonly key: { readonly keyId: string } }>('POST', '/keys', {
      name: role,
      role,
    });
    keys.set(role, key.keyId);
  }
  const ask = async (subject: string, fields: object): Promise<Answer> => {
    const place = requestPlace(subject);
    if (place === null) throw new Error(`${subject} is no subject of a request`);
    const data = Buffer.from(JSON.stringify(fields));
    const { text, headers } = await answers.answer({ place, data, header: () => undefined });
    const status = Number(headers['Nats-Service-Error-Code'] ?? 200);
    return { status, code: headers['Nats-Service-Error'] ?? null, body: JSON.parse(text) };
  };
  return { operations, ask, keyOf: (role: string) => keys.get(role) ?? '' };
}

/** A target that there is, for each kind of command. */
function subjectOf(name: string, keyId: string): string {
  const [kind, ...rest] = name.split(' ');
  if (kind === 'query') return querySubject(keyId, rest[0] ?? '');
  return commandSubject(keyId, rest[0] === 'fleet' ? 'fleet' : 'default', rest[1] ?? '');
}

test('the bus has exactly what this table has, and nothing of people, keys and sign-in', async (t) => {
  const { app, core } = await memoryApp(t);
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const operations = operationsOf(app.allRoutes, ownOperations(await nats.connect('app'), core));
  const found = [...operations.command.values(), ...operations.query.values()].map(({ bus, role }) => {
    return bus.kind === 'query' ? `${role} query ${bus.name}` : `${role} command ${bus.target} ${bus.name}`;
  });
  t.deepEqual(found.toSorted(), rows.map(({ name, needed }) => `${needed} ${name}`).toSorted());
});

test('each operation is for exactly those whose role is enough, and a viewer changes nothing', async (t) => {
  const muster = await memoryApp(t);
  const { ask, keyOf } = await callers(muster);
  const wrong: string[] = [];
  for (const { name, needed } of rows) {
    for (const role of ROLES) {
      const { status, code } = await ask(subjectOf(name, keyOf(role)), {});
      const isIn = ROLES.indexOf(role) >= ROLES.indexOf(needed);
      const asWanted = isIn ? status < 500 && status !== 403 && status !== 401 : code === 'ROLE_NEEDED';
      if (!asWanted) wrong.push(`${name} ${role}: ${status} ${code ?? ''}`);
    }
  }
  t.deepEqual(wrong, []);
});

test('the API document says where each operation is on the bus', async (t) => {
  const muster = await memoryApp(t);
  const { operations } = await callers(muster);
  const { paths } = await muster.admin<{
    readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  }>('GET', '//openapi.json');
  t.is(paths['/api/v1/sessions']?.['post']?.['x-muster-subject'], 'muster.cmd.{keyId}.{zone}.RequestSession');
  t.is(paths['/api/v1/images/{imageId}']?.['put']?.['x-muster-subject'], 'muster.cmd.{keyId}.fleet.DefineImage');
  t.is(paths['/api/v1/logs/{log}/seal']?.['post']?.['x-muster-subject'], 'muster.cmd.{keyId}.{zone or fleet}.SealLog');
  t.is(paths['/api/v1/agents']?.['get']?.['x-muster-subject'], 'muster.query.{keyId}.agents');
  t.is(paths['/api/v1/keys']?.['post']?.['x-muster-subject'], undefined);
  const said = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map((each) => each['x-muster-subject']),
  );
  const all = operations.command.size + operations.query.size;
  t.is(said.filter((subject) => subject !== undefined).length, all - 1, 'the feed is on the bus alone');
});

test('an agent or a session of another zone is unknown there, and nothing happens to it', async (t) => {
  const muster = await memoryApp(t);
  const { ask, keyOf } = await callers(muster);
  const admin = keyOf('admin');
  await muster.admin('PUT', '/images/one', { name: 'one', reference: 'busybox', cores: 1, memory: '1GiB' });
  const { core } = muster;
  const actor = { kind: 'system', id: 'muster' } as const;
  const agent = { agentId: 'six', hostname: 'six', simulated: false, fingerprint: null, expected: false };
  await core.fleet.submit({ key: 'enrol', recorded: false, actor, command: { type: 'EnrolAgent', ...agent } });
  await ask(commandSubject(admin, 'fleet', 'ApproveAgent'), { agentId: 'six' });
  const started = await ask(commandSubject(admin, 'default', 'RequestSession'), { imageId: 'one' });
  const { session } = started.body as { readonly session: { readonly sessionId: string } };
  // There is one zone so far. Another one, by its name at least.
  const [zone] = core.zones.values();
  if (zone === undefined) throw new Error('there is no zone');
  const other: Zone = { ...zone, projection: Object.assign(Object.create(zone.projection), { log: 'zone-other' }) };
  (core.zones as Map<string, Zone>).set('other', other);
  t.teardown(() => (core.zones as Map<string, Zone>).delete('other'));
  const before = await muster.admin('GET', '/events?limit=1000');
  const settings = await ask(commandSubject(admin, 'other', 'SetAgentSettings'), { agentId: 'six', enabled: false });
  t.deepEqual([settings.status, settings.code], [404, 'AGENT_UNKNOWN']);
  const stop = await ask(commandSubject(admin, 'other', 'StopSession'), { sessionId: session.sessionId });
  t.deepEqual([stop.status, stop.code], [404, 'SESSION_UNKNOWN']);
  t.deepEqual(await muster.admin('GET', '/events?limit=1000'), before);
  const right = await ask(commandSubject(admin, 'default', 'SetAgentSettings'), { agentId: 'six', enabled: false });
  t.is(right.status, 200);
});

test('while bus or event store are away a command is refused as by REST, and queries are answered', async (t) => {
  const muster = await memoryApp(t);
  const { ask, keyOf } = await callers(muster);
  Object.assign(muster.edge, { notReady: () => 'the event store is away' });
  const image = { imageId: 'one', name: 'one', reference: 'busybox', cores: 1, memory: '1GiB' };
  const refused = await ask(commandSubject(keyOf('admin'), 'fleet', 'DefineImage'), image);
  t.deepEqual([refused.status, refused.code], [503, 'UNAVAILABLE']);
  t.is((await ask(querySubject(keyOf('viewer'), 'images'), {})).status, 200);
});

test('an expired key is refused, and a key whose role is another asks with that role', async (t) => {
  const muster = await memoryApp(t);
  const { ask } = await callers(muster);
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const post = { name: 'soon', role: 'viewer', expiresAt };
  const { key } = await muster.admin<{ readonly key: { readonly keyId: string } }>('POST', '/keys', post);
  t.is((await ask(querySubject(key.keyId, 'agents'), {})).status, 200);
  muster.jump(120_000);
  t.deepEqual(await code(ask(querySubject(key.keyId, 'agents'), {})), [401, 'KEY_WRONG']);
  t.deepEqual(await code(ask(querySubject('nobody', 'agents'), {})), [401, 'KEY_WRONG']);
});

async function code(answering: Promise<Answer>): Promise<readonly [number, string | null]> {
  const { status, code: found } = await answering;
  return [status, found];
}

test('what goes wrong inside is told by its incident alone, and the log has the whole of it', async (t) => {
  const lines: string[] = [];
  const muster = await memoryApp(t, lines);
  const broken: OwnOperation = {
    ...FEED,
    answer: async () => {
      throw new Error('a defect of the test');
    },
  };
  const answers = new Answers({ app: muster.app, edge: muster.edge, operations: operationsOf([], [broken]) });
  const { key } = await muster.admin<{ readonly key: { readonly keyId: string } }>('POST', '/keys', KEY);
  const place = { kind: 'query', callerId: key.keyId, asked: ['feed'] } as const;
  const { text } = await answers.answer({ place, data: new Uint8Array(), header: () => undefined });
  const { code: said, incident } = JSON.parse(text) as { readonly code: string; readonly incident: string };
  t.is(said, 'INTERNAL');
  t.false(text.includes('defect'));
  t.true(lines.some((line) => line.includes(incident) && line.includes('a defect of the test')));
});

const KEY = { name: 'jobs', role: 'viewer' };

test('two operations cannot have one name, and one on the bus says its role', async (t) => {
  t.throws(() => operationsOf([], [FEED, FEED]), { message: /feed/ });
  const handler = () => 'x';
  const silent = {
    method: 'GET',
    url: '/silent',
    handler,
    config: { bus: { kind: 'query', name: 'silent' } },
  } as const;
  t.throws(() => operationsOf([silent], []), { message: /\/silent/ });
});

test('nobody over a connection reaches a route as the bus does', async (t) => {
  const muster = await memoryApp(t);
  const { ask, keyOf } = await callers(muster);
  // While a request of the bus is under way, others must still show who they are.
  const [onBus, without] = await Promise.all([
    ask(querySubject(keyOf('viewer'), 'agents'), {}),
    muster.ask('GET', '/agents'),
  ]);
  t.deepEqual([onBus.status, without.status], [200, 401]);
  t.is((await muster.ask('GET', '/agents', { key: LOCAL_KEY })).status, 200);
});

test('what this process asks reaches the route that was meant and no other, whatever the address', async (t) => {
  const { app } = await memoryApp(t);
  const bus = app.allRoutes.find(({ url }) => url === '/api/v1/agents')?.config?.bus;
  if (bus === undefined) throw new Error('the list of agents is not on the bus');
  const actor = { kind: 'operator', id: 'admin' } as const;
  const caller = { actor, role: 'admin', by: 'bus', expiresAt: null, sessionId: null } as const;
  const status = async (url: string) => (await askInside(app, { caller, bus }, { method: 'GET', url })).statusCode;
  t.is(await status('/api/v1/agents'), 200);
  for (const url of ['/api/v1/keys', '/api/v1/people', '/api/v1/images', '/metrics', '/api/v1/nothing', '/']) {
    t.is(await status(url), 404, url);
  }
});

test('what comes over a connection shows who it is, even where it is served while this process asks', async (t) => {
  const { app } = await memoryApp(t);
  const bus = { kind: 'query', name: 'agents' } as const;
  const actor = { kind: 'automation', id: 'abc' } as const;
  const caller = { actor, role: 'admin', by: 'bus', expiresAt: null, sessionId: null } as const;
  const statuses: number[] = [];
  const server = createServer((request, response) => {
    statuses.push(askedInside({ raw: request }) === null ? 401 : 200);
    response.end();
  });
  t.teardown(() => server.close());
  const overConnection = async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/`);
    return await app.inject('/healthz');
  };
  await askInside({ ...app, inject: overConnection } as unknown as FastifyInstance, { caller, bus }, {});
  t.deepEqual(statuses, [401]);
});

test('so many requests are under way at a time, so many of one caller, and idle is when none is left', async (t) => {
  const underWay = new UnderWay({ all: 3, perCaller: 2 });
  const ends = [underWay.begin('a'), underWay.begin('a')];
  t.is(underWay.begin('a'), null);
  ends.push(underWay.begin('b'));
  t.is(underWay.begin('c'), null, 'three of all');
  ends.shift()?.();
  ends.push(underWay.begin('a'));
  t.is(underWay.begin('b'), null);
  let isIdle = false;
  const idle = underWay.idle().then(() => {
    isIdle = true;
  });
  for (const end of ends) {
    t.false(isIdle);
    end?.();
  }
  await idle;
  await underWay.idle();
  t.truthy(underWay.begin('a'));
});

test('an inbox of somebody else is told once for each key', async (t) => {
  const muster = await memoryApp(t);
  const { keyOf } = await callers(muster);
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const troubles: string[] = [];
  const onTrouble = (sentence: string) => void troubles.push(sentence);
  const { app, edge } = muster;
  const stop = await openServices({ bus: await nats.connect('app'), app, edge, onTrouble });
  t.teardown(stop);
  const { connection } = await nats.connect('app');
  for (const role of ['viewer', 'admin', 'viewer', 'admin', 'viewer']) {
    connection.publish(querySubject(keyOf(role), 'agents'), '', { reply: '_INBOX_somebody.1' });
  }
  await until(
    'both told',
    async () => troubles,
    ({ length }) => length >= 2,
  );
  const counted = async () => (await muster.ask('GET', '//metrics', { key: LOCAL_KEY })).text;
  await until('all counted', counted, (text) => text.includes('muster_bus_requests_total{outcome="inbox-refused"} 5'));
  t.is(troubles.length, 2);
  t.regex(troubles[0] ?? '', new RegExp(`key ${keyOf('viewer')} .*_INBOX_${keyOf('viewer')}\\.`));
});

test('rate limits count a program on the bus by its key, and everybody else by where they are', (t) => {
  const held = { actor: { kind: 'automation', id: 'abc' }, role: 'viewer', expiresAt: null, sessionId: null } as const;
  t.is(limitedAs({ ip: '127.0.0.1', caller: { ...held, by: 'bus' } }), 'key abc');
  t.is(limitedAs({ ip: '10.0.0.7', caller: { ...held, by: 'key' } }), '10.0.0.7');
  t.is(limitedAs({ ip: '10.0.0.7', caller: null }), '10.0.0.7');
});

test('subjects and inboxes belong to one caller', (t) => {
  t.deepEqual(requestPlace('muster.cmd.abc.default.RequestSession'), {
    kind: 'command',
    callerId: 'abc',
    asked: ['default', 'RequestSession'],
  });
  t.deepEqual(requestPlace('muster.query.abc.agents'), { kind: 'query', callerId: 'abc', asked: ['agents'] });
  for (const subject of [
    'muster.cmd',
    'muster.cmd..x',
    'muster.event.abc.x',
    'other.cmd.abc.x',
    'muster.cmd.a*c.x.Y',
  ]) {
    t.is(requestPlace(subject), null, subject);
  }
  t.true(isInboxOf('abc', '_INBOX_abc.1.2'));
  for (const reply of ['', '_INBOX_abc', '_INBOX_abcd.1', '_INBOX.abc.1', ' _INBOX_abc.1'])
    t.false(isInboxOf('abc', reply));
  t.throws(() => commandSubject('a.b', 'default', 'X'), { instanceOf: RangeError });
  t.throws(() => querySubject('a', '>'), { instanceOf: RangeError });
});
