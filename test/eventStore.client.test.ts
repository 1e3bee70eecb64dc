import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openEventStore } from '../infra/eventStore/client.ts';
import { firstOf } from '../infra/eventStore/firstOf.ts';
import { StoreError, StoreErrorCode } from '../infra/eventStore/errors.ts';
import type { EventStore, NewEvent } from '../infra/eventStore/port.ts';
import { shownUrl } from '../infra/eventStore/url.ts';
import { unavailable } from '../infra/log/unavailable.ts';
import { makeAuthority } from './support/certificates.ts';
import { startEventStore, type EventStoreOptions, type TestEventStore } from './support/eventStore.ts';
import { openStore } from './support/eventStoreHarness.ts';
import { temporaryFolder } from './support/folder.ts';
import { until } from './support/until.ts';

const USER = { name: 'muster', password: 'a-password-of-the-tests' };

test.serial('what is appended is read both ways, from anywhere, and no more than asked for', async (t) => {
  const { store } = await start(t);
  t.is(await store.append('a', null, [event(), event()]), 1);
  t.is(await store.append('a', 1, [event()]), 2);
  t.deepEqual(await revisions(store.read('a', { from: 'start', direction: 'forwards' })), [0, 1, 2]);
  t.deepEqual(await revisions(store.read('a', { from: 1, direction: 'forwards', limit: 1 })), [1]);
  t.deepEqual(await revisions(store.read('a', { from: 'end', direction: 'backwards', limit: 2 })), [2, 1]);
  t.deepEqual(await revisions(store.read('none', { from: 'start', direction: 'forwards' })), []);
});

test.serial('an append behind the wrong revision writes nothing and says where the stream ends', async (t) => {
  const { store } = await start(t);
  await t.throwsAsync(store.append('a', 3, [event()]), { code: 'WRONG_REVISION', message: /ends with nothing/ });
  await store.append('a', null, [event()]);
  const error = await t.throwsAsync(store.append('a', null, [event()]), { code: 'WRONG_REVISION' });
  t.like(error, { actual: 0 });
  t.deepEqual(await revisions(store.read('a', { from: 'start', direction: 'forwards' })), [0]);
});

test.serial('calls that their reader leaves early are ended, also those that had more to say', async (t) => {
  const { store } = await start(t);
  await store.append('a', null, Array.from({ length: 50 }, event));
  for (let round = 0; round < 30; round += 1) {
    for await (const { revision } of store.read('a', { from: 'start', direction: 'forwards' })) {
      if (revision === round) break;
    }
    const leaving = new AbortController();
    for await (const { revision } of store.subscribe('a', null, leaving.signal)) {
      if (revision === round) leaving.abort();
    }
  }
  // Closing waits for every call that it still has: with one left it would never end.
  await store.close();
  await t.throwsAsync(store.append('a', 49, [event()]), { code: 'NOT_SENT' });
});

test.serial('wrong credentials are told at once, whatever is asked, and the right ones work', async (t) => {
  const { server, store } = await start(t, { user: USER, tls: await certified(t) });
  await store.append('a', null, [event()]);
  const wrong = openStore(t, server.url.replace(USER.password, 'another'));
  await t.throwsAsync(wrong.check(), { code: 'DENIED' });
  const error = await t.throwsAsync(wrong.append('a', 0, [event()]), { message: /away; nothing was written/ });
  t.false(String(error).includes('another'));
  t.true(store.isConnected());
  t.false(wrong.isConnected());
});

test.serial('a certificate that is not trusted, or of another host, or no TLS at all, is told as such', async (t) => {
  const { server } = await start(t, { tls: await certified(t) });
  const { ca } = await certified(t);
  const untrusting = openStore(t, server.url.replace(/tlsCAFile=.*/, `tlsCAFile=${ca}`));
  await t.throwsAsync(untrusting.check(), { code: 'TLS' });
  const { server: elsewhere } = await start(t, { tls: await certified(t, 'elsewhere.test') });
  await t.throwsAsync(openStore(t, elsewhere.url).check(), { code: 'TLS' });
  const { server: plain } = await start(t);
  await t.throwsAsync(openStore(t, plain.url.replace('tls=false', 'tls=true')).check(), { code: 'TLS' });
});

test.serial('a password stands in no address that is shown', (t) => {
  t.is(shownUrl('esdb://me:secret@host:2113?tls=false'), 'esdb://me:…@host:2113?tls=false');
  t.is(shownUrl('esdb+discover://me:se/cret@host'), 'esdb+discover://me:…@host');
  t.is(shownUrl('esdb://host:2113'), 'esdb://host:2113');
  const error = t.throws(() => openEventStore({ url: 'esdb://me:secret@host:port', name: 'test' }), {
    code: 'MALFORMED',
  });
  t.false(String(error).includes('secret'));
});

test.serial('a store that nobody reaches is away, and what is written to it was surely not sent', async (t) => {
  const { server, store } = await start(t);
  await server.kill9();
  await t.throwsAsync(store.check(), { code: 'NOT_SENT', message: /ECONNREFUSED/ });
  await t.throwsAsync(store.append('a', null, [event()]), { code: 'NOT_SENT' });
  t.false(store.isConnected());
});

test.serial('a lost store is found again by itself, and those who watch are told both', async (t) => {
  const { server, store } = await start(t);
  const told: boolean[] = [];
  store.onChange((connected) => told.push(connected));
  await store.append('a', null, [event()]);
  const ending = new AbortController();
  const lost = t.throwsAsync(revisions(store.subscribe('a', 0, ending.signal)), { code: 'STORE_AWAY' });
  await until('a subscription', async () => store.isConnected(), Boolean);
  await server.kill9();
  await lost;
  await server.restart();
  await until('the store', async () => store.isConnected(), Boolean);
  t.deepEqual(told, [true, false, true]);
  t.is(await store.append('a', 0, [event()]), 1);
});

test.serial('an append whose answer is lost is in doubt, and the same append again is told as written', async (t) => {
  const { server, store } = await start(t);
  await server.pull({ losesAnswers: 1 });
  const events = [event(), event()];
  await t.throwsAsync(store.append('a', null, events), { code: 'STORE_AWAY' });
  await until('the store', async () => store.isConnected(), Boolean);
  t.is(await store.append('a', null, events), 1);
  t.deepEqual(await revisions(store.read('a', { from: 'start', direction: 'forwards' })), [0, 1]);
});

test.serial('a store that hangs is given up after a while, by readers too', async (t) => {
  const { server, store } = await start(t);
  await store.append('a', null, [event()]);
  await server.pull({ hangs: true });
  await t.throwsAsync(firstOf(store.read('a', { from: 'start', direction: 'forwards', limit: 1 })), {
    code: 'STORE_AWAY',
    message: /10000 ms/,
  });
});

test.serial('a node that is not the leader says who is, and the next try goes there', async (t) => {
  const leader = await started(t);
  const { server, store } = await start(t);
  await server.pull({ leader: { host: '127.0.0.1', port: leader.port } });
  await t.throwsAsync(store.append('a', null, [event()]), { code: 'NOT_LEADER' });
  await until('the leader', async () => store.isConnected(), Boolean);
  await store.append('a', null, [event()]);
  t.is(await leader.appends(), 1);
  t.is(await server.appends(), 0);
});

test.serial('an append that is too large is refused whole', async (t) => {
  const { store } = await start(t);
  const large = { ...event(), data: { text: 'x'.repeat(600_000) } };
  await t.throwsAsync(store.append('a', null, [large, { ...large, id: crypto.randomUUID() }]), { code: 'TOO_LARGE' });
  t.deepEqual(await revisions(store.read('a', { from: 'start', direction: 'forwards' })), []);
});

test.serial("limits join the stream's other metadata and are applied", async (t) => {
  const { store } = await start(t);
  await store.append('a', null, [event(), event(), event()]);
  await store.append('$$a', null, [{ ...event(), type: '$metadata', data: { owner: 'me' } }]);
  await store.setLimits('a', { truncateBefore: 1 });
  await store.setLimits('a', { maxCount: 1 });
  t.deepEqual(await store.limitsOf('a'), { truncateBefore: 1, maxCount: 1 });
  const standing = await firstOf(store.read('$$a', { from: 'end', direction: 'backwards', limit: 1 }));
  t.deepEqual(standing?.data, { owner: 'me', $tb: 1, $maxCount: 1 });
  t.deepEqual(await revisions(store.read('a', { from: 'start', direction: 'forwards' })), [2]);
});

test.serial('a reader that is slow holds the store back and loses nothing', async (t) => {
  const { store } = await start(t);
  const text = 'x'.repeat(10_000);
  const many = (): readonly NewEvent[] => Array.from({ length: 60 }, () => ({ ...event(), data: { text } }));
  let end: number | null = null;
  for (let round = 0; round < 40; round += 1) end = await store.append('a', end, many());
  const leaving = new AbortController();
  const seen: number[] = [];
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  for await (const { revision } of store.subscribe('a', null, leaving.signal)) {
    if (seen.length === 0) await until('the store to have sent what it would', async () => await isQuiet(), Boolean);
    seen.push(revision);
    if (revision === end) leaving.abort();
  }
  t.deepEqual(
    seen,
    Array.from({ length: 2400 }, (_, revision) => revision),
  );
  // 24 MB were there to be sent; most of it waited in the store.
  t.true(held < before + 12_000_000, `${held - before} bytes were held`);
});

let held = 0;
/** True once a slow reader's memory has stopped growing; notes how much it was. */
async function isQuiet(): Promise<boolean> {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  const now = arrayBuffers + heapUsed;
  const quiet = Math.abs(now - held) < 500_000;
  held = now;
  return quiet;
}

function event(): NewEvent {
  return { id: crypto.randomUUID(), type: 'Happened', data: { n: 1 }, metadata: {} };
}

async function revisions(events: AsyncIterable<{ readonly revision: number }>): Promise<readonly number[]> {
  const all: number[] = [];
  for await (const { revision } of events) all.push(revision);
  return all;
}

/** A certificate for an address, of an authority of its own. */
async function certified(t: ExecutionContext, name = '127.0.0.1') {
  const folder = await temporaryFolder(t);
  const authority = makeAuthority('authority of the tests');
  const issued = authority.issue([name]);
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
  await Promise.all([
    writeFile(paths.cert, issued.cert),
    writeFile(paths.key, issued.key),
    writeFile(paths.ca, authority.pem),
  ]);
  return paths;
}

async function started(t: ExecutionContext, options?: EventStoreOptions): Promise<TestEventStore> {
  const server = await startEventStore(options);
  t.teardown(async () => await server.stop());
  return server;
}

async function start(
  t: ExecutionContext,
  options?: EventStoreOptions,
): Promise<{ readonly server: TestEventStore; readonly store: EventStore }> {
  const server = await started(t, options);
  return { server, store: openStore(t, server.url) };
}

test('what the transport says of a store that is away is told in short', (t) => {
  const said =
    'fleet-main: 14 UNAVAILABLE: No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:2113. Resolution note: ';
  t.regex(
    unavailable('fleet', new StoreError(StoreErrorCode.Away, said)).message,
    /^fleet cannot be reached or written: connect ECONNREFUSED 127\.0\.0\.1:2113\. Try again once EventStoreDB is back/,
  );
});
