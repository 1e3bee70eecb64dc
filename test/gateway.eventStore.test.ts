import { EventStoreDBClient } from '@eventstore/db-client';
import test from 'ava';
import type { LogsAnswer } from '../gateway/http/routes/listLogs.ts';
import { hostsOf } from '../infra/eventStore/connectionString.ts';
import { startEventStore } from './support/eventStore.ts';
import { startGateway, type ProblemBody, type TestGateway } from './support/gateway.ts';
import { until } from './support/until.ts';

/** A gateway whose logs are in EventStoreDB, which goes and comes while the bus stays. */

const QUICK = { MUSTER_CHECKIN_SECONDS: '1' };
/** By then an agent that was not heard would be missing. */
const WHILE_MS = 8_000;
/** By then a store that hangs is given up. */
const HANGING_MS = 20_000;

async function readiness({ url }: TestGateway): Promise<{ readonly status: number; readonly why?: string }> {
  const response = await fetch(`${url}/readyz`);
  const body = (await response.json()) as { readonly why?: string };
  return { ...body, status: response.status };
}

async function reachable(muster: TestGateway): Promise<number> {
  const { body } = await muster.request('GET', `${muster.url}/metrics`);
  return Number(/^muster_event_log_reachable (\d)$/m.exec(String(body))?.[1]);
}

test('while the event store is away agents and sessions go on and changes are refused; afterwards everything works', async (t) => {
  const server = await startEventStore();
  t.teardown(() => server.stop());
  const muster = await startGateway(t, { env: { ...QUICK, MUSTER_EVENT_LOG: server.url } });
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  const start = (key: string) =>
    muster.request('POST', '/sessions', { body: { imageId: 'one' }, headers: { 'idempotency-key': key } });
  t.is((await start('before')).status, 201);
  await until('running', muster.sessions, ([session]) => session?.phase === 'running');
  const { kept } = await muster.read<LogsAnswer>('/logs');
  t.deepEqual(kept, { store: 'EventStoreDB', at: hostsOf(server.url) });
  t.is(await reachable(muster), 1);

  await server.kill9();
  const killedAt = performance.now();
  const notReady = await until(
    'not ready',
    () => readiness(muster),
    ({ status }) => status === 503,
  );
  t.log(`noticed after ${Math.round(performance.now() - killedAt)} ms`);
  t.regex(
    notReady.why ?? '',
    /^the event store is away: EventStoreDB at 127\.0\.0\.1:\d+ does not answer: see that it runs/,
  );
  const refused = await start('while');
  t.deepEqual([refused.status, (refused.body as ProblemBody).code], [503, 'UNAVAILABLE']);
  t.regex((refused.body as ProblemBody).detail, /the event store is away.*; nothing was done, try again$/);
  t.regex(refused.headers.get('retry-after') ?? '', /^\d+$/);
  t.is(await reachable(muster), 0);
  t.is((await fetch(`${muster.url}/healthz`)).status, 200);
  const heard = async () => {
    await agent.refresh();
    return await muster.agent('six');
  };
  await until('it is heard all the while', heard, () => performance.now() - killedAt > WHILE_MS);
  t.is((await heard()).connectivity, 'online');
  t.is((await muster.sessions())[0]?.phase, 'running');

  await server.restart();
  const backAt = performance.now();
  const accepted = await until(
    'accepted',
    () => start('while'),
    ({ status }) => status !== 503,
  );
  t.log(`accepted ${Math.round(performance.now() - backAt)} ms after it was back`);
  t.true(performance.now() - backAt < 5000);
  t.is(accepted.status, 201);
  await until(
    'ready',
    () => readiness(muster),
    ({ status }) => status === 200,
  );
  const again = await start('while');
  t.is(again.headers.get('idempotency-replayed'), 'true');
  t.is((await muster.sessions()).length, 2);
  const types = (await muster.events()).map(({ type }) => type);
  t.false(types.includes('AgentWentLate') || types.includes('AgentWentMissing'), types.join());
  const look = async () => {
    await agent.refresh();
    return await muster.sessions();
  };
  await until('both run', look, (sessions) => sessions.every(({ phase }) => phase === 'running'));
});

test('a store that hangs keeps nobody waiting without end, and nobody is late for it', async (t) => {
  const server = await startEventStore();
  t.teardown(() => server.stop());
  const muster = await startGateway(t, { env: { ...QUICK, MUSTER_EVENT_LOG: server.url } });
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  await server.pull({ hangs: true });
  const startedAt = performance.now();
  const headers = { 'idempotency-key': 'hangs' };
  const start = () => muster.request('POST', '/sessions', { body: { imageId: 'one' }, headers });
  const [asked, read] = await Promise.all([start(), muster.request('GET', '/events')]);
  t.log(`answered after ${Math.round(performance.now() - startedAt)} ms`);
  t.true(performance.now() - startedAt < HANGING_MS);
  for (const { status, body } of [asked, read]) t.deepEqual([status, (body as ProblemBody).code], [503, 'UNAVAILABLE']);
  t.regex(
    (asked.body as ProblemBody).detail,
    /ask again with the same idempotency key\. If it stays so, see that EventStoreDB/,
  );
  await until(
    'not ready',
    () => readiness(muster),
    ({ status }) => status === 503,
  );
  await agent.refresh();
  t.is((await muster.agent('six')).connectivity, 'online');
  await server.pull({ hangs: false });
  const accepted = await until('accepted', start, ({ status }) => status !== 503);
  t.is(accepted.status, 201);
  t.is((await muster.sessions()).length, 1);
});

test('of a log that was deleted in EventStoreDB everybody who asks is told so, with what to do', async (t) => {
  const server = await startEventStore();
  t.teardown(() => server.stop());
  const muster = await startGateway(t, { env: { ...QUICK, MUSTER_EVENT_LOG: server.url } });
  await muster.defineImage('one');
  const client = EventStoreDBClient.connectionString(server.url);
  t.teardown(() => client.dispose());
  await client.tombstoneStream('fleet-main');
  const { status, body } = await muster.request('GET', '/events?log=fleet');
  t.deepEqual([status, (body as ProblemBody).code], [503, 'LOG_CORRUPT']);
  t.regex(
    (body as ProblemBody).detail,
    /^fleet: the stream fleet-main was deleted in EventStoreDB, .* Restore it from a backup/,
  );
});
