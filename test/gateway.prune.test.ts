import test, { type ExecutionContext } from 'ava';
import { PruneDesk } from '../agent/prune/desk.ts';
import type { PruneWish } from '../agent/prune/pruner.ts';
import { EngineError } from '../agent/engine/errors.ts';
import type { PruneRecord, PruneReport } from '../domain/pruning/record.ts';
import { askDefinitions } from '../infra/bus/agentAsk.ts';
import { connectBus } from '../infra/bus/connect.ts';
import { answerPrune, hearPruneCalls, type PruneCall } from '../infra/bus/pruneCalls.ts';
import { realClock } from '../infra/clock.ts';
import { agentInbox } from '../infra/names.ts';
import { quietLog } from './support/agentRig.ts';
import { busCaller } from './support/busCaller.ts';
import { startGateway, type ProblemBody } from './support/gateway.ts';
import { APP_PASSWORD } from './support/nats.ts';
import { until } from './support/until.ts';

/** A prune as it is asked for by REST, on the bus and on the command line, and how it comes into the log. */

const REPORT: PruneReport = {
  agentId: 'host-1',
  mode: 'normal',
  at: '2026-11-27T10:00:00.000Z',
  images: [
    {
      imageId: 'sha256:1',
      references: ['a:1'],
      sizeBytes: 7,
      verdict: 'remove',
      outcome: null,
      why: 'it has no tag left',
    },
  ],
  bytes: 7,
};
const PATH = '/agents/host-1/prune';

/** A gateway with an agent that prunes as `prune` does; null: it knows no such calls. */
async function rig(t: ExecutionContext, prune: ((wish: PruneWish) => Promise<PruneReport>) | null) {
  const muster = await startGateway(t);
  let prunes: readonly PruneRecord[] = [];
  const agent = await muster.agentOnline({
    agentId: 'host-1',
    cores: 4,
    memoryGib: 8,
    prunes: () => (prunes.length === 0 ? undefined : { series: 'boot-1', records: [...prunes] }),
  });
  const bus = await muster.nats.connect('app');
  const heard: PruneCall[] = [];
  const desk = new PruneDesk({
    clock: realClock,
    log: quietLog,
    logId: () => agent.document()?.logId ?? null,
    prune: prune ?? (() => Promise.reject(new Error('not asked'))),
    answer: (callId, answer) => answerPrune(bus, 'host-1', callId, answer),
  });
  if (prune !== null) {
    hearPruneCalls(
      bus,
      'host-1',
      (call) => {
        if (call === null) return t.fail('a call was not understood');
        heard.push(call);
        if (call.kind === 'prune') desk.take(call);
      },
      (error) => t.fail(error.message),
    );
  }
  await bus.connection.flush();
  t.teardown(() => desk.close());
  const tell = async (records: readonly PruneRecord[]) => {
    prunes = records;
    await agent.refresh();
  };
  return { muster, agent, heard, tell };
}

test('a preview and a prune are asked of the agent, with who asks and why', async (t) => {
  const wishes: PruneWish[] = [];
  const { muster } = await rig(t, (wish) => {
    wishes.push(wish);
    return Promise.resolve({ ...REPORT, mode: wish.mode });
  });
  const preview = await muster.request('GET', `${PATH}?mode=aggressive`);
  t.deepEqual([preview.status, preview.body], [200, { ...REPORT, mode: 'aggressive' }]);
  const body = { mode: 'normal', reason: 'the disk is full' };
  const pruned = await muster.request('POST', PATH, { body });
  t.deepEqual([pruned.status, pruned.body], [200, REPORT]);
  const actor = { kind: 'operator' as const, id: 'admin' };
  t.deepEqual(wishes, [
    { mode: 'aggressive', dryRun: true, asker: { actor, reason: null } },
    { mode: 'normal', dryRun: false, asker: { actor, reason: 'the disk is full' } },
  ]);
});

test('a repeated key gets the first answer, and another prune under it is refused', async (t) => {
  let count = 0;
  const { muster } = await rig(t, () => Promise.resolve({ ...REPORT, bytes: (count += 1) }));
  const headers = { 'idempotency-key': 'tonight' };
  const first = await muster.request('POST', PATH, { headers, body: { mode: 'normal' } });
  const again = await muster.request('POST', PATH, { headers, body: { mode: 'normal' } });
  t.deepEqual(again.body, first.body);
  const other = await muster.request('POST', PATH, { headers, body: { mode: 'aggressive' } });
  t.deepEqual([other.status, (other.body as ProblemBody).code], [409, 'KEY_REUSED']);
  t.is(count, 1);
});

test('a program asks for the same on the bus', async (t) => {
  const { muster } = await rig(t, (wish) => Promise.resolve({ ...REPORT, bytes: wish.dryRun ? 7 : 8 }));
  const program = await busCaller(t, muster.nats.url, muster, 'operator');
  const preview = await program.query('prune', { agentId: 'host-1', mode: 'normal' });
  t.deepEqual([preview.status, preview.body], [200, REPORT]);
  const pruned = await program.command('default', 'PruneImages', { agentId: 'host-1', mode: 'normal' });
  t.deepEqual([pruned.status, pruned.body], [200, { ...REPORT, bytes: 8 }]);
});

test('a prune may take longer than the agent may be silent', async (t) => {
  const { muster } = await rig(t, async () => {
    await realClock.sleep(17_000);
    return REPORT;
  });
  t.is((await muster.request('POST', PATH, { body: { mode: 'normal' } })).status, 200);
});

test('every no has its sentence: no such mode, no such agent, no engine', async (t) => {
  const { muster } = await rig(t, () => Promise.reject(new EngineError('ENGINE_DOWN', 'The engine is away.')));
  const codeOf = async (method: string, path: string, body?: object) => {
    const reply = await muster.request(method, path, body === undefined ? {} : { body });
    return [reply.status, (reply.body as ProblemBody).code];
  };
  t.deepEqual(await codeOf('GET', PATH), [400, 'INVALID_REQUEST']);
  t.deepEqual(await codeOf('GET', `${PATH}?mode=off`), [400, 'INVALID_REQUEST'], 'off is no prune');
  t.deepEqual(await codeOf('POST', PATH, { mode: 'normal', force: true }), [400, 'UNKNOWN_FIELD']);
  t.deepEqual(await codeOf('GET', '/agents/none/prune?mode=normal'), [404, 'AGENT_UNKNOWN']);
  t.deepEqual(await codeOf('POST', PATH, { mode: 'normal' }), [503, 'ENGINE_DOWN']);
  await muster.request('POST', '/agents/host-1/revoke', { body: { reason: 'it was stolen' } });
  t.deepEqual(await codeOf('POST', PATH, { mode: 'normal' }), [409, 'AGENT_REVOKED']);
});

test('an agent that is away or too old is told within 3 s, with what to do', async (t) => {
  const { muster } = await rig(t, null);
  const { status, body, headers } = await muster.request('GET', `${PATH}?mode=normal`);
  t.deepEqual([status, (body as ProblemBody).code], [503, 'AGENT_NO_ANSWER']);
  t.regex((body as ProblemBody).detail, /host-1 did not answer within 3 s: .*older.*update/);
  t.truthy(headers.get('retry-after'));
});

const TOLD = {
  number: 1,
  imageId: 'sha256:1',
  references: ['a:1'],
  mode: 'normal',
  why: 'it has no tag left',
  asker: null,
  at: '2026-11-27T10:00:00.000Z',
} satisfies Partial<PruneRecord>;

test('what an agent tells again and again is in the log once, and its document says so', async (t) => {
  const { muster, agent, tell } = await rig(t, () => Promise.resolve(REPORT));
  const skipped: PruneRecord = { ...TOLD, number: 2, outcome: 'skipped', freedBytes: 0, why: 'a container uses it' };
  const removed: PruneRecord = { ...TOLD, outcome: 'removed', freedBytes: 7 };
  await tell([removed]);
  await tell([removed, skipped]);
  await tell([removed, skipped]);
  const mark = async () => (await agent.refresh(), agent.document()?.pruneMark?.number ?? 0);
  await until('the mark', mark, (number) => number === 2);
  await tell([skipped]);
  t.is(await mark(), 2);
  const events = (await muster.events()).filter(({ type }) => type.startsWith('Image') && type !== 'ImageDefined');
  const data = { ...TOLD, agentId: 'host-1', series: 'boot-1' };
  t.deepEqual(
    events.map((event) => [event.type, event.data]),
    [
      ['ImageRemoved', { ...data, freedBytes: 7 }],
      ['ImageRemovalSkipped', { ...data, number: 2, why: 'a container uses it' }],
    ],
  );
});

test('an agent hears the definitions when it asks, and that they changed when it removes what has none', async (t) => {
  const { muster, heard } = await rig(t, () => Promise.resolve(REPORT));
  await muster.defineImage('one', { reference: 'quay.io/muster/one:1' });
  t.deepEqual(heard, [], 'its mode is off');
  await muster.request('PATCH', '/agents/host-1', { body: { pruneMode: 'aggressive' } });
  await muster.defineImage('two', { reference: 'quay.io/muster/two:1' });
  await until(
    'the news',
    async () => heard,
    ({ length }) => length === 1,
  );
  t.deepEqual(heard, [{ kind: 'definitions changed' }]);
  await muster.request('DELETE', '/images/one', { body: { reason: 'it is old' } });
  await until(
    'the news',
    async () => heard,
    ({ length }) => length === 2,
  );
  const asking = await connectBus({
    url: muster.nats.url,
    user: 'muster-app',
    password: APP_PASSWORD,
    name: 'an agent that asks',
    inboxPrefix: agentInbox('host-1'),
    signal: AbortSignal.timeout(10_000),
  });
  t.teardown(() => asking.close());
  t.deepEqual(await askDefinitions(asking, 'host-1'), ['quay.io/muster/two:1']);
});
