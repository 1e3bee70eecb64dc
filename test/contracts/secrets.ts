import type { ExecutionContext } from 'ava';
import { isSecretConflict, isSecretsUnavailable } from '../../infra/secrets/errors.ts';
import { MOST_SECRET_BYTES, type Secret, type SecretStore } from '../../infra/secrets/port.ts';
import { until } from '../support/until.ts';

/** One store of secrets as the contract sees it. Whatever it opened ends with the test. */
export interface SecretsHarness {
  readonly store: SecretStore;
  /** Another user of the same secrets, as a second gateway is. */
  readonly another: () => Promise<SecretStore>;
  /** Takes the bus away, with everything that is in flight, and brings it back. */
  readonly away: () => Promise<void>;
  readonly back: () => Promise<void>;
}

type Register = (title: string, implementation: (t: ExecutionContext) => Promise<void>) => void;
type Make = (t: ExecutionContext) => Promise<SecretsHarness>;

/** What every store of secrets does. Registers the same tests for every adapter. */
export function secretsContract(test: Register, makeStore: Make): void {
  keeping(test, makeStore);
  sharing(test, makeStore);
  refusing(test, makeStore);
}

function keeping(test: Register, makeStore: Make): void {
  test('a secret is shown as it was written once writing resolves, and to whoever opens the store later', async (t) => {
    const { store, another } = await makeStore(t);
    t.is(store.get('cookie'), null);
    const revision = await store.put('cookie', 'ä secret\nof two lines', null);
    t.deepEqual(store.get('cookie'), { value: 'ä secret\nof two lines', revision });
    t.deepEqual((await another()).get('cookie'), { value: 'ä secret\nof two lines', revision });
  });

  test('each write of a name raises its revision, also past a removal', async (t) => {
    const { store } = await makeStore(t);
    const first = await store.put('person.anna', 'one', null);
    const second = await store.put('person.anna', 'two', first);
    await store.remove('person.anna', second);
    t.is(store.get('person.anna'), null);
    const third = await store.put('person.anna', 'three', null);
    t.true(first < second && second < third);
    t.deepEqual(store.get('person.anna'), { value: 'three', revision: third });
  });

  test('names are listed by their beginning, sorted, without what was removed', async (t) => {
    const { store, another } = await makeStore(t);
    for (const name of ['key.b', 'key.a', 'key.B_-9', 'person.a', 'cookie']) await store.put(name, 'x', null);
    await store.remove('key.a', store.get('key.a')?.revision ?? 0);
    t.deepEqual(store.names('key.'), ['key.B_-9', 'key.b']);
    t.deepEqual(store.names(''), ['cookie', 'key.B_-9', 'key.b', 'person.a']);
    t.deepEqual((await another()).names(''), store.names(''));
  });

  test('the longest value is kept whole', async (t) => {
    const { store, another } = await makeStore(t);
    const longest = 'ä'.repeat(MOST_SECRET_BYTES / 2);
    await store.put('key.long', longest, null);
    t.is((await another()).get('key.long')?.value, longest);
  });
}

function sharing(test: Register, makeStore: Make): void {
  test('what one writes or removes the other is told of and shows', async (t) => {
    const { store, another } = await makeStore(t);
    const other = await another();
    const heard: [string, Secret | null][] = [];
    other.onChange((name) => heard.push([name, other.get(name)]));
    const revision = await store.put('agent.a', 'one', null);
    await until(
      'written',
      async () => heard.length,
      (count) => count === 1,
    );
    await store.remove('agent.a', revision);
    await until(
      'removed',
      async () => heard.length,
      (count) => count === 2,
    );
    t.deepEqual(heard, [
      ['agent.a', { value: 'one', revision }],
      ['agent.a', null],
    ]);
  });

  test('whoever writes is told as well, once, and nobody after saying that it is enough', async (t) => {
    const { store } = await makeStore(t);
    const heard: string[] = [];
    const enough = store.onChange((name) => heard.push(`${name} ${store.get(name)?.value}`));
    await store.put('agent.a', 'one', null);
    enough();
    await store.put('agent.b', 'two', null);
    t.deepEqual(heard, ['agent.a one']);
  });

  test('of two who write one name at a time one is refused, and both then show what the other wrote', async (t) => {
    const { store, another } = await makeStore(t);
    const other = await another();
    for (const expected of ['nothing', 'something'] as const) {
      const revision = expected === 'nothing' ? null : (store.get('cookie')?.revision ?? null);
      await until(
        'both know',
        async () => other.get('cookie')?.revision ?? null,
        (known) => known === revision,
      );
      const outcomes = await Promise.allSettled([
        store.put('cookie', `mine for ${expected}`, revision),
        other.put('cookie', `theirs for ${expected}`, revision),
      ]);
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      t.deepEqual(
        refused.map(({ reason }) => isSecretConflict(reason)),
        [true],
      );
      const winner = outcomes[0].status === 'fulfilled' ? store : other;
      const won = winner.get('cookie');
      for (const one of [store, other])
        await until(
          'the same',
          async () => one.get('cookie')?.revision,
          (now) => now === won?.revision,
        );
      t.deepEqual(store.get('cookie'), other.get('cookie'));
    }
  });

  test('while the bus is away secrets are shown and not written, and afterwards both go on', async (t) => {
    const { store, another, away, back } = await makeStore(t);
    const other = await another();
    const first = await store.put('cookie', 'before', null);
    await until(
      'heard',
      async () => other.get('cookie'),
      (secret) => secret !== null,
    );
    await away();
    t.is(store.get('cookie')?.value, 'before');
    await t.throwsAsync(store.put('cookie', 'meanwhile', first), { code: 'SECRETS_UNAVAILABLE' });
    await t.throwsAsync(store.put('key.a', 'meanwhile', null), { code: 'SECRETS_UNAVAILABLE' });
    await t.throwsAsync(store.remove('cookie', first), { code: 'SECRETS_UNAVAILABLE' });
    await back();
    const second = await until('writable again', () => unlessAway(store.put('cookie', 'after', first)), Boolean);
    await until(
      'heard again',
      async () => other.get('cookie'),
      (secret) => secret?.value === 'after',
    );
    t.is(other.get('cookie')?.revision, second ?? 0);
    t.deepEqual(store.names(''), ['cookie']);
  });
}

function refusing(test: Register, makeStore: Make): void {
  test('a write on another revision than the standing one is refused and changes nothing', async (t) => {
    const { store } = await makeStore(t);
    const revision = await store.put('key.a', 'one', null);
    for (const wrong of [null, revision + 1, revision - 1, 0]) {
      await t.throwsAsync(store.put('key.a', 'two', wrong), { code: 'SECRET_CONFLICT' });
      if (wrong !== null) await t.throwsAsync(store.remove('key.a', wrong), { code: 'SECRET_CONFLICT' });
    }
    await t.throwsAsync(store.put('key.b', 'two', revision), { code: 'SECRET_CONFLICT' });
    await t.throwsAsync(store.remove('key.b', revision), { code: 'SECRET_CONFLICT' });
    t.deepEqual(store.get('key.a'), { value: 'one', revision });
    t.is(store.get('key.b'), null);
  });

  test('what is no name or no value is refused before anything is written', async (t) => {
    const { store } = await makeStore(t);
    const names = [
      '',
      '.',
      'key.',
      '.a',
      'key.a.b',
      'key.*',
      'key.>',
      '>',
      '*',
      'Key.a',
      'key a',
      'key.ä',
      `key.${'a'.repeat(65)}`,
    ];
    for (const name of names) {
      await t.throwsAsync(store.put(name, 'x', null), { code: 'SECRET_INVALID' }, name);
      await t.throwsAsync(store.remove(name, 1), { code: 'SECRET_INVALID' }, name);
      t.is(store.get(name), null);
    }
    for (const value of ['', 'a'.repeat(MOST_SECRET_BYTES + 1), `${'ä'.repeat(MOST_SECRET_BYTES / 2)}a`]) {
      const error = await t.throwsAsync(store.put('key.a', value, null), { code: 'SECRET_INVALID' });
      t.false(error?.message.includes('aaaa') ?? true);
    }
    t.deepEqual(store.names(''), []);
  });
}

/** Null while the bus is not back yet. */
async function unlessAway(written: Promise<number>): Promise<number | null> {
  try {
    return await written;
  } catch (error) {
    if (isSecretsUnavailable(error)) return null;
    throw error;
  }
}
