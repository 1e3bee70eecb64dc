import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { isSecretsFull } from '../infra/secrets/errors.ts';
import { makeKeyFile, readKeyFile } from '../infra/secrets/keyFile.ts';
import { createMemorySecrets, sharedSecrets } from '../infra/secrets/memory.ts';
import { MOST_SECRETS } from '../infra/secrets/port.ts';
import { createSeal } from '../infra/secrets/seal.ts';
import { ShownSecrets } from '../infra/secrets/shown.ts';
import { secretsContract, type SecretsHarness } from './contracts/secrets.ts';
import { temporaryFolder } from './support/folder.ts';

secretsContract(
  (title, implementation) => test(`in memory: ${title}`, implementation),
  async (): Promise<SecretsHarness> => {
    const shared = sharedSecrets();
    const setAway = (away: boolean) => async (): Promise<void> => {
      shared.away = away;
    };
    return {
      store: createMemorySecrets(shared),
      another: async () => createMemorySecrets(shared),
      away: setAway(true),
      back: setAway(false),
    };
  },
);

test('one secret more than are kept at a time is refused until another is removed', async (t) => {
  const store = createMemorySecrets();
  for (let number = 1; number <= MOST_SECRETS; number += 1) await store.put(`session.${number}`, 'x', null);
  const refusal = await t.throwsAsync(store.put('session.more', 'x', null));
  t.true(isSecretsFull(refusal));
  const revision = await store.put('session.1', 'y', store.get('session.1')?.revision ?? null);
  await store.remove('session.1', revision);
  await store.put('session.more', 'x', null);
  t.is(store.names('').length, MOST_SECRETS);
});

test('a removal that nobody heard of is made up for by what stands, and what was written since stays', (t) => {
  const shown = new ShownSecrets();
  const told: string[] = [];
  shown.onChange((name) => told.push(name));
  shown.show('key.removed', 'a', 5);
  shown.show('key.stays', 'b', 6);
  shown.show('key.new', 'c', 9);
  told.length = 0;
  shown.keepOnly(new Set(['key.stays']), 8);
  t.deepEqual([shown.names(''), told], [['key.new', 'key.stays'], ['key.removed']]);
});

test('what is older than what is shown changes nothing, until the store begins anew', (t) => {
  const shown = new ShownSecrets();
  shown.show('cookie', 'new', 7);
  shown.show('cookie', 'old', 6);
  shown.show('cookie', null, 6);
  t.deepEqual([shown.get('cookie'), shown.highest], [{ value: 'new', revision: 7 }, 7]);
  shown.startAnew();
  t.is(shown.get('cookie'), null);
  shown.show('cookie', 'old', 6);
  t.deepEqual(shown.get('cookie'), { value: 'old', revision: 6 });
});

test('a sealed value opens with its key and under its name only, whole, and differs each time', (t) => {
  const seal = createSeal(randomBytes(32));
  const sealed = seal.close('key.a', 'ä value');
  t.is(seal.open('key.a', sealed), 'ä value');
  t.is(seal.open('key.b', sealed), null);
  t.is(createSeal(randomBytes(32)).open('key.a', sealed), null);
  t.notDeepEqual(seal.close('key.a', 'ä value'), sealed);
  for (let at = 0; at < sealed.length; at += 1) {
    const altered = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ 1 : byte));
    t.is(seal.open('key.a', altered), null, `byte ${at}`);
    t.is(seal.open('key.a', sealed.subarray(0, at)), null, `cut at ${at}`);
  }
});

test('the key file is made once, for its owner alone, also by many at a time', async (t) => {
  const path = join(await temporaryFolder(t), 'deep', 'er', 'secrets.key');
  t.is(await readKeyFile(path), null);
  const keys = await Promise.all(Array.from({ length: 20 }, () => makeKeyFile(path)));
  t.is(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1);
  t.deepEqual(await readKeyFile(path), keys[0]);
  t.is((await stat(path)).mode & 0o777, 0o600);
  t.regex(await readFile(path, 'utf8'), /^[A-Za-z0-9_-]{43}\n$/);
  t.deepEqual(await readdir(dirname(path)), ['secrets.key']);
});

test('a key file that others may read or write is refused with the command that mends it', async (t) => {
  const path = join(await temporaryFolder(t), 'secrets.key');
  await makeKeyFile(path);
  for (const mode of [0o640, 0o604, 0o620, 0o601]) {
    await chmod(path, mode);
    const error = await t.throwsAsync(readKeyFile(path), { code: 'SECRETS_KEY_FILE' });
    t.true(error?.message.includes(`mode 0${mode.toString(8)}): chmod 600 ${path}`));
  }
  await chmod(path, 0o400);
  t.is((await readKeyFile(path))?.length, 32);
});

test('what is no key is refused and never shown', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'secrets.key');
  const good = Buffer.alloc(32, 7).toString('base64url');
  for (const text of [
    '',
    '\n',
    good.slice(1),
    `${good}A`,
    `${good.slice(1)}=`,
    `${good}\n${good}\n`,
    'x'.repeat(5000),
  ]) {
    await writeFile(path, text, { mode: 0o600 });
    const error = await t.throwsAsync(readKeyFile(path), { code: 'SECRETS_KEY_FILE' });
    t.false(error?.message.includes(good.slice(1)) ?? true);
  }
  await t.throwsAsync(readKeyFile(folder), { code: 'SECRETS_KEY_FILE' });
  await t.throwsAsync(readKeyFile(join(path, 'below')), { code: 'SECRETS_KEY_FILE' });
  await t.throwsAsync(makeKeyFile(join(path, 'below')), { code: 'SECRETS_KEY_FILE' });
  execFileSync('/usr/bin/mkfifo', ['-m', '600', join(folder, 'pipe')]);
  await t.throwsAsync(readKeyFile(join(folder, 'pipe')), { code: 'SECRETS_KEY_FILE' });
});
