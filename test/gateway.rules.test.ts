import test from 'ava';
import type { AgentView, ImageView } from '../projections/views.ts';
import type { Explanation } from '../domain/placement/explanation.ts';
import { coresAllocatedSentence } from '../domain/units.ts';
import { startGateway, type ProblemBody, type Rest, type StartAnswer } from './support/gateway.ts';

/** The rules as an operator meets them: over HTTP, on the real bus, with an agent that runs what it is told. */

async function start(rest: Rest, imageId: string, changes: object = {}, headers: Record<string, string> = {}) {
  const {
    status,
    body,
    headers: answered,
  } = await rest.request('POST', '/sessions', {
    body: { imageId, whenFull: 'fail', ...changes },
    headers,
  });
  return { status, headers: answered, body: body as StartAnswer & ProblemBody & { readonly sessionId: string } };
}

async function startMany(rest: Rest, imageId: string, count: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let made = 0; made < count; made += 1) statuses.push((await start(rest, imageId)).status);
  return statuses;
}

test('6 CPUs and 6 GiB take exactly 6 sessions of 1 CPU and 1 GiB', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  t.deepEqual(await startMany(muster, 'one', 7), [201, 201, 201, 201, 201, 201, 409]);
  const { allocated } = await muster.agent('six');
  t.deepEqual(allocated, { millicores: 6000, memoryBytes: 6 * 1024 ** 3, gpus: 0 });
});

test('overridden to 12 CPUs, 12 sessions need 12 GiB as well', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  const cores = await muster.request('PATCH', '/agents/six', { body: { coresOverride: '12' } });
  t.deepEqual((cores.body as { echoes: string[] }).echoes, ['12 cores (x2.0 of 6 cores)']);
  t.deepEqual((await startMany(muster, 'one', 7)).slice(5), [201, 409]);
  const refused = await start(muster, 'one');
  t.deepEqual(
    refused.body.placement.candidates[0]?.reasons.map(({ code }) => code),
    ['MEMORY_SHORT'],
  );
  const memory = await muster.request('PATCH', '/agents/six', { body: { memoryOverride: '12GiB' } });
  t.deepEqual((memory.body as { echoes: string[] }).echoes, [
    '12 GiB (x2.0 of 6 GiB)',
    'no swap, and memory is overridden above physical: when sessions use all of it, some are killed',
  ]);
  t.deepEqual((await startMany(muster, 'one', 7)).slice(5), [201, 409]);
  t.is((await muster.agent('six')).sessions, 12);
  const risk = await muster.request('PATCH', '/agents/six', { body: { memoryOverride: 0 } });
  t.deepEqual((risk.body as { echoes: string[] }).echoes, [
    'no override of memory: 6 GiB',
    '6 GiB not covered by RAM or swap: sessions can be killed',
  ]);
  const over = await muster.agent('six');
  t.is(over.memoryOverride, null);
  t.is(over.sessions, 12, 'lowering an override evicts nothing');
  t.true(over.conditions.some(({ detail }) => detail.startsWith('over-allocated by 6 GiB')));
});

test('labels and the prune mode of an agent are set with its other settings, and told back in words', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  t.like(await muster.agent('six'), { labels: {}, pruneMode: 'off' });
  const patch = async (body: object) => (await muster.request('PATCH', '/agents/six', { body })).body;
  const set = (await patch({ labels: { rack: 'b-7', gpu: 'l40', spot: '' }, pruneMode: 'normal' })) as Set;
  t.deepEqual(set.echoes, [
    'labels: gpu=l40, rack=b-7, spot',
    'prune mode normal: Images that Muster pulled are removed once they have no tag left and nothing uses them.',
  ]);
  t.deepEqual(Object.entries(set.agent.labels), [
    ['gpu', 'l40'],
    ['rack', 'b-7'],
    ['spot', ''],
  ]);
  t.is(set.agent.pruneMode, 'normal');
  t.deepEqual(((await patch({ labels: {} })) as Set).echoes, ['no labels']);
  t.deepEqual(await muster.agent('six').then(({ labels, pruneMode }) => [labels, pruneMode]), [{}, 'normal']);
});

test('an image goes only where its labels are, and a refusal says which label would let it in', async (t) => {
  const muster = await startGateway(t);
  for (const agentId of ['plain', 'gpu']) await muster.agentOnline({ agentId, cores: 6, memoryGib: 6 });
  await muster.request('PATCH', '/agents/gpu', { body: { labels: { gpu: 'l40' } } });
  await muster.defineImage('picky', { includeLabels: ['gpu=l40'], excludeLabels: ['spot'] });
  t.like(await muster.read('/images/picky'), { includeLabels: ['gpu=l40'], excludeLabels: ['spot'] });
  const placed = await start(muster, 'picky');
  t.is(placed.body.placement.agentId, 'gpu');
  const fixes = ({ candidates }: Explanation) => candidates.map(({ reasons }) => reasons[0]?.fix ?? null);
  t.deepEqual(fixes(placed.body.placement), [null, 'give it the label gpu=l40']);
  await muster.request('PATCH', '/agents/gpu', { body: { labels: { gpu: 'l40', spot: '' } } });
  const refused = await start(muster, 'picky', { whenFull: 'queue' });
  t.is(refused.status, 409);
  t.deepEqual(fixes(refused.body.placement), ['take its label spot away', 'give it the label gpu=l40']);
  t.is((await muster.agent('gpu')).sessions, 1, 'what runs stays');
});

interface Set {
  readonly agent: AgentView;
  readonly echoes: readonly string[];
}

test('6 CPUs overridden to 12 with sessions of 2 and 3 CPUs reads "5 of 12 CPUs allocated"', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.request('PATCH', '/agents/six', { body: { coresOverride: 12 } });
  await muster.defineImage('two', { cores: 2 });
  await muster.defineImage('three', { cores: 3 });
  t.is((await start(muster, 'two')).status, 201);
  t.is((await start(muster, 'three')).status, 201);
  const { allocated, capacity } = await muster.agent('six');
  t.is(coresAllocatedSentence(allocated.millicores, capacity?.millicores ?? 0), '5 of 12 CPUs allocated');
});

test('the placement explained from the log is the one that was answered, for placed and for refused', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'small', cores: 2, memoryGib: 4 });
  await muster.agentOnline({ agentId: 'large', cores: 8, memoryGib: 16, gpus: 2 });
  await muster.defineImage('gpu', { requireGpu: true, gpuCount: 2 });
  const plan = await muster.request('POST', '/placement/plan', { body: { imageId: 'gpu' } });
  const placed = await start(muster, 'gpu');
  t.deepEqual(plan.body, placed.body.placement, 'the plan was what then happened');
  t.deepEqual(placed.body.placement.gpuUuids, ['GPU-large-0', 'GPU-large-1']);
  const refused = await start(muster, 'gpu');
  t.is(refused.body.code, 'SESSION_REFUSED');
  const path = (sessionId: string) => `/sessions/${sessionId}/placement`;
  t.deepEqual(await muster.read(path(placed.body.session.sessionId)), placed.body.placement);
  t.deepEqual(await muster.read(path(refused.body.sessionId)), refused.body.placement);
});

test('a plan counts, when asked, on how many agents it fits and why not on the others', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'small', cores: 2, memoryGib: 4 });
  await muster.agentOnline({ agentId: 'large', cores: 8, memoryGib: 16 });
  await muster.defineImage('four', { cores: 4 });
  const body = { imageId: 'four', counted: true };
  const { body: plan } = await muster.request('POST', '/placement/plan', { body });
  t.like(plan, { decision: 'placed', agentId: 'large', agents: 2, fits: 1, codes: { CORES_SHORT: 1 } });
});

test('a repeated key gets the first answer and starts nothing; with another body it is refused', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  await muster.defineImage('two', { cores: 2 });
  const key = { 'idempotency-key': 'a key:with~signs'.replaceAll(' ', '-') };
  const first = await start(muster, 'one', {}, key);
  const again = await start(muster, 'one', {}, key);
  t.deepEqual([first.status, first.headers.get('idempotency-replayed')], [201, null]);
  t.deepEqual([again.status, again.headers.get('idempotency-replayed')], [201, 'true']);
  t.is(again.body.session.sessionId, first.body.session.sessionId);
  t.deepEqual(again.body.placement, first.body.placement);
  await muster.defineImage('one', { cores: 3 });
  t.is((await start(muster, 'one', {}, key)).status, 201, 'revising the image does not make it another request');
  const other = await start(muster, 'two', {}, key);
  t.deepEqual([other.status, other.body.code], [409, 'KEY_REUSED']);
  t.is((await muster.sessions()).length, 1);
  const refusedKey = { 'idempotency-key': 'refused' };
  await muster.request('POST', '/agents/six/disable', { body: { reason: 'full for the test' } });
  const refusedFirst = await start(muster, 'two', {}, refusedKey);
  await muster.request('POST', '/agents/six/enable', { body: {} });
  const refusedAgain = await start(muster, 'two', {}, refusedKey);
  t.deepEqual([refusedFirst.status, refusedAgain.status], [409, 409]);
  t.deepEqual(refusedAgain.body.placement, refusedFirst.body.placement);
});

test('of a large fleet an answer names the first agents, also when its key is repeated; asked for, all are named', async (t) => {
  const muster = await startGateway(t);
  for (let index = 0; index < 22; index += 1) {
    await muster.agentOnline({ agentId: `agent-${index}`, cores: 6, memoryGib: 6 });
  }
  await muster.defineImage('one');
  await muster.defineImage('seven', { cores: 7 });
  for (const [image, named, outcome] of [
    ['one', 4, 'chosen'],
    ['seven', 20, 'refused'],
  ] as const) {
    const key = { 'idempotency-key': `start-${image}` };
    const [first, again] = [await start(muster, image, {}, key), await start(muster, image, {}, key)];
    t.like(first.body.placement, { agents: 22, complete: false });
    t.is(first.body.placement.candidates.length, named);
    t.is(first.body.placement.candidates[0]?.outcome, outcome);
    t.deepEqual(again.body.placement, first.body.placement);
    const sessionId = first.status === 201 ? first.body.session.sessionId : first.body.sessionId;
    const whole = await muster.read<Explanation>(`/sessions/${sessionId}/placement`);
    t.like(whole, { agents: 22, complete: true, codes: first.body.placement.codes });
    t.is(whole.candidates.length, 22);
    t.deepEqual(whole.candidates.slice(0, named), first.body.placement.candidates);
  }
});

test('If-Match changes nothing once somebody else has changed the agent or the image', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const etag = (await muster.request('GET', '/agents/six')).headers.get('etag') ?? '';
  const patch = (headers: Record<string, string>, coresOverride: number) =>
    muster.request('PATCH', '/agents/six', { body: { coresOverride }, headers });
  t.is((await patch({ 'if-match': etag }, 7)).status, 200);
  const stale = await patch({ 'if-match': etag }, 8);
  t.deepEqual([stale.status, (stale.body as ProblemBody).code], [412, 'STALE']);
  t.is((await muster.agent('six')).coresOverride?.value, 7000);
  await muster.defineImage('one');
  const image = { name: 'one', reference: 'busybox', cores: 2, memory: '1GiB' };
  const put = (headers: Record<string, string>) => muster.request('PUT', '/images/one', { body: image, headers });
  const saved = await put({ 'if-match': '"1"' });
  t.deepEqual([saved.status, saved.headers.get('etag')], [200, '"2"']);
  t.is((await put({ 'if-match': '"1"' })).status, 412);
  t.is((await put({ 'if-none-match': '*' })).status, 412, 'it is there already');
  t.is((await muster.request('DELETE', '/images/one', { headers: { 'if-match': '"1"' } })).status, 412);
  t.is((await muster.request('DELETE', '/images/one', { headers: { 'if-match': '"2"' } })).status, 204);
});

test('an override far from what is there needs a confirmation; each refusal names its numbers', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const far = await muster.request('PATCH', '/agents/six', { body: { coresOverride: '61' } });
  const problem = far.body as ProblemBody;
  t.deepEqual(
    [far.status, problem.code, problem.numbers],
    [409, 'CONFIRM_NEEDED', { override: 61_000, physical: 6000 }],
  );
  const sure = await muster.request('PATCH', '/agents/six', { body: { coresOverride: '61', confirm: true } });
  t.is(sure.status, 200);
  t.is((sure.body as { agent: AgentView }).agent.coresOverride?.value, 61_000);
});

test('stopping a session withdraws it, and evidence ends it; its reason is recorded', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('one');
  const { body } = await start(muster, 'one');
  const { sessionId } = body.session;
  const stopped = await muster.request('DELETE', `/sessions/${sessionId}`, { body: { reason: 'not needed' } });
  t.is(stopped.status, 202);
  for (;;) {
    const { status, body: view } = await muster.request('DELETE', `/sessions/${sessionId}`);
    if (status !== 202) {
      t.deepEqual([status, (view as StartAnswer['session']).phase], [200, 'ended']);
      break;
    }
  }
  const events = await muster.events();
  t.is(events.find(({ type }) => type === 'SessionStopRequested')?.reason, 'not needed');
  t.deepEqual((await muster.agent('six')).allocated, { millicores: 0, memoryBytes: 0, gpus: 0 });
});

test('an image says how its amounts were understood, and a GPU count alone is treated as required', async (t) => {
  const muster = await startGateway(t);
  const body = { name: 'GPU', reference: 'busybox', cores: '500m', memory: '1.5GiB', gpuCount: 2 };
  const { status, body: answer } = await muster.request('PUT', '/images/gpu', { body });
  const image = answer as ImageView & { readonly echoes: readonly string[] };
  t.is(status, 201);
  t.deepEqual(image.echoes, ['0.5 cores, 1.5 GiB, 2 GPUs', 'a GPU count without "require GPU" is treated as required']);
  t.deepEqual(image.gpu, { kind: 'count', count: 2 });
});

test('a repeated request is answered as the first time also when its image is gone meanwhile', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('short-lived');
  const ask = (priority: number) =>
    muster.request('POST', '/sessions', {
      body: { imageId: 'short-lived', priority },
      headers: { 'idempotency-key': 'asked-once' },
    });
  const first = await ask(0);
  t.is(first.status, 201);
  t.is((await muster.request('DELETE', '/images/short-lived')).status, 204);
  const again = await ask(0);
  t.deepEqual([again.status, again.headers.get('idempotency-replayed')], [201, 'true']);
  t.is((again.body as StartAnswer).session.sessionId, (first.body as StartAnswer).session.sessionId);
  t.is(((await ask(1)).body as ProblemBody).code, 'KEY_REUSED');
  const other = await muster.request('POST', '/sessions', { body: { imageId: 'short-lived' } });
  t.is((other.body as ProblemBody).code, 'IMAGE_UNKNOWN');
});
