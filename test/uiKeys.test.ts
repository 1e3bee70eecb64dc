import { everyToken, keyRow, tokenRow } from '../ui/gallery/accessRows.ts';
import { accessPageSpecs, dialogNamed, focused, isClosed, rowOf } from './support/accessPage.ts';
import { problem } from './support/fakeGateway.ts';

/** Access keys and manager tokens on their page, in a real browser, against a gateway with canned answers. */

const withGateway = accessPageSpecs();

withGateway('a key is shown once, with how it is used, and ends when it was said to', async (t, { gateway, open }) => {
  const page = await open();
  await page.getByRole('button', { name: 'Issue a key' }).click();
  const dialog = await dialogNamed(page, 'Issue an access key');
  await dialog.getByRole('button', { name: 'Issue key' }).click();
  await dialog.getByText('Say what the key is for.').waitFor();
  await dialog.getByLabel('Name', { exact: true }).fill('backup');
  await dialog.getByLabel('Works for').selectOption('No end');
  await dialog.getByText('It works until somebody revokes it.').waitFor();
  await dialog.getByLabel('Works for').selectOption('30 days');
  await dialog.getByText(/^Until \d+ \w+ 20\d\d\.$/).waitFor();
  await dialog.getByRole('button', { name: 'Issue key' }).click();
  const issued = await dialogNamed(page, 'Key “backup” is issued');
  await issued.getByText('This is the only time it is shown.').waitFor();
  t.is(await issued.getByLabel('Access key', { exact: true }).inputValue(), 'mk_made1_shown-once');
  await issued.getByText(`curl -H "Authorization: Bearer $MUSTER_KEY" ${gateway.url}/api/v1/agents`).waitFor();
  await issued.getByText('nats --user made1 --password "${MUSTER_KEY#mk_*_}"').waitFor();
  const [sent] = gateway.sentTo('POST', '/keys') as {
    readonly name: string;
    readonly role: string;
    readonly expiresAt: string;
  }[];
  t.like(sent, { name: 'backup', role: 'viewer' });
  t.is(Math.round((Date.parse(sent?.expiresAt ?? '') - Date.now()) / 86_400_000), 30);
  await issued.getByRole('button', { name: 'Done' }).click();
  await isClosed(page);
  await rowOf(page, 'backup').getByText('Ends in').waitFor();
  t.false((await page.content()).includes('shown-once'));
});

withGateway('a key whose text was lost on the way is said to be of no use', async (t, { gateway, open }) => {
  const page = await open();
  gateway.answers.set('POST /keys', { status: 201, body: { key: keyRow({ name: 'backup' }), secret: null } });
  await page.getByRole('button', { name: 'Issue a key' }).click();
  const dialog = await dialogNamed(page, 'Issue an access key');
  await dialog.getByLabel('Name', { exact: true }).fill('backup');
  await dialog.getByRole('button', { name: 'Issue key' }).click();
  await dialog.getByText('revoke this one, and issue another').waitFor();
  t.is(await dialog.getByLabel('Access key', { exact: true }).count(), 0);
});

withGateway('a key is revoked with a reason, and its row goes', async (t, { gateway, open }) => {
  const page = await open();
  await page.getByRole('button', { name: 'Revoke nightly jobs' }).click();
  const dialog = await dialogNamed(page, 'Revoke “nightly jobs”?');
  await dialog.getByRole('button', { name: 'Revoke key' }).click();
  t.deepEqual(gateway.sent, [], 'not without a reason');
  await dialog.getByLabel('Reason').fill('it was in a log');
  await dialog.getByRole('button', { name: 'Revoke key' }).click();
  await page.getByText('No program has a key yet').waitFor();
  await isClosed(page);
  t.deepEqual(gateway.sentTo('DELETE', '/keys/k3fwq2m7xa4b'), [{ reason: 'it was in a log' }]);
  t.is(await focused(page), 'keys');
});

withGateway('a manager token is shown once, with how a host joins by it', async (t, { gateway, open }) => {
  const page = await open();
  await page.getByText('No host can join yet').waitFor();
  await page.getByRole('button', { name: 'Issue a token' }).click();
  const dialog = await dialogNamed(page, 'Issue a manager token');
  await dialog.getByLabel('Reason (optional)').fill('a new rack');
  await dialog.getByRole('button', { name: 'Issue token' }).click();
  const issued = await dialogNamed(page, 'The manager token is issued');
  t.is(await issued.getByLabel('Manager token', { exact: true }).inputValue(), 'mt_made1_shown-once');
  await issued.getByText('npx muster agent --join <bus url> --token-file').waitFor();
  t.is(await focused(page), 'Copy Manager token');
  t.deepEqual(gateway.sentTo('POST', '/manager-tokens'), [{ reason: 'a new rack' }]);
  await issued.getByRole('button', { name: 'Done' }).click();
  await isClosed(page);
  await rowOf(page, 'made1').waitFor();
});

withGateway(
  'the last manager token is revoked by force alone, after another question',
  async (t, { gateway, open }) => {
    gateway.access.tokens = everyToken(Date.now());
    const [newest] = gateway.access.tokens;
    const page = await open();
    const forced: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'DELETE') forced.push(new URL(request.url()).searchParams.get('force') ?? '');
    });
    await page.getByRole('button', { name: `Revoke manager token ${newest?.tokenId}` }).click();
    const first = await dialogNamed(page, `Revoke manager token ${newest?.tokenId}?`);
    await first.getByText('Sessions run on').waitFor();
    await first.getByLabel('Reason').fill('rotated');
    await first.getByRole('button', { name: 'Revoke token' }).click();
    await isClosed(page);
    await page.getByRole('button', { name: /^Revoke manager token/ }).click();
    const last = await dialogNamed(page, 'Revoke the last manager token?');
    await last.getByText('no agent at all is admitted').waitFor();
    await last.getByLabel('Reason').fill('it was stolen');
    await last.getByRole('button', { name: 'Revoke the last one' }).click();
    await page.getByText('No host can join yet').waitFor();
    t.deepEqual(forced, ['false', 'true']);
    t.deepEqual(gateway.sentTo('DELETE', `/manager-tokens/${newest?.tokenId}`), [{ reason: 'rotated' }]);
  },
);

withGateway(
  'a token that another admin made the last one stays, in the words of the gateway',
  async (t, { gateway, open }) => {
    gateway.access.tokens = [tokenRow(), tokenRow({ tokenId: 'x6c4v2b7n5m3' })];
    gateway.answers.set('DELETE /manager-tokens/m4t2k7q3w5zb', {
      status: 409,
      body: problem(409, 'MANAGER_TOKEN_LAST', 'm4t2k7q3w5zb is the last manager token'),
    });
    const page = await open();
    await page.getByRole('button', { name: 'Revoke manager token m4t2k7q3w5zb' }).click();
    const dialog = await dialogNamed(page, 'Revoke manager token m4t2k7q3w5zb?');
    await dialog.getByLabel('Reason').fill('rotated');
    await dialog.getByRole('button', { name: 'Revoke token' }).click();
    await dialog.getByText('MANAGER_TOKEN_LAST').waitFor();
    t.is(gateway.access.tokens.length, 2);
  },
);
