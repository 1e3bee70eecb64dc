import { cp, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { getMessage, jetStreamApi, objectIn, publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { SECRETS_STREAM, secretSubject } from '../infra/names.ts';
import { isSecretsFull, isSecretsKeyRefused } from '../infra/secrets/errors.ts';
import { makeKeyFile, readKeyFile } from '../infra/secrets/keyFile.ts';
import { openSecrets } from '../infra/secrets/open.ts';
import { MOST_SECRETS, MOST_SECRET_BYTES, type SecretStore } from '../infra/secrets/port.ts';
import { createSeal } from '../infra/secrets/seal.ts';
import { secretsContract, type SecretsHarness } from './contracts/secrets.ts';
import { temporaryFolder } from './support/folder.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** One server for all tests; each begins without a bucket, and with a key file of its own. */
let shared: TestNats | null = null;

test.before(async () => {
  shared = await startNats();
});

test.after.always(async () => {
  await shared?.stop();
});

interface Bench {
  readonly nats: TestNats;
  readonly bus: Bus;
  readonly keyPath: string;
  /** What the stores told, one sentence each. */
  readonly troubles: string[];
  /** A store on a connection of its own, as another gateway's. */
  readonly open: (keyPath?: string) => Promise<SecretStore>;
}

async function begin(t: ExecutionContext): Promise<Bench> {
  if (shared === null) throw new Error('the server did not start');
  const nats = shared;
  const bus = await nats.connect('log');
  await until('the bus', async () => bus.isConnected(), Boolean);
  const streams = await bus.connection.jetstreamManager();
  for await (const { config } of streams.streams.list()) await streams.streams.delete(config.name);
  const keyPath = join(await temporaryFolder(t), 'secrets.key');
  const troubles: string[] = [];
  return {
    nats,
    bus,
    keyPath,
    troubles,
    async open(path = keyPath) {
      const own = await nats.connect('log');
      const onTrouble = (sentence: string): number => troubles.push(sentence);
      const store = await openSecrets({ bus: own, replicas: 1, keyPath: path, onTrouble });
      t.teardown(() => store.close());
      return store;
    },
  };
}

secretsContract(
  (title, implementation) => test.serial(`on the bus: ${title}`, implementation),
  async (t): Promise<SecretsHarness> => {
    const { nats, bus, open } = await begin(t);
    return {
      store: await open(),
      another: () => open(),
      away: async () => {
        await nats.kill9();
        await until(
          'noticing the loss',
          async () => bus.isConnected(),
          (connected) => !connected,
        );
      },
      back: async () => {
        await nats.restart();
        await until('the bus', async () => bus.isConnected(), Boolean);
      },
    };
  },
);

test.serial('secrets outlive the bus and every gateway', async (t) => {
  const { nats, open } = await begin(t);
  const store = await open();
  const revision = await store.put('person.anna', 'hash', null);
  await store.remove('person.anna', revision);
  await store.put('person.bert', 'another hash', null);
  await store.close();
  await nats.restart();
  const again = await open();
  t.deepEqual(again.names(''), ['person.bert']);
  t.is(again.get('person.bert')?.value, 'another hash');
});

test.serial('nothing of a secret stands on the bus or on its disk but its name', async (t) => {
  const { nats, open } = await begin(t);
  await (await open()).put('key.a', 'a value that must not be found', null);
  const files = await readdir(nats.store, { recursive: true, withFileTypes: true });
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
  );
  t.true(contents.some((content) => content.includes('MUSTER_SECRETS.key.a')));
  t.false(contents.some((content) => content.includes('must not be found')));
});

test.serial('a secret that was altered on the bus counts as none, is named, and can be set again', async (t) => {
  const { bus, open, troubles } = await begin(t);
  const [store, other] = [await open(), await open()];
  await store.put('person.anna', 'hash', null);
  await store.put('person.bert', 'hash', null);
  const standing = await getMessage(bus, SECRETS_STREAM, { last_by_subj: secretSubject('person.anna') });
  const altered = Buffer.from(standing?.data ?? []);
  altered[20] = (altered[20] ?? 0) ^ 1;
  const forgeries = [altered, altered.subarray(0, 20), Buffer.from('{"plain":"text"}')];
  for (const [index, forged] of forgeries.entries()) {
    await publishAcked(bus, secretSubject('person.anna'), forged);
    await until(
      'both have seen it',
      async () => troubles.length,
      (count) => count >= 2 * (index + 1),
    );
    await until('refused by both', async () => [store.get('person.anna'), other.get('person.anna')], isAllNull);
  }
  t.is((await open()).get('person.anna'), null);
  t.deepEqual(store.names(''), ['person.bert']);
  t.true(troubles.length >= 7);
  t.true(troubles.every((sentence) => sentence.includes('person.anna') && !sentence.includes('hash')));
  await store.put('person.anna', 'another hash', null);
  t.is((await open()).get('person.anna')?.value, 'another hash');
});

test.serial('a secret that was moved to another name counts as none', async (t) => {
  const { bus, open, troubles } = await begin(t);
  const store = await open();
  await store.put('person.viewer', 'hash of a password that is known', null);
  await store.put('person.admin', 'hash', null);
  const known = await getMessage(bus, SECRETS_STREAM, { last_by_subj: secretSubject('person.viewer') });
  await publishAcked(bus, secretSubject('person.admin'), known?.data ?? new Uint8Array());
  await until('refused', async () => [store.get('person.admin')], isAllNull);
  t.is(store.get('person.viewer')?.value, 'hash of a password that is known');
  t.regex(troubles.join('\n'), /person\.admin was altered or moved/);
});

test.serial('what stands in the bucket under no name of a secret disturbs nothing', async (t) => {
  const { bus, open } = await begin(t);
  const store = await open();
  await publishAcked(bus, '$KV.MUSTER_SECRETS.a.b.c', Buffer.from('by hand'));
  await store.put('cookie', 'x', null);
  t.deepEqual((await open()).names(''), ['cookie']);
  t.deepEqual(store.names(''), ['cookie']);
});

test.serial('a gateway with another key is refused with the remedy, and its key file stays as it is', async (t) => {
  const { open, keyPath } = await begin(t);
  await (await open()).put('cookie', 'x', null);
  const otherPath = join(await temporaryFolder(t), 'other.key');
  const otherKey = await makeKeyFile(otherPath);
  const error = await t.throwsAsync(open(otherPath), { code: 'SECRETS_KEY_WRONG' });
  t.true(isSecretsKeyRefused(error));
  t.true(error?.message.includes(`another key than the one in ${otherPath}`));
  t.true(error?.message.includes('copy secrets.key of a gateway'));
  t.deepEqual(await readKeyFile(otherPath), otherKey);
  const rightKey = await readKeyFile(keyPath);
  t.false(error?.message.includes(Buffer.from(rightKey ?? []).toString('base64url')));
});

test.serial('where there are secrets no new key is made: the gateway says where to copy the right one', async (t) => {
  const { open } = await begin(t);
  await (await open()).put('cookie', 'x', null);
  const missing = join(await temporaryFolder(t), 'secrets.key');
  const error = await t.throwsAsync(open(missing), { code: 'SECRETS_KEY_FILE' });
  t.regex(error?.message ?? '', /there is no key at .*secrets\.key: copy secrets\.key of a gateway.*0600/);
  t.is(await readKeyFile(missing), null);
});

test.serial('of two gateways that start at once with keys of their own one is refused', async (t) => {
  const { open } = await begin(t);
  const folders = await Promise.all([temporaryFolder(t), temporaryFolder(t)]);
  const outcomes = await Promise.allSettled(folders.map((folder) => open(join(folder, 'secrets.key'))));
  const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
  t.deepEqual(
    refusals.map(({ reason }) => isSecretsKeyRefused(reason)),
    [true],
  );
});

test.serial('when the bucket is lost while gateways run, it is made anew and empty, and they go on', async (t) => {
  const { bus, open } = await begin(t);
  const [store, other] = [await open(), await open()];
  await store.put('cookie', 'before', null);
  await jetStreamApi(bus, `STREAM.DELETE.${SECRETS_STREAM}`);
  await until('gone', async () => [store.get('cookie'), other.get('cookie')], isAllNull);
  await until('made anew', () => store.put('cookie', 'after', null).catch(() => 0), Boolean);
  await until(
    'heard',
    async () => other.get('cookie')?.value,
    (value) => value === 'after',
  );
  t.deepEqual((await open()).names(''), ['cookie']);
});

test.serial('when an older backup of the bus is restored while gateways run, they show what it holds', async (t) => {
  const { nats, open } = await begin(t);
  const store = await open();
  await store.put('person.anna', 'old', null);
  await store.put('person.bert', 'stays', null);
  const backup = join(await temporaryFolder(t), 'backup');
  await mkdir(backup);
  await nats.kill9();
  await cp(nats.store, backup, { recursive: true });
  await nats.restart();
  const revision = store.get('person.anna')?.revision ?? 0;
  await until('back', () => store.put('person.anna', 'new', revision).catch(() => 0), Boolean);
  await store.put('person.carl', 'later', null);
  await nats.kill9();
  await rm(nats.store, { recursive: true });
  await cp(backup, nats.store, { recursive: true });
  await nats.restart();
  await until(
    'the old state',
    async () => store.get('person.anna')?.value,
    (value) => value === 'old',
  );
  t.deepEqual(store.names(''), ['person.anna', 'person.bert']);
  await store.put('person.anna', 'newest', store.get('person.anna')?.revision ?? 0);
});

test.serial('a bucket with another configuration is refused, and the field is named', async (t) => {
  const { bus, open } = await begin(t);
  await open();
  const { config } = await jetStreamApi(bus, `STREAM.INFO.${SECRETS_STREAM}`);
  await jetStreamApi(bus, `STREAM.UPDATE.${SECRETS_STREAM}`, { ...Object(config), max_age: 1e12 });
  await t.throwsAsync(open(), { code: 'STREAM_DIFFERS', message: /max_age/ });
});

test.serial('as many and as long secrets as may be kept are there at the start; one more is refused', async (t) => {
  const { bus, open, keyPath } = await begin(t);
  const seal = createSeal(await makeKeyFile(keyPath));
  await (await open()).close();
  const value = 'x'.repeat(MOST_SECRET_BYTES);
  for (let number = 1; number <= MOST_SECRETS; number += 1) {
    const name = `session.${number}`;
    bus.connection.publish(secretSubject(name), seal.close(name, value));
  }
  const held = async (): Promise<unknown> =>
    objectIn(await jetStreamApi(bus, `STREAM.INFO.${SECRETS_STREAM}`), 'state')['messages'];
  // And the one that shows which key they are encrypted with.
  await until('all of them', held, (count) => count === MOST_SECRETS + 1, 100_000);
  const store = await open();
  t.is(store.names('session.').length, MOST_SECRETS);
  t.is(store.get('session.777')?.value, value);
  t.true(isSecretsFull(await t.throwsAsync(store.put('key.a', 'x', null))));
  await store.remove('session.777', store.get('session.777')?.revision ?? 0);
  await store.put('key.a', 'x', null);
});

function isAllNull(values: readonly unknown[]): boolean {
  return values.every((value) => value === null);
}
