import test, { type ExecutionContext } from 'ava';
import { startFakeAgent } from './support/fakeAgent.ts';
import { startGateway, type ProblemBody, type Rest, type TestGateway } from './support/gateway.ts';
import { until } from './support/until.ts';

/** Whatever is wrong with a request is said precisely, and nothing is changed by it. */

interface Wrong {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string;
  /** A wrong place and what its message must say. */
  readonly place?: readonly [string, RegExp];
}

const image = (changes: object = {}) => ({ name: 'one', reference: 'busybox', cores: 1, memory: '1GiB', ...changes });
const put = (what: string, changes: object, code: string, place?: readonly [string, RegExp]): Wrong => ({
  what,
  method: 'PUT',
  path: '/images/one',
  body: image(changes),
  status: 400,
  code,
  ...(place === undefined ? {} : { place }),
});
const patch = (what: string, body: object, code: string, place?: readonly [string, RegExp]): Wrong => ({
  what,
  method: 'PATCH',
  path: '/agents/six',
  body,
  status: 400,
  code,
  ...(place === undefined ? {} : { place }),
});

const LONG = 'x'.repeat(300);

const WRONG: readonly Wrong[] = [
  { what: 'no JSON', method: 'PUT', path: '/images/one', raw: '{"name":', status: 400, code: 'INVALID_JSON' },
  {
    what: 'an empty body',
    method: 'PUT',
    path: '/images/one',
    raw: '',
    status: 400,
    code: 'INVALID_JSON',
    headers: { 'content-type': 'application/json' },
  },
  {
    what: 'a JSON text',
    method: 'PUT',
    path: '/images/one',
    body: 'one',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['', /object/],
  },
  {
    what: 'a prototype',
    method: 'PUT',
    path: '/images/one',
    raw: '{"__proto__":{"x":1}}',
    status: 400,
    code: 'INVALID_JSON',
  },
  {
    what: 'plain text',
    method: 'PUT',
    path: '/images/one',
    raw: 'x',
    headers: { 'content-type': 'text/plain' },
    status: 415,
    code: 'UNSUPPORTED_MEDIA_TYPE',
  },
  {
    what: 'more than 1 MB',
    method: 'PUT',
    path: '/images/one',
    body: image({ name: 'x'.repeat(1_100_000) }),
    status: 413,
    code: 'BODY_TOO_LARGE',
  },
  put('an unknown field', { core: 2 }, 'UNKNOWN_FIELD', ['core', /no field/]),
  put('an unknown field deep inside', { ports: [{ containerPort: 80, hostPort: 80 }] }, 'UNKNOWN_FIELD', [
    'ports.0.hostPort',
    /no field/,
  ]),
  put('a wrong type', { name: 7 }, 'INVALID_REQUEST', ['name', /string/]),
  put('a missing field', { name: undefined }, 'INVALID_REQUEST', ['name', /string/]),
  put('negative memory', { memory: -1 }, 'INVALID_REQUEST', ['memory', /non-negative/]),
  put('fractional bytes', { memory: 1.5 }, 'INVALID_REQUEST', ['memory', /whole number of bytes/]),
  put('half a byte', { memory: '0.5' }, 'INVALID_REQUEST', ['memory', /whole number of bytes/]),
  put('no memory', { memory: 0 }, 'INVALID_REQUEST', ['memory', /more than 0/]),
  put('memory of an unknown unit', { memory: '12 apples' }, 'INVALID_REQUEST', ['memory', /not an amount of memory/]),
  put('more memory than can be counted', { memory: '1e30' }, 'INVALID_REQUEST', ['memory', /not an amount/]),
  put('cores finer than a millicore', { cores: 0.0001 }, 'INVALID_REQUEST', ['cores', /finer than a millicore/]),
  put('more cores than can be recorded', { cores: 10_000_000 }, 'INVALID_REQUEST', [
    'cores',
    /more than can be recorded/,
  ]),
  put('negative cores', { cores: -1 }, 'INVALID_REQUEST', ['cores', /not a number of cores/]),
  put('65 GPUs', { gpuCount: 65 }, 'GPU_COUNT_LIMIT', ['gpuCount', /at most 64/]),
  put('half a GPU', { gpuCount: 0.5 }, 'INVALID_REQUEST', ['gpuCount', /int/]),
  put('a port past the last', { ports: [{ containerPort: 65_536 }] }, 'INVALID_REQUEST', [
    'ports.0.containerPort',
    /65535/,
  ]),
  put('a CPU mode that is none', { cpuMode: 'fast' }, 'INVALID_REQUEST', ['cpuMode', /shares/]),
  put('a variable name that is none', { environment: { 'A B': 'x' } }, 'INVALID_REQUEST', [
    'environment.A B',
    /not a name for/,
  ]),
  put('a variable that looks like a secret', { environment: { DB_PASSWORD: 'x' } }, 'ENVIRONMENT_LOOKS_SECRET'),
  put('a label that is none', { includeLabels: ['gpu', 'Gpu = l40'] }, 'INVALID_REQUEST', [
    'includeLabels.1',
    /key or key=value/,
  ]),
  put('too many labels', { excludeLabels: Array.from({ length: 17 }, () => 'a') }, 'INVALID_REQUEST', [
    'excludeLabels',
    /16/,
  ]),
  put('a reference that is none', { reference: 'Not A Reference' }, 'REFERENCE_INVALID'),
  put('a registry that is not allowed', { reference: 'registry.example/x' }, 'REGISTRY_NOT_ALLOWED'),
  put('half a character', { reason: '\uD800' }, 'INVALID_REQUEST', ['reason', /half a character/]),
  put('half a character in a name', { environment: { '\uDFFF': 'x' } }, 'INVALID_REQUEST', [
    'environment.\uFFFD',
    /half/,
  ]),
  {
    what: 'a body of half a million levels',
    method: 'PUT',
    path: '/images/one',
    raw: `{"name":${'['.repeat(500_000)}${']'.repeat(500_000)}}`,
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['name.0.0', /levels/],
  },
  put('a reason that is too long', { reason: 'x'.repeat(501) }, 'INVALID_REQUEST', ['reason', /500/]),
  {
    what: 'an id with a dot',
    method: 'PUT',
    path: '/images/a.b',
    body: image(),
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['imageId', /letters, digits/],
  },
  {
    what: 'an id of 300 characters',
    method: 'PUT',
    path: `/images/${LONG}`,
    body: image(),
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['imageId', /1 to 64/],
  },
  {
    what: 'a way up in an id',
    method: 'GET',
    path: '/images/..%2F..%2Fetc',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['imageId', /./],
  },
  { what: 'an unknown image', method: 'GET', path: '/images/none', status: 404, code: 'IMAGE_UNKNOWN' },
  { what: 'an unknown image to retire', method: 'DELETE', path: '/images/none', status: 404, code: 'IMAGE_UNKNOWN' },
  { what: 'an unknown agent', method: 'PATCH', path: '/agents/none', body: {}, status: 404, code: 'AGENT_UNKNOWN' },
  {
    what: 'an agent id with a dot',
    method: 'POST',
    path: '/agents/a.b/approve',
    body: {},
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['agentId', /letters/],
  },
  {
    what: 'an unknown agent to approve',
    method: 'POST',
    path: '/agents/none/approve',
    body: {},
    status: 404,
    code: 'AGENT_UNKNOWN',
  },
  { what: 'an unknown session', method: 'DELETE', path: '/sessions/none', status: 404, code: 'SESSION_UNKNOWN' },
  {
    what: 'the placement of an unknown session',
    method: 'GET',
    path: '/sessions/none/placement',
    status: 404,
    code: 'SESSION_UNKNOWN',
  },
  {
    what: 'a session of an unknown image',
    method: 'POST',
    path: '/sessions',
    body: { imageId: 'none' },
    status: 404,
    code: 'IMAGE_UNKNOWN',
  },
  {
    what: 'a session on an unknown agent',
    method: 'POST',
    path: '/sessions',
    body: { imageId: 'there', agentId: 'none' },
    status: 404,
    code: 'AGENT_UNKNOWN',
  },
  {
    what: 'a session in an unknown zone',
    method: 'POST',
    path: '/sessions',
    body: { imageId: 'there', zone: 'none' },
    status: 404,
    code: 'ZONE_UNKNOWN',
  },
  {
    what: 'a plan on an unknown agent',
    method: 'POST',
    path: '/placement/plan',
    body: { imageId: 'there', agentId: 'none' },
    status: 404,
    code: 'AGENT_UNKNOWN',
  },
  {
    what: 'a priority past the limit',
    method: 'POST',
    path: '/sessions',
    body: { imageId: 'there', priority: 1001 },
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['priority', /1000/],
  },
  {
    what: 'an empty idempotency key',
    method: 'POST',
    path: '/sessions',
    body: { imageId: 'there' },
    headers: { 'idempotency-key': '' },
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['Idempotency-Key', /128/],
  },
  {
    what: 'a long idempotency key',
    method: 'POST',
    path: '/sessions',
    body: { imageId: 'there' },
    headers: { 'idempotency-key': 'k'.repeat(129) },
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['Idempotency-Key', /128/],
  },
  patch('an unknown setting', { drain: true }, 'UNKNOWN_FIELD', ['drain', /no field/]),
  patch('a negative override', { coresOverride: -2 }, 'INVALID_REQUEST', ['coresOverride', /./]),
  patch('an override that is no amount', { memoryOverride: 'lots' }, 'INVALID_REQUEST', [
    'memoryOverride',
    /not an amount/,
  ]),
  patch('NaN written as a text', { memoryOverride: 'NaN' }, 'INVALID_REQUEST', ['memoryOverride', /not an amount/]),
  patch('a label whose key is none', { labels: { 'My rack': 'a' } }, 'INVALID_REQUEST', ['labels.My rack', /a key is/]),
  patch('a label whose value is none', { labels: { rack: 'a b' } }, 'INVALID_REQUEST', ['labels.rack', /a value is/]),
  patch('a prune mode that is none', { pruneMode: 'all' }, 'INVALID_REQUEST', ['pruneMode', /off/]),
  {
    what: 'If-Match that is none',
    method: 'PATCH',
    path: '/agents/six',
    body: {},
    headers: { 'if-match': 'x' },
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['If-Match', /./],
  },
  { what: 'an unknown route', method: 'GET', path: '/nothing/here', status: 404, code: 'ROUTE_UNKNOWN' },
  { what: 'an unknown log', method: 'GET', path: '/events?log=zone-x', status: 404, code: 'LOG_UNKNOWN' },
  {
    what: 'a position that is none',
    method: 'GET',
    path: '/events?after=17',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['after', /position/],
  },
  {
    what: "another log's position",
    method: 'GET',
    path: '/events?log=fleet&after=zone-default:1',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['after', /fleet/],
  },
  {
    what: 'an unknown parameter',
    method: 'GET',
    path: '/events?agent=six',
    status: 400,
    code: 'UNKNOWN_FIELD',
    place: ['agent', /no field/],
  },
  {
    what: 'a page that is too long',
    method: 'GET',
    path: '/events?limit=1001',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['limit', /1000/],
  },
  {
    what: 'more history than there is',
    method: 'GET',
    path: '/agents/six/utilization?hours=9601',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['hours', /9600/],
  },
  {
    what: 'a view that is none',
    method: 'GET',
    path: '/live?view=all',
    status: 400,
    code: 'INVALID_REQUEST',
    place: ['view', /fleet/],
  },
];

test('every wrong request gets its own problem, and nothing changes', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('there');
  const before = await moment(muster);
  for (const wrong of WRONG) await refused(t, muster, wrong);
  t.deepEqual(await moment(muster), before);
});

test('an agent that waits for approval has no settings yet, and runs nothing', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const agent = startFakeAgent(await muster.nats.connect('app'), { agentId: 'new', cores: 1, memoryGib: 1 });
  t.teardown(agent.stop);
  await until('new pending', muster.agents, (agents) => agents.length === 2);
  const { status, body } = await muster.request('PATCH', '/agents/new', { body: { enabled: true } });
  t.deepEqual([status, (body as ProblemBody).code], [409, 'AGENT_NOT_APPROVED']);
  t.is((await muster.agent('new')).intent, 'pending');
});

async function refused(t: ExecutionContext, muster: Rest, wrong: Wrong): Promise<void> {
  const { what, method, path, status, code, place } = wrong;
  const { body, raw, headers } = wrong;
  const reply = await muster.request(method, path, {
    ...(body === undefined ? {} : { body }),
    ...(raw === undefined ? {} : { raw }),
    ...(headers === undefined ? {} : { headers }),
  });
  const problem = reply.body as ProblemBody;
  t.deepEqual([reply.status, problem.code], [status, code], `${what}: ${JSON.stringify(problem)}`);
  t.regex(reply.headers.get('content-type') ?? '', /^application\/problem\+json/, what);
  t.is(problem.status, status, what);
  t.true(problem.detail.length > 10 && !/\bat .*\.ts|node_modules/.test(problem.detail), what);
  if (place === undefined) return;
  const [path_, message] = place;
  const found = problem.errors?.find((error) => error.path === path_);
  t.regex(found?.message ?? '', message, `${what}: ${JSON.stringify(problem.errors)}`);
}

/** What any accepted command would have moved. */
async function moment(muster: TestGateway): Promise<unknown> {
  const [agents, images, sessions, fleet, zone] = await Promise.all([
    muster.read<{ readonly agents: readonly { readonly settingsVersion: number }[] }>('/agents'),
    muster.read('/images'),
    muster.read('/sessions'),
    muster.events('?log=fleet&limit=1000'),
    muster.events(),
  ]);
  return [agents.agents.map(({ settingsVersion }) => settingsVersion), images, sessions, fleet.length, zone.length];
}
