import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Verification } from '../gateway/http/logReader.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import type { AgentView } from '../projections/views.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { temporaryFolder } from './support/folder.ts';
import {
  gatewayEnvironment,
  restOf,
  startGateway,
  untilOnline,
  type ProblemBody,
  type Rest,
} from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats } from './support/nats.ts';
import { STORES, type TestStore } from './support/stores.ts';
import { until } from './support/until.ts';

/** What must not change by a restart; telemetry such as the age of a check-in may. */
async function standing(rest: Rest): Promise<unknown> {
  const agents = await rest.agents();
  return [
    agents.map(withoutTelemetry),
    await rest.sessions(),
    await rest.read('/images'),
    await rest.events(),
    await rest.events('?log=fleet&limit=1000'),
  ];
}

function withoutTelemetry(agent: AgentView): AgentView {
  return { ...agent, used: null, lastCheckInAt: null };
}

for (const { name, start } of STORES) {
  test(`${name}: a gateway that is killed and started again gives the same answers, and its logs hold together`, async (t) => {
    await goesOn(t, await start(t));
  });

  test(`${name}: a log that somebody else wrote into is shown up to there, named, and written by nobody`, async (t) => {
    await showsWhatItUnderstands(t, await start(t));
  });
}

async function goesOn(t: ExecutionContext, store: TestStore): Promise<void> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const env = { ...(await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'))), ...store.env };
  const rest = restOf(`http://${env['MUSTER_HTTP']}`);
  const first = await startGatewayChild(t, env);
  const agent = startFakeAgent(await nats.connect('app'), { agentId: 'six', cores: 6, memoryGib: 6 });
  t.teardown(() => agent.stop());
  await untilOnline(rest, 'six');
  await rest.defineImage('one');
  for (const key of ['a', 'b', 'c']) {
    await rest.request('POST', '/sessions', { body: { imageId: 'one' }, headers: { 'idempotency-key': key } });
  }
  await rest.request('PATCH', '/agents/six', { body: { coresOverride: 12 } });
  await until('all running', rest.sessions, (sessions) => sessions.every(({ phase }) => phase === 'running'));
  const before = await standing(rest);
  first.kill('SIGKILL');
  await once(first, 'exit');

  const second = await startGatewayChild(t, env);
  t.deepEqual(await standing(rest), before);
  const again = await rest.request('POST', '/sessions', {
    body: { imageId: 'one' },
    headers: { 'idempotency-key': 'a' },
  });
  t.deepEqual([again.status, again.headers.get('idempotency-replayed')], [201, 'true']);
  t.is((await rest.sessions()).length, 3);
  const log = store.openLog(await nats.connect('log'));
  for (const name of ['fleet', 'zone-default']) {
    const versions: number[] = [];
    for await (const { commit } of log.read(name, 0)) versions.push(commit.version);
    t.deepEqual(
      versions,
      versions.map((_, index) => index + 1),
      'every commit follows the one before',
    );
  }
  second.kill('SIGTERM');
  t.deepEqual(await once(second, 'exit'), [0, null]);
}

async function showsWhatItUnderstands(t: ExecutionContext, store: TestStore): Promise<void> {
  const muster = await startGateway(t, { env: store.env });
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const { version } = await lastRow(muster);
  await store.appendStrange(await muster.nats.connect('log'), 'zone-default', 'not a commit');
  const found = await muster.read<Verification>('/logs/zone-default/verification');
  t.like(found, { intact: false, commits: version, head: `zone-default:${version}` });
  t.regex(found.problem ?? '', new RegExp(`zone-default.*${version + 1}`));

  await refusesToWrite(t, muster, version);
  const env = await gatewayEnvironment(muster.nats, join(await temporaryFolder(t), 'data'));
  await startGatewayChild(t, { ...env, ...store.env });
  const other = restOf(`http://${env['MUSTER_HTTP']}`);
  t.is((await other.agents()).length, 1, 'what came before is shown');
  await refusesToWrite(t, other, version);
  await other.defineImage('the-other-log-goes-on');
}

async function refusesToWrite(t: ExecutionContext, rest: Rest, version: number): Promise<void> {
  const refusal = async () => (await rest.request('PATCH', '/agents/six', { body: { coresOverride: 12 } })).body;
  const problem = await until('read-only', refusal, (body) => (body as ProblemBody).code === 'LOG_READ_ONLY');
  const place = new RegExp(`^zone-default is read-only here: zone-default(:${version + 1}|, event \\d+): `);
  t.regex((problem as ProblemBody).detail, place);
  const { logs } = await rest.read<{ readonly logs: readonly { readonly log: string; readonly role: string }[] }>(
    '/logs',
  );
  t.is(logs.find(({ log }) => log === 'zone-default')?.role, 'read-only');
  t.is((await fetch(`${rest.url}/readyz`)).status, 503);
}

async function lastRow(rest: Rest): Promise<EventRow> {
  const [last] = (await rest.events('?last=1')).toReversed();
  if (last === undefined) throw new Error('the log is empty');
  return last;
}

test('a gateway whose supervisor is gone ends by itself', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const child = await startGatewayChild(t, await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data')));
  child.disconnect();
  t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('while the bus is away reading goes on and changes are refused at once; afterwards everything works', async (t) => {
  const muster = await startGateway(t);
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  await muster.nats.kill9();
  const readiness = async () => (await fetch(`${muster.url}/readyz`)).status;
  await until('not ready', readiness, (status) => status === 503);
  const start = () =>
    muster.request('POST', '/sessions', { body: { imageId: 'one' }, headers: { 'idempotency-key': 'the-same' } });
  const refused = await start();
  t.deepEqual([refused.status, (refused.body as ProblemBody).code], [503, 'UNAVAILABLE']);
  t.regex(refused.headers.get('retry-after') ?? '', /^\d+$/);
  t.is((await muster.agents()).length, 1);
  t.is((await fetch(`${muster.url}/healthz`)).status, 200);
  await muster.nats.restart();
  await until('ready', readiness, (status) => status === 200);
  const accepted = await until('accepted', start, ({ status }) => status !== 503);
  t.is(accepted.status, 201);
  t.is((await muster.sessions()).length, 1);
  const look = async () => {
    await agent.refresh();
    return await muster.sessions();
  };
  await until('running', look, ([session]) => session?.phase === 'running');
});
