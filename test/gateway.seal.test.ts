import test, { type ExecutionContext } from 'ava';
import type { LogsAnswer } from '../gateway/http/routes/listLogs.ts';
import type { SealedLog } from '../gateway/http/routes/sealLog.ts';
import type { Verification } from '../gateway/http/logReader.ts';
import { listEpochs } from '../infra/bus/logStreams.ts';
import { startGateway, type ProblemBody, type StartAnswer } from './support/gateway.ts';
import { STORES, type TestStore } from './support/stores.ts';
import { until } from './support/until.ts';

/** Sealing a log over HTTP, on the real bus. */

test('a log is sealed with a reason, goes on in the next epoch, and is answered what can be moved when', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const path = '/logs/zone-default/seal';
  const headers = { 'idempotency-key': 'seal-once' };
  const answer = await muster.request('POST', path, { body: { reason: 'a year is over' }, headers });
  t.is(answer.status, 200, JSON.stringify(answer.body));
  const sealed = answer.body as SealedLog;
  t.like(sealed, { log: 'zone-default', epoch: 1, stream: 'MUSTER_EVENTS_zone_default_1' });
  t.is(sealed.movable, `after a snapshot at or past ${sealed.position} exists`);
  t.is(sealed.how, 'back the stream MUSTER_EVENTS_zone_default_1 up, then delete it');
  const again = await muster.request('POST', path, { body: { reason: 'a year is over' }, headers });
  t.deepEqual(again.body, sealed, 'the same key seals once');

  await muster.request('POST', '/agents/six/disable', {});
  const end = Number(sealed.position.split(':')[1]);
  const epochs = await listEpochs({ bus: await muster.nats.connect('log'), log: 'zone-default', replicas: 1 });
  t.like(epochs, [
    { number: 1, base: 0, end },
    { number: 2, base: end, end: null },
  ]);
  const events = await muster.events();
  t.like(
    events.find(({ type }) => type === 'LogSealed'),
    { position: sealed.position, reason: 'a year is over', data: { epoch: 1 } },
  );
  t.true(events.some(({ type }) => type === 'AgentDisabled'));
});

test('a log is not sealed twice in a row, nor without a reason, nor when there is none', async (t) => {
  const muster = await startGateway(t);
  const seal = (log: string, body: object) => muster.request('POST', `/logs/${log}/seal`, { body });
  t.is((await seal('fleet', { reason: 'tidy' })).status, 200);
  const twice = await seal('fleet', { reason: 'tidy' });
  t.deepEqual([twice.status, (twice.body as ProblemBody).code], [409, 'LOG_JUST_SEALED']);
  for (const body of [{}, { reason: ' ' }]) t.is((await seal('fleet', body)).status, 400);
  const none = await seal('zone-none', { reason: 'tidy' });
  t.deepEqual([none.status, (none.body as ProblemBody).code], [404, 'LOG_UNKNOWN']);
});

for (const { name, start } of STORES) {
  test(`${name}: what was moved offline is named where it is asked for, and the rest is read and verified`, async (t) => {
    await namesWhatIsOffline(t, await start(t));
  });

  test(`${name}: a gateway that starts after history was moved offline goes on from the snapshot that the seal left`, async (t) => {
    await startsBehindTheSeal(t, await start(t));
  });
}

async function namesWhatIsOffline(t: ExecutionContext, store: TestStore): Promise<void> {
  const muster = await startGateway(t, { env: store.env });
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const { body } = await muster.request('POST', '/logs/zone-default/seal', { body: { reason: 'a year is over' } });
  const sealed = body as SealedLog;
  const { position } = sealed;
  await muster.request('POST', '/agents/six/disable', {});
  await store.moveOffline(await muster.nats.connect('log'), sealed);
  const asked = await muster.request('GET', '/events?log=zone-default&after=zone-default:0');
  t.deepEqual([asked.status, (asked.body as ProblemBody).code], [410, 'HISTORY_OFFLINE']);
  const readableAfter = Number(position.split(':')[1]) - (store.keepsSeal ? 1 : 0);
  t.deepEqual((asked.body as ProblemBody).numbers, { readableAfter });
  const rest = await muster.events(`?log=zone-default&after=${position}`);
  t.true(rest.some(({ type }) => type === 'AgentDisabled'));
  const last = await muster.events('?log=zone-default&last=1000');
  t.deepEqual((store.keepsSeal ? last.slice(1) : last).slice(0, rest.length), rest);
  const found = await muster.read<Verification>('/logs/zone-default/verification');
  t.like(found, { intact: true, first: `zone-default:${readableAfter + 1}`, problem: null });
  t.true(found.events >= rest.length);
}

async function startsBehindTheSeal(t: ExecutionContext, store: TestStore): Promise<void> {
  const first = await startGateway(t, { env: store.env });
  await first.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await first.defineImage('one');
  const headers = { 'idempotency-key': 'before-the-seal' };
  const before = await first.request('POST', '/sessions', { body: { imageId: 'one' }, headers });
  const { body } = await first.request('POST', '/logs/zone-default/seal', { body: { reason: 'a year is over' } });
  const sealed = body as SealedLog;
  const { position } = sealed;
  const snapshot = async () => {
    const { logs } = await first.read<LogsAnswer>('/logs');
    return logs.find(({ log }) => log === 'zone-default')?.snapshots[0]?.position ?? '';
  };
  const versionOf = (place: string) => Number(place.split(':')[1] ?? '0');
  await until('a snapshot at or past the seal', snapshot, (place) => versionOf(place) >= versionOf(position));
  await first.request('PATCH', '/agents/six', { body: { coresOverride: 12 } });
  await store.moveOffline(await first.nats.connect('log'), sealed);
  await first.gateway.stop();

  const second = await startGateway(t, { nats: first.nats, dataDir: first.dataDir, env: store.env });
  t.is((await second.agent('six')).coresOverride?.value, 12_000);
  const again = await second.request('POST', '/sessions', { body: { imageId: 'one' }, headers });
  t.is(again.headers.get('idempotency-replayed'), 'true', 'what was done before the seal is remembered');
  const sessionId = (answer: unknown) => (answer as StartAnswer).session.sessionId;
  t.is(sessionId(again.body), sessionId(before.body));
  t.is((await second.request('POST', '/agents/six/disable', {})).status, 200);
}
