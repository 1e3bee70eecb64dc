import { randomBytes } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import { agentClientName, agentPassword, newAgentSecret } from '../../../infra/agentIdentity.ts';
import { connectBus } from '../../../infra/bus/connect.ts';
import type { RunningMuster } from '../muster.ts';
import { rawClient } from '../rawClient.ts';
import { until } from '../until.ts';
import type { ScanClient } from './client.ts';
import type { Finder } from './finder.ts';

/** Harmless names that go wherever events and views go. */
export const IMAGE = 'An image that is looked for';
export const PERSON = 'proof-of-the-search';

interface Stage {
  readonly muster: RunningMuster;
  readonly busUrl: string;
  readonly secondUrl: string;
  readonly adminKey: string;
  /** That of the machine, which is live. */
  readonly managerToken: string;
  readonly finder: Finder;
  readonly client: ScanClient;
}

/** Makes each secret, uses it, gets it wrong and takes it away, on both gateways; then reads all that can be asked for. */
export async function everySecret(t: ExecutionContext, stage: Stage): Promise<void> {
  const { muster, client, adminKey } = stage;
  const api = `${muster.url}/api/v1`;
  await client.follow(`${api}/live?view=fleet`, adminKey);
  await client.follow(`${api}/live?view=events&log=fleet`, adminKey);
  await people(t, stage);
  await keys(t, stage);
  await agents(t, stage);
  await wrongEverywhere(t, stage);
  const image = { name: IMAGE, reference: 'busybox', cores: 1, memory: '1GiB' };
  t.is((await client.ask('PUT', `${api}/images/one`, { key: adminKey, body: image })).status, 201);
  t.is((await client.ask('POST', `${api}/sessions`, { key: adminKey, body: { imageId: 'one' } })).status, 202);
  await readEverything(t, stage);
}

/** The secret part of a text: 256 bits in base64url, behind what says whose they are. Its bytes are as secret. */
function tokenIn(finder: Finder, name: string, text: string): string {
  const [token = ''] = /[\w-]{43}$/.exec(text) ?? [];
  finder.add(name, token);
  finder.add(name, Buffer.from(token, 'base64url'));
  return text;
}

async function people(t: ExecutionContext, { muster, secondUrl, adminKey, finder, client }: Stage): Promise<void> {
  const [api, other] = [`${muster.url}/api/v1`, `${secondUrl}/api/v1`];
  const cookieOf = async (name: string, url: string, body: object, cookie?: string) => {
    const answer = await client.ask('POST', url, { body, shows: [name], ...(cookie === undefined ? {} : { cookie }) });
    t.true(answer.status === 204 || answer.status === 201, `${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return tokenIn(finder, name, answer.cookie);
  };
  const password = (name: string, text: string) => {
    finder.add(name, text);
    return text;
  };
  const [, first = ''] = muster.signInUrl.split('#sign-in=');
  const local = await cookieOf('the cookie of the first link', `${api}/sign-in`, {
    token: tokenIn(finder, 'the first link', first),
  });
  const firstPassword = password("the account's first password", 'früh "am" Morgen\\ist es noch kalt');
  const account = { personId: PERSON, name: 'Proof', password: firstPassword };
  const begun = await cookieOf('the cookie of the first account', `${api}/first-account`, account, local);
  const newPassword = password("the account's password", 'später & am <Abend> 100 % warm');
  const change = { current: firstPassword, password: newPassword };
  t.true((await client.ask('PUT', `${api}/me/password`, { cookie: begun, body: change })).status < 300);
  const byPassword = { account: PERSON, password: newPassword };
  await until(
    'the account at the second gateway',
    () => client.ask('GET', `${other}/people`, { key: adminKey }),
    ({ body }) => JSON.stringify(body).includes(PERSON),
  );
  const here = await cookieOf('a cookie by password', `${api}/sign-in`, byPassword);
  const there = await cookieOf('a cookie of the second gateway', `${other}/sign-in`, byPassword);
  for (const cookie of [here, there]) t.is((await client.ask('GET', `${api}/me`, { cookie })).status, 200);
  t.is((await client.ask('GET', `${api}/me/sessions`, { cookie: here })).status, 200);
  t.is((await client.ask('POST', `${other}/sign-out`, { cookie: there })).status, 204);

  const ben = { personId: 'ben', name: 'Ben', role: 'viewer' };
  t.is((await client.ask('POST', `${api}/people`, { key: adminKey, body: ben })).status, 201);
  const link = async (name: string, at: string) => {
    const { body } = await client.ask('POST', at, { key: adminKey, shows: [name] });
    const [, token = ''] = /#[a-z-]+=(.*)$/.exec((body as { readonly url: string }).url) ?? [];
    return tokenIn(finder, name, token);
  };
  const token = await link("Ben's link", `${api}/people/ben/sign-in-link`);
  const benPassword = password("Ben's password", 'ein Satz, den sonst niemand kennt');
  await cookieOf("Ben's cookie", `${api}/set-password`, { token, password: benPassword });
  t.is((await client.ask('POST', `${api}/set-password`, { body: { token, password: benPassword } })).status, 401);
  await link("a link of Ben's that is not used", `${api}/people/ben/sign-in-link`);
  await link('a sign-in link that is not used', `${api}/sign-in-links`);
  const reason = { reason: 'left' };
  t.true((await client.ask('DELETE', `${api}/people/ben`, { key: adminKey, body: reason })).status < 300);
}

async function keys(
  t: ExecutionContext,
  { muster, busUrl, secondUrl, adminKey, finder, client }: Stage,
): Promise<void> {
  const api = `${muster.url}/api/v1`;
  const body = { name: 'jobs', role: 'operator' };
  const { body: issued } = await client.ask('POST', `${api}/keys`, { key: adminKey, body, shows: ['an access key'] });
  const { secret, key } = issued as { readonly secret: string; readonly key: { readonly keyId: string } };
  tokenIn(finder, 'an access key', secret);
  for (const url of [muster.url, secondUrl]) {
    const used = () => client.ask('GET', `${url}/api/v1/agents`, { key: secret });
    await until('the key is known', used, ({ status }) => status === 200);
  }
  t.is((await client.ask('GET', `${api}/keys`, { key: secret })).status, 403);
  const onBus = { user: key.keyId, pass: secret.slice(-43) };
  const program = await rawClient(t, busUrl, onBus);
  await program?.publish(`muster.query.${key.keyId}.zones`, { reply: `_INBOX_${key.keyId}.1` });
  const byMistake = await client.ask('GET', `${api}/agents?key=${secret}`, {});
  t.is(byMistake.status, 401);
  const revoke = { key: adminKey, body: { reason: 'it was in a log' } };
  t.true((await client.ask('DELETE', `${api}/keys/${key.keyId}`, revoke)).status < 300);
  t.is((await client.ask('GET', `${api}/agents`, { key: secret })).status, 401);
  await program?.ended;
  t.is(await rawClient(t, busUrl, onBus), null);
  const wrong = tokenIn(finder, 'a wrong secret of a key', `mk_${key.keyId}_${randomBytes(32).toString('base64url')}`);
  t.is((await client.ask('GET', `${api}/agents`, { key: wrong })).status, 401);
}

/** Agents that come to the bus with a token and a secret of their own, rightly and wrongly, and lose it again. */
async function agents(t: ExecutionContext, { muster, busUrl, adminKey: key, managerToken, finder, client }: Stage) {
  const api = `${muster.url}/api/v1`;
  const shows = ['a manager token'];
  const { body } = await client.ask('POST', `${api}/manager-tokens`, { key, body: {}, shows });
  const issued = body as { readonly text: string; readonly managerToken: { readonly tokenId: string } };
  const token = tokenIn(finder, 'a manager token', issued.text);
  const wrongToken = `${token.slice(0, -43)}${tokenIn(finder, 'a wrong manager token', randomBytes(32).toString('base64url'))}`;
  const secretOf = (name: string) => tokenIn(finder, name, newAgentSecret());
  const [secret, other] = [secretOf("a second agent's secret"), secretOf('the secret of somebody else')];
  const shown = { user: 'second-agent', name: agentClientName({ hostname: 'second-host', simulated: false }) };
  const enter = (pass: string) => rawClient(t, busUrl, { ...shown, pass });
  const pending = await enter(agentPassword(token, secret));
  t.truthy(pending);
  for (const pass of [agentPassword(wrongToken, secret), agentPassword(managerToken, other), token, secret]) {
    t.is(await enter(pass), null);
  }
  t.is((await client.ask('POST', `${api}/agents/second-agent/approve`, { key, body: {} })).status, 200);
  await pending?.ended;
  const approved = await enter(agentPassword(managerToken, secret));
  await approved?.publish('muster.checkin.default.second-agent', { body: 'no check-in at all' });
  const reason = { key, body: { reason: 'it was stolen' } };
  const { tokenId } = issued.managerToken;
  t.true((await client.ask('DELETE', `${api}/manager-tokens/${tokenId}`, reason)).status < 300);
  t.is(await enter(agentPassword(token, secret)), null);
  t.is((await client.ask('POST', `${api}/agents/second-agent/revoke`, reason)).status, 200);
  await approved?.ended;
  t.is(await enter(agentPassword(managerToken, secret)), null);
}

/** What somebody types or sends where it does not belong is a secret all the same. */
async function wrongEverywhere(t: ExecutionContext, { muster, busUrl, finder, client }: Stage): Promise<void> {
  const api = `${muster.url}/api/v1`;
  const madeUp = (name: string) => tokenIn(finder, name, randomBytes(32).toString('base64url'));
  const texts = { wrong: 'nicht das richtige Wort', typed: 'mein wort im falschen feld', short: 'zu kurz!' };
  finder.add('a wrong password', texts.wrong);
  finder.add('a password typed as the account', texts.typed);
  finder.add('a password that is refused', texts.short);
  const refused: readonly (readonly [string, object])[] = [
    ['sign-in', { account: PERSON, password: texts.wrong }],
    ['sign-in', { account: 'nobody', password: texts.wrong }],
    ['sign-in', { account: texts.typed, password: texts.wrong }],
    ['sign-in', { account: PERSON, password: texts.wrong, extra: texts.typed }],
    ['sign-in', { token: madeUp('a wrong link') }],
    ['set-password', { token: `${PERSON}.${madeUp('a wrong link for a password')}`, password: texts.short }],
  ];
  for (const [path, body] of refused) {
    const { status } = await client.ask('POST', `${api}/${path}`, { body });
    t.true(status === 400 || status === 401, `${path}: ${status}`);
  }
  const cookie = `muster=v2.${madeUp('a wrong cookie')}`;
  t.is((await client.ask('GET', `${api}/me`, { cookie })).status, 401);
  t.is((await client.ask('GET', `${api}/me`, { key: madeUp('a wrong key') })).status, 401);
  const password = madeUp('a wrong password of the bus');
  const entering = connectBus({
    url: busUrl,
    user: 'muster-log',
    password,
    name: 'wrong',
    signal: AbortSignal.timeout(5000),
  });
  await t.throwsAsync(entering, { code: 'BUS_REFUSED' });
}

/** Everything that can be asked for, once the fleet's log has a snapshot. */
async function readEverything(t: ExecutionContext, { muster, secondUrl, adminKey: key, client }: Stage): Promise<void> {
  const body = { reason: 'to have a snapshot' };
  t.is((await client.ask('POST', `${muster.url}/api/v1/logs/fleet/seal`, { key, body })).status, 200);
  await until(
    'a snapshot of the fleet',
    () => client.ask('GET', `${muster.url}/api/v1/logs`, { key }),
    ({ body: logs }) => snapshotsOf(logs, 'fleet').length > 0,
  );
  await until(
    'the agent obeys its document',
    () => client.ask('GET', `${muster.url}/api/v1/agents`, { key }),
    ({ body: answer }) => JSON.stringify(answer).includes('"online"'),
  );
  const paths = [
    'agents',
    'images',
    'sessions',
    'zones',
    'people',
    'keys',
    'manager-tokens',
    'logs',
    'me',
    'logs/fleet/verification',
  ];
  const reads = [...paths, 'events?log=fleet&limit=1000', 'events?limit=1000'].map((path) => `/api/v1/${path}`);
  for (const path of [...reads, '/', '/docs/', '/docs/json', '/openapi.json', '/metrics', '/readyz', '/healthz']) {
    for (const url of [muster.url, secondUrl])
      t.is((await client.ask('GET', `${url}${path}`, { key })).status, 200, path);
  }
}

function snapshotsOf(body: unknown, log: string): readonly unknown[] {
  const { logs } = body as {
    readonly logs: readonly { readonly log: string; readonly snapshots: readonly unknown[] }[];
  };
  return logs.find((each) => each.log === log)?.snapshots ?? [];
}
