import test, { type ExecutionContext } from 'ava';
import { commandSubject, querySubject } from '../infra/names.ts';
import type { AgentView, SessionView } from '../projections/views.ts';
import { busCaller, unheldCaller, type BusAnswer, type BusCaller } from './support/busCaller.ts';
import { ADMIN_KEY, startGateway, type StartAnswer, type TestGateway } from './support/gateway.ts';
import { until } from './support/until.ts';

/** What programs ask on the bus, on a real one: subjects, inboxes, bounds and the end. */

interface Rig {
  readonly muster: TestGateway;
  readonly caller: BusCaller;
}

/** A gateway with the agent `six` and the image `one`, and a program whose key has the role. */
async function rig(t: ExecutionContext, role = 'admin'): Promise<Rig> {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  return { muster, caller: await busCaller(t, muster.nats.url, muster, role) };
}

const problem = ({ status, code }: BusAnswer) => [status, code];

async function counted(muster: TestGateway, outcome: string): Promise<number> {
  const { body } = await muster.request('GET', `${muster.url}/metrics`);
  const line = new RegExp(`muster_bus_requests_total\\{outcome="${outcome}"\\} (\\d+)`).exec(String(body));
  return Number(line?.[1] ?? 0);
}

test('a program starts and stops a session on the bus as it would by REST, and the log has its key', async (t) => {
  const { muster, caller } = await rig(t);
  const started = await caller.command('default', 'RequestSession', { imageId: 'one', reason: 'nightly' });
  t.deepEqual(problem(started), [200, null]);
  const { session, placement } = started.body as StartAnswer;
  t.like(placement, { decision: 'placed', agentId: 'six' });
  const shown = (await caller.query('session', { sessionId: session.sessionId })).body as SessionView;
  t.is(shown.agentId, 'six');
  t.like(shown.requestedBy, { kind: 'automation', id: caller.keyId });
  const why = await caller.query('placement', { sessionId: session.sessionId });
  t.like(why.body, { decision: 'placed', agentId: 'six', complete: true });
  const stopped = await caller.command('default', 'StopSession', { sessionId: session.sessionId });
  t.is((stopped.body as SessionView).phase, 'stopping');
  const requested = (await muster.events()).find(({ type }) => type === 'SessionRequested');
  t.like(requested, { actor: { kind: 'automation', id: caller.keyId }, reason: 'nightly' });
  t.is(await counted(muster, 'answered'), 4);
});

test('queries answer what REST answers', async (t) => {
  const { muster, caller } = await rig(t);
  await caller.command('default', 'RequestSession', { imageId: 'one' });
  await until('running', muster.sessions, (sessions) => sessions[0]?.phase === 'running');
  for (const [name, fields, path] of [
    ['images', {}, '/images'],
    ['image', { imageId: 'one' }, '/images/one'],
    ['sessions', {}, '/sessions'],
    ['zones', {}, '/zones'],
    ['events', { last: 3 }, '/events?last=3'],
    ['events', { log: 'fleet', limit: 2, after: 'fleet:1' }, '/events?log=fleet&limit=2&after=fleet:1'],
    ['logs', {}, '/logs'],
    ['verification', { log: 'zone-default' }, '/logs/zone-default/verification'],
    ['utilization', { agentId: 'six', hours: 1, step: '10' }, '/agents/six/utilization?hours=1&step=10'],
  ] as const) {
    const answer = await caller.query(name, fields);
    t.deepEqual(problem(answer), [200, null], name);
    if (name === 'utilization') t.like(answer.body, { agentId: 'six', stepSeconds: 10 });
    else t.deepEqual(answer.body, await muster.read(path), name);
  }
  const { agents } = (await caller.query('agents')).body as { readonly agents: readonly AgentView[] };
  t.deepEqual(
    agents.map(({ agentId }) => agentId),
    ['six'],
  );
  const one = await caller.query('agent', { agentId: 'six' });
  t.is(one.header('ETag'), `"${(one.body as AgentView).settingsVersion}"`);
  const plan = await caller.query('plan', { imageId: 'one' });
  t.like(plan.body, { decision: 'placed', agentId: 'six' });
});

test('agents, images and logs are set up on the bus, with the conditions of REST', async (t) => {
  const { muster, caller } = await rig(t);
  const set = await caller.command('default', 'SetAgentSettings', { agentId: 'six', coresOverride: 8, enabled: false });
  t.like(set.body, { agent: { intent: 'disabled', coresOverride: { value: 8000 } } });
  const labels = { gpu: 'l40' };
  const labelled = await caller.command('default', 'SetAgentSettings', { agentId: 'six', labels, pruneMode: 'normal' });
  t.like(labelled.body, { agent: { labels, pruneMode: 'normal' } });
  const fields = { agentId: 'six', enabled: true };
  const stale = await caller.command('default', 'SetAgentSettings', fields, { 'If-Match': '"1"' });
  t.deepEqual(problem(stale), [412, 'STALE']);
  const image = { imageId: 'two', name: 'Two', reference: 'busybox', cores: 1, memory: '1GiB' };
  t.like((await caller.command('fleet', 'DefineImage', image)).body, { imageId: 'two', revision: 1 });
  const retired = await caller.command('fleet', 'RetireImage', { imageId: 'two' });
  t.deepEqual([retired.status, retired.body], [200, {}]);
  const lost = await caller.command('default', 'DeclareAgentLost', { agentId: 'six', reason: 'it burnt down' });
  t.deepEqual(problem(lost), [409, 'AGENT_NOT_MISSING']);
  t.like((await caller.command('fleet', 'ApproveAgent', { agentId: 'six' })).body, { agentId: 'six', zone: 'default' });
  t.deepEqual(problem(await caller.command('fleet', 'ApproveAgent', { agentId: 'none' })), [404, 'AGENT_UNKNOWN']);
  const sealed = await caller.command('default', 'SealLog', { reason: 'a year is over' });
  t.like(sealed.body, { log: 'zone-default', epoch: 1 });
  t.like((await caller.command('fleet', 'SealLog', { reason: 'a year is over' })).body, { log: 'fleet', epoch: 1 });
  t.is((await muster.agent('six')).intent, 'disabled');
});

test('a repeated key gets the first answer, on the bus and by REST alike; another request under it is refused', async (t) => {
  const { muster, caller } = await rig(t);
  const said = { 'idempotency-key': 'night-1' };
  const first = await caller.command('default', 'RequestSession', { imageId: 'one' }, { 'Idempotency-Key': 'night-1' });
  const again = await caller.command('default', 'RequestSession', { imageId: 'one' }, said);
  t.is(first.header('Idempotency-Replayed'), undefined);
  t.is(again.header('Idempotency-Replayed'), 'true');
  const idOf = ({ body }: BusAnswer) => (body as StartAnswer).session.sessionId;
  t.is(idOf(again), idOf(first));
  const other = await caller.command('default', 'RequestSession', { imageId: 'one', priority: 1 }, said);
  t.deepEqual(problem(other), [409, 'KEY_REUSED']);
  t.is((await muster.sessions()).length, 1);
  const bad = await caller.command('default', 'RequestSession', { imageId: 'one' }, { 'Idempotency-Key': 'two words' });
  t.deepEqual(problem(bad), [400, 'INVALID_REQUEST']);
});

test('what asks for its answer elsewhere than in its own inboxes is neither carried out nor answered', async (t) => {
  const { muster } = await rig(t);
  const caller = await unheldCaller(t, muster.nats.url, muster, 'admin');
  const { connection, keyId } = caller;
  const stray = connection.subscribe('>');
  const subject = commandSubject(keyId, 'default', 'RequestSession');
  const body = JSON.stringify({ imageId: 'one' });
  const replies = [
    '',
    '_INBOX.abc',
    `_INBOX_${keyId}`,
    `_INBOX_${keyId}x.1`,
    '_INBOX_another.1',
    'muster.feed.default.x.y',
  ];
  for (const reply of replies) connection.publish(subject, body, reply === '' ? {} : { reply });
  connection.publish('muster.cmd.no*id.default.RequestSession', body, { reply: `_INBOX_${keyId}.1` });
  const count = await until(
    'all dropped',
    () => counted(muster, 'inbox-refused'),
    (value) => value >= replies.length + 1,
  );
  t.is(count, replies.length + 1);
  await caller.query('zones');
  t.deepEqual(await muster.sessions(), []);
  stray.unsubscribe();
  for await (const { subject: heard } of stray) t.false(replies.includes(heard), heard);
});

test('a key that was revoked or never was is told so with its next request', async (t) => {
  const { muster } = await rig(t);
  const caller = await unheldCaller(t, muster.nats.url, muster, 'admin');
  t.is((await caller.query('zones')).status, 200);
  await muster.request('DELETE', `/keys/${caller.keyId}`, { body: { reason: 'a test' } });
  const refused = await caller.query('zones');
  t.deepEqual(problem(refused), [401, 'KEY_WRONG']);
  t.like(refused.body, { status: 401, code: 'KEY_WRONG', type: 'urn:muster:problem:key-wrong' });
  const order = await caller.command('default', 'RequestSession', { imageId: 'one' });
  t.deepEqual(problem(order), [401, 'KEY_WRONG']);
  t.deepEqual(await muster.sessions(), []);
});

test('what is not as it should be is refused, in the words of REST', async (t) => {
  const { muster, caller } = await rig(t);
  const { keyId } = caller;
  const start = commandSubject(keyId, 'default', 'RequestSession');
  const refusals: readonly (readonly [string, string | Uint8Array, number, string])[] = [
    [start, '{"imageId":', 400, 'INVALID_JSON'],
    [start, '["one"]', 400, 'INVALID_REQUEST'],
    [start, '', 400, 'INVALID_REQUEST'],
    [start, '{"imageId":"one","prio":1}', 400, 'UNKNOWN_FIELD'],
    [start, '{"imageId":"one","zone":"default"}', 400, 'UNKNOWN_FIELD'],
    [start, '{"imageId":"one","__proto__":{}}', 400, 'INVALID_JSON'],
    [start, '{"imageId":"none"}', 404, 'IMAGE_UNKNOWN'],
    [start, `{"imageId":"one","reason":"${'x'.repeat(1024 * 1024)}"}`, 413, 'BODY_TOO_LARGE'],
    [commandSubject(keyId, 'nowhere', 'RequestSession'), '{"imageId":"one"}', 404, 'ZONE_UNKNOWN'],
    [commandSubject(keyId, 'fleet', 'RequestSession'), '{"imageId":"one"}', 404, 'ZONE_UNKNOWN'],
    [commandSubject(keyId, 'default', 'RetireImage'), '{"imageId":"one"}', 404, 'COMMAND_UNKNOWN'],
    [commandSubject(keyId, 'default', 'RequestSessions'), '{}', 404, 'COMMAND_UNKNOWN'],
    [commandSubject(keyId, 'fleet', 'IssueAccessKey'), '{}', 404, 'COMMAND_UNKNOWN'],
    [commandSubject(keyId, 'nowhere', 'SealLog'), '{"reason":"a test"}', 404, 'LOG_UNKNOWN'],
    [`${start}.more`, '{}', 404, 'COMMAND_UNKNOWN'],
    [`muster.cmd.${keyId}.RequestSession`, '{}', 404, 'COMMAND_UNKNOWN'],
    [querySubject(keyId, 'agent'), '{}', 400, 'INVALID_REQUEST'],
    [querySubject(keyId, 'agent'), '{"agentId":".."}', 400, 'INVALID_REQUEST'],
    [querySubject(keyId, 'agent'), '{"agentId":"six","more":1}', 400, 'UNKNOWN_FIELD'],
    [querySubject(keyId, 'agent'), '{"agentId":"six/utilization"}', 400, 'INVALID_REQUEST'],
    [querySubject(keyId, 'agents'), '{"zone":"default"}', 400, 'UNKNOWN_FIELD'],
    [querySubject(keyId, 'events'), '{"lots":1}', 400, 'UNKNOWN_FIELD'],
    [querySubject(keyId, 'events'), '{"limit":[1]}', 400, 'INVALID_REQUEST'],
    [querySubject(keyId, 'verification'), '{"log":".."}', 400, 'INVALID_REQUEST'],
    [querySubject(keyId, 'people'), '{}', 404, 'QUERY_UNKNOWN'],
    [querySubject(keyId, 'keys'), '{}', 404, 'QUERY_UNKNOWN'],
  ];
  for (const [subject, body, status, code] of refusals) {
    const answer = await caller.ask(subject, body);
    t.deepEqual(problem(answer), [status, code], `${subject} ${String(body).slice(0, 60)}`);
    t.like(answer.body, { status, code });
  }
  const near = await caller.command('default', 'RequestSesion', {});
  t.regex((near.body as { readonly detail: string }).detail, /did you mean RequestSession\?/);
  t.deepEqual(await muster.sessions(), []);
});

test('of one key 32 requests are under way at a time; the next is told to come again', async (t) => {
  const { muster, caller } = await rig(t);
  const asked = Array.from({ length: 64 }, () => caller.query('verification', { log: 'zone-default' }));
  const answers = await Promise.all(asked);
  const tooMany = answers.filter(({ code }) => code === 'TOO_MANY_UNDER_WAY');
  t.true(tooMany.length > 0 && tooMany.length <= 32, String(tooMany.length));
  t.is(tooMany[0]?.status, 429);
  t.is(tooMany[0]?.header('Retry-After'), '1');
  t.is(await counted(muster, 'too-many'), tooMany.length);
  t.is((await caller.query('zones')).status, 200);
});

test('what was missed of the feed is asked for behind a sequence, in parts', async (t) => {
  const { muster, caller } = await rig(t, 'viewer');
  const live = caller.connection.subscribe('muster.feed.>');
  await caller.connection.flush();
  for (let count = 0; count < 3; count += 1) await muster.request('POST', '/sessions', { body: { imageId: 'one' } });
  await until('running', muster.sessions, (sessions) => sessions.every(({ phase }) => phase === 'running'));
  const events = await muster.events();
  interface Part {
    readonly messages: readonly { readonly sequence: number; readonly message: { readonly event: { id: string } } }[];
    readonly first: number;
    readonly last: number;
  }
  const feed = async (fields: object) => (await caller.query('feed', fields)).body as Part;
  const whole = await until(
    'the whole feed',
    () => feed({ zone: 'default' }),
    ({ last }) => last >= events.length,
  );
  t.deepEqual(
    whole.messages.map(({ message }) => message.event.id).slice(0, events.length),
    events.map(({ id }) => id),
  );
  const parts: Part['messages'][number][] = [];
  for (let after = 0; after < whole.last;) {
    const part = await feed({ after, limit: 2 });
    t.true(part.messages.length > 0 && part.messages.length <= 2);
    parts.push(...part.messages);
    after = part.messages.at(-1)?.sequence ?? Infinity;
  }
  t.deepEqual(parts, [...whole.messages]);
  t.deepEqual((await feed({ after: whole.last })).messages, []);
  t.true((await feed({ fleet: true })).messages.length > 0);
  live.unsubscribe();
  for await (const { headers: told, data } of live) {
    const sequence = Number(told?.get('Nats-Expected-Last-Sequence')) + 1;
    const heard = JSON.parse(Buffer.from(data).toString()) as Part['messages'][number]['message'];
    const kept = whole.messages.find((each) => each.sequence === sequence)?.message;
    if (kept !== undefined && told?.get('Muster-Position').startsWith('zone-') === true) t.deepEqual(heard, kept);
  }
  t.deepEqual(problem(await caller.query('feed', { zone: 'nowhere' })), [404, 'ZONE_UNKNOWN']);
  t.deepEqual(problem(await caller.query('feed', { zone: 'default', fleet: true })), [400, 'INVALID_REQUEST']);
  t.deepEqual(problem(await caller.query('feed', { limit: 1001 })), [400, 'INVALID_REQUEST']);
  t.deepEqual(problem(await caller.query('feed', { from: 1 })), [400, 'UNKNOWN_FIELD']);
});

test('an answer that is longer than a message may be is told, by its length', async (t) => {
  const { muster, caller } = await rig(t);
  const environment = { NOTE: 'x'.repeat(4000) };
  const body = {
    name: 'long',
    reference: 'busybox',
    cores: 1,
    memory: '1GiB',
    command: ['x'.repeat(4000)],
    environment,
  };
  for (let count = 0; count < 300; count += 1) await muster.request('PUT', `/images/long-${count}`, { body });
  t.deepEqual(problem(await caller.query('images')), [413, 'ANSWER_TOO_LONG']);
  t.is((await caller.query('image', { imageId: 'long-7' })).status, 200);
});

test('the services are found by the tools of NATS', async (t) => {
  const { muster } = await rig(t);
  const { connection } = await muster.nats.connect('app');
  const found = [];
  for await (const info of await connection.services.client().info('muster')) found.push(info);
  t.is(found.length, 1);
  t.like(found[0], { name: 'muster' });
  const endpoints = found[0]?.endpoints ?? [];
  t.deepEqual(
    endpoints.map(({ name, subject }) => `${name} ${subject}`),
    ['command muster.cmd.>', 'query muster.query.>'],
  );
  t.regex(endpoints[0]?.metadata?.['RequestSession'] ?? '', /^operator: Starts a session/);
  t.regex(endpoints[1]?.metadata?.['feed'] ?? '', /^viewer: /);
});

test('a gateway that stops answers what is under way and takes nothing more', async (t) => {
  const { muster, caller } = await rig(t);
  const asked = Array.from({ length: 30 }, (_, index) =>
    caller.command('default', 'RequestSession', { imageId: 'one' }, { 'Idempotency-Key': `late-${index}` }),
  );
  await caller.connection.flush();
  await muster.gateway.stop();
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  t.deepEqual([...new Set(statuses)], [200]);
  await t.throwsAsync(caller.query('zones'), { code: '503' });
});

test('a gateway stops also while the bus is away', async (t) => {
  const { muster } = await rig(t);
  await muster.nats.kill9();
  await t.notThrowsAsync(muster.gateway.stop());
});

test('an unknown header changes nothing: who asks is told by the subject alone', async (t) => {
  const { caller } = await rig(t, 'viewer');
  const subject = commandSubject(caller.keyId, 'default', 'RequestSession');
  const said = { Authorization: `Bearer ${ADMIN_KEY}`, Cookie: 'muster=x', 'X-Caller': 'admin' };
  const answer = await caller.ask(subject, '{"imageId":"one"}', said);
  t.deepEqual(problem(answer), [403, 'ROLE_NEEDED']);
  t.like(answer.body, { needed: 'operator', held: 'viewer' });
});
