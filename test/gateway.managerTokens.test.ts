import test from 'ava';
import { codeOf, fleetEvents, LOCAL_KEY, memoryApp } from './support/memoryApp.ts';

/** Manager tokens on REST: what admits agents to the bus. */

interface Issued {
  readonly managerToken: { readonly tokenId: string; readonly fingerprint: string; readonly lastUsedAt: string | null };
  readonly text: string | null;
}

interface Listed {
  readonly managerTokens: readonly Issued['managerToken'][];
}

test('a manager token is shown once, and listed without what agents show; repeating the request gives no second one', async (t) => {
  const lines: string[] = [];
  const muster = await memoryApp(t, lines);
  const headers = { 'idempotency-key': 'issue-1' };
  const asking = { key: LOCAL_KEY, body: { reason: 'the first hosts' }, headers };
  const first = await muster.ask('POST', '/manager-tokens', asking);
  const { managerToken, text } = first.body as Issued;
  t.is(first.status, 201);
  t.regex(text ?? '', new RegExp(`^mt_${managerToken.tokenId}_[\\w-]{43}$`));
  t.like((await muster.ask('POST', '/manager-tokens', asking)).body, {
    managerToken: { tokenId: managerToken.tokenId },
    text: null,
  });
  t.is(muster.secrets.standing.size, 1);
  const other = await muster.admin<Issued>('POST', '/manager-tokens');
  t.is(muster.access.managerTokens.verify(text ?? ''), managerToken.tokenId);
  const { managerTokens } = await muster.admin<Listed>('GET', '/manager-tokens');
  t.deepEqual(
    managerTokens.map(({ tokenId, lastUsedAt }) => [tokenId, lastUsedAt !== null]),
    [
      [other.managerToken.tokenId, false],
      [managerToken.tokenId, true],
    ],
  );
  t.regex(managerTokens[1]?.lastUsedAt ?? '', /:00\.000Z$/);
  const events = await fleetEvents(muster);
  t.like(events.at(-2), {
    type: 'ManagerTokenIssued',
    actor: { kind: 'operator', id: 'admin' },
    reason: 'the first hosts',
    data: { tokenId: managerToken.tokenId, fingerprint: managerToken.fingerprint },
  });
  const metrics = await muster.ask('GET', '//metrics', { key: LOCAL_KEY });
  const all = JSON.stringify([lines, events, managerTokens, metrics.text]);
  for (const secret of [text, other.text]) t.false(all.includes((secret ?? '').slice(-43)));
});

test('a manager token ends by being revoked, which needs a reason; the last one only by force', async (t) => {
  const muster = await memoryApp(t);
  const [one, two] = [
    await muster.admin<Issued>('POST', '/manager-tokens'),
    await muster.admin<Issued>('POST', '/manager-tokens'),
  ];
  const path = (issued: Issued, query = '') => `/manager-tokens/${issued.managerToken.tokenId}${query}`;
  const refused = async (where: string, body?: object) =>
    codeOf(await muster.ask('DELETE', where, { key: LOCAL_KEY, ...(body === undefined ? {} : { body }) }));
  const body = { reason: 'it was printed in a log' };
  t.deepEqual(await refused(path(one)), [400, 'INVALID_REQUEST']);
  await muster.admin('DELETE', path(one), body);
  t.is(muster.access.managerTokens.verify(one.text ?? ''), null);
  t.deepEqual([...muster.secrets.standing.keys()], [`manager-token.${two.managerToken.tokenId}`]);
  t.deepEqual(await refused(path(one), body), [404, 'MANAGER_TOKEN_UNKNOWN']);
  t.deepEqual(await refused(path(two), body), [409, 'MANAGER_TOKEN_LAST']);
  t.deepEqual(await refused(path(two, '?force=false'), body), [409, 'MANAGER_TOKEN_LAST']);
  t.deepEqual(await refused(path(two, '?force=yes'), body), [400, 'INVALID_REQUEST']);
  await muster.admin('DELETE', path(two, '?force=true'), body);
  t.is(muster.secrets.standing.size, 0);
});

test('a manager token that was not issued leaves no secret', async (t) => {
  const muster = await memoryApp(t);
  for (let count = 0; count < 8; count += 1) await muster.admin('POST', '/manager-tokens');
  const refused = await muster.ask('POST', '/manager-tokens', { key: LOCAL_KEY });
  t.deepEqual(codeOf(refused), [409, 'MANAGER_TOKENS_FULL']);
  t.is(muster.secrets.standing.size, 8);
});
