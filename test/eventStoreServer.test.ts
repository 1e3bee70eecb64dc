import { randomUUID } from 'node:crypto';
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ANY,
  END,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  jsonEvent,
  type AppendExpectedRevision,
  type EventStoreDBClient,
  type ReadRevision,
} from '@eventstore/db-client';
import test, { type ExecutionContext } from 'ava';
import { closeConnection, dial } from '../infra/eventStore/client.ts';
import { startEventStore, type TestEventStore } from './support/eventStore.ts';
import { until } from './support/until.ts';

/** Holds the tests' own EventStoreDB to what EventStoreDB documents: what it gets wrong, every other test gets wrong with it. */

interface Bench {
  readonly server: TestEventStore;
  readonly client: EventStoreDBClient;
}

async function bench(t: ExecutionContext): Promise<Bench> {
  const server = await startEventStore();
  t.teardown(() => server.stop());
  return { server, client: connected(t, server.url) };
}

function connected(t: ExecutionContext, url: string): EventStoreDBClient {
  const client = dial(url, url);
  t.teardown(async () => {
    await client.dispose();
    await closeConnection(client);
  });
  return client;
}

function event(id: string = randomUUID(), data: object = { a: 1 }) {
  return jsonEvent({ id, type: 'Happened', data: { ...data } });
}

const events = (count: number) => Array.from({ length: count }, () => event());

async function append(
  client: EventStoreDBClient,
  stream: string,
  expectedRevision: AppendExpectedRevision,
  written = [event()],
): Promise<number> {
  const { nextExpectedRevision } = await client.appendToStream(stream, written, { expectedRevision });
  return Number(nextExpectedRevision);
}

/** Revisions and ids as they stand, in the order in which they are read. */
async function standing(client: EventStoreDBClient, stream: string, fromRevision: ReadRevision = START) {
  const found: { readonly revision: number; readonly id: string }[] = [];
  for await (const { event: each } of client.readStream(stream, { fromRevision })) {
    if (each !== undefined) found.push({ revision: Number(each.revision), id: each.id });
  }
  return found;
}

const revisions = async (client: EventStoreDBClient, stream: string) =>
  (await standing(client, stream)).map(({ revision }) => revision);

const upTo = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

/** Waits until it is back after a restart, as the client sees it. */
async function answering(client: EventStoreDBClient): Promise<void> {
  const ask = () => outcome(revisions(client, 'nothing here')).catch(() => 'away');
  await until('the server', ask, (answer) => answer === 'none');
}

/** What became of a call, in a word. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof WrongExpectedVersionError) return 'wrong';
    if (error instanceof StreamDeletedError) return 'deleted';
    if (error instanceof StreamNotFoundError) return 'none';
    throw error;
  }
}

test.serial('many writers at once leave streams without gaps, each append whole and in its order', async (t) => {
  const { server, client } = await bench(t);
  const clients = [client, ...Array.from({ length: 3 }, () => connected(t, server.url))];
  const written = await Promise.all(
    clients.flatMap((each, writer) =>
      upTo(25).map(async (round) => {
        const batch = events(1 + ((writer + round) % 4));
        const stream = `s-${round % 3}`;
        const last = await append(each, stream, ANY, batch);
        return { stream, last, ids: batch.map(({ id }) => id) };
      }),
    ),
  );
  for (const stream of ['s-0', 's-1', 's-2']) {
    const found = await standing(client, stream);
    const mine = written.filter((each) => each.stream === stream);
    t.deepEqual(
      found.map(({ revision }) => revision),
      upTo(mine.reduce((sum, { ids }) => sum + ids.length, 0)),
    );
    for (const { last, ids } of mine) {
      t.deepEqual(
        found.slice(last - ids.length + 1, last + 1).map(({ id }) => id),
        ids,
      );
    }
  }
});

test.serial('of many writers that expect the same revision one is let through', async (t) => {
  const { client } = await bench(t);
  for (const round of upTo(5)) {
    const expected = round === 0 ? NO_STREAM : BigInt(round - 1);
    const outcomes = await Promise.all(upTo(8).map(() => outcome(append(client, 'a', expected))));
    t.deepEqual(
      outcomes.filter((each) => each !== 'wrong'),
      [round],
    );
  }
  t.deepEqual(await revisions(client, 'a'), upTo(5));
});

test.serial(
  'what may be appended where: by the revision that is expected and by what became of the stream',
  async (t) => {
    const { client } = await bench(t);
    const streams: Readonly<Record<string, (stream: string) => Promise<unknown>>> = {
      none: async () => undefined,
      three: (stream) => append(client, stream, NO_STREAM, events(3)),
      deleted: async (stream) => {
        await append(client, stream, NO_STREAM, events(3));
        await client.deleteStream(stream);
      },
      tombstoned: async (stream) => {
        await append(client, stream, NO_STREAM, events(3));
        await client.tombstoneStream(stream);
      },
    };
    const table: Readonly<Record<string, readonly (readonly [AppendExpectedRevision, unknown])[]>> = {
      none: [
        [NO_STREAM, 0],
        [ANY, 0],
        [STREAM_EXISTS, 'wrong'],
        [0n, 'wrong'],
      ],
      three: [
        [NO_STREAM, 'wrong'],
        [ANY, 3],
        [STREAM_EXISTS, 3],
        [1n, 'wrong'],
        [2n, 3],
        [3n, 'wrong'],
      ],
      deleted: [
        [NO_STREAM, 3],
        [ANY, 3],
        [STREAM_EXISTS, 'deleted'],
        [1n, 'wrong'],
        [2n, 3],
      ],
      tombstoned: [
        [NO_STREAM, 'deleted'],
        [ANY, 'deleted'],
        [STREAM_EXISTS, 'deleted'],
        [2n, 'deleted'],
      ],
    };
    for (const [kind, rows] of Object.entries(table)) {
      for (const [expected, wanted] of rows) {
        const stream = `${kind}-${String(expected)}`;
        await streams[kind]?.(stream);
        t.is(await outcome(append(client, stream, expected)), wanted, stream);
      }
    }
  },
);

test.serial(
  'an append again by the same ids is answered as the first time and written once, whatever it holds now',
  async (t) => {
    const { server, client } = await bench(t);
    const [first, second, third] = [event(), event(), event()];
    t.is(await append(client, 'a', NO_STREAM, [first, second]), 1);
    t.is(await append(client, 'a', 1n, [third]), 2);
    t.is(await append(client, 'a', NO_STREAM, [first, second]), 1);
    t.is(await append(client, 'a', NO_STREAM, [event(first.id, { b: 2 }), event(second.id)]), 1);
    t.is(await append(client, 'a', NO_STREAM, [first]), 0, 'a part from the beginning is as well');
    t.is(await append(client, 'a', ANY, [first, second]), 1);
    for (const other of [
      [second, first],
      [first, third],
      [first, event()],
      [event(), second],
    ]) {
      t.is(await outcome(append(client, 'a', NO_STREAM, other)), 'wrong');
    }
    t.is(await append(client, 'b', NO_STREAM, [first]), 0, 'in another stream the id is new');
    await server.restart();
    await answering(client);
    t.is(await append(client, 'a', NO_STREAM, [first, second]), 1, 'at a revision also after a restart');
    t.deepEqual(await revisions(client, 'a'), [0, 1, 2]);
    t.is(await append(client, 'a', ANY, [second]), 3, 'at any revision it is only remembered, and no longer');
  },
);

test.serial(
  'subscribers that come while it is written get everything behind their revision, once and in order',
  async (t) => {
    const { client } = await bench(t);
    const total = 400;
    const writing = (async () => {
      for (let next = 0; next < total; next += 4)
        await append(client, 'a', next === 0 ? NO_STREAM : BigInt(next - 1), events(4));
    })();
    const readers = [null, 0, 5, 100, total - 2].map(async (after, index) => {
      if (index > 0) {
        await until(
          'some events',
          () => outcome(revisions(client, 'a')),
          (found) => Array.isArray(found) && found.length > index * 20,
        );
      }
      const seen: number[] = [];
      const subscription = client.subscribeToStream('a', { fromRevision: after === null ? START : BigInt(after) });
      for await (const { event: each } of subscription) {
        if (each !== undefined) seen.push(Number(each.revision));
        if (seen.at(-1) === total - 1) break;
      }
      t.deepEqual(seen, upTo(total - 1 - (after ?? -1), (after ?? -1) + 1));
    });
    await Promise.all([writing, ...readers]);
    const fromEnd = client.subscribeToStream('a', { fromRevision: END });
    const confirmed = new Promise((resolve) => void fromEnd.once('confirmation', resolve));
    const next = fromEnd[Symbol.asyncIterator]().next();
    await confirmed;
    await append(client, 'a', BigInt(total - 1));
    t.is(Number((await next).value?.event?.revision), total);
    await fromEnd.unsubscribe();
  },
);

test.serial('a deleted stream is none to readers, and its numbers go on when it begins again', async (t) => {
  const { server, client } = await bench(t);
  await append(client, 'a', NO_STREAM, events(3));
  await client.deleteStream('a');
  t.is(await outcome(revisions(client, 'a')), 'none');
  t.is(await append(client, 'a', NO_STREAM), 3);
  t.deepEqual(await revisions(client, 'a'), [3]);
  await server.restart();
  await answering(client);
  t.deepEqual(await revisions(client, 'a'), [3], 'also after a restart');
});

test.serial(
  'a tombstone ends a stream for good, for readers, writers and subscribers, and stays through a restart',
  async (t) => {
    const { server, client } = await bench(t);
    await append(client, 'a', NO_STREAM, events(2));
    const seen: string[] = [];
    const subscription = client.subscribeToStream('a', { fromRevision: START });
    const ended = (async () => {
      for await (const { event: each } of subscription) seen.push(each?.type ?? '');
    })();
    await until(
      'both events',
      async () => seen.length,
      (length) => length === 2,
    );
    await client.tombstoneStream('a', { expectedRevision: 1n });
    t.is(await outcome(ended), 'deleted');
    t.deepEqual(seen, ['Happened', 'Happened', '$streamDeleted']);
    for (const round of ['at once', 'after a restart']) {
      t.is(await outcome(revisions(client, 'a')), 'deleted', round);
      t.is(await outcome(append(client, 'a', ANY)), 'deleted', round);
      await server.restart();
      await answering(client);
    }
  },
);

test.serial(
  'what is cut off by $tb or $maxCount is out of sight, and numbers and appends go on as if it were there',
  async (t) => {
    const { client } = await bench(t);
    for (const [stream, limit, first] of [
      ['tb', { truncateBefore: 4 }, 4],
      ['count', { maxCount: 3 }, 7],
      ['both', { truncateBefore: 8, maxCount: 9 }, 8],
      ['beyond', { truncateBefore: 100 }, 10],
    ] as const) {
      await append(client, stream, NO_STREAM, events(10));
      await client.setStreamMetadata(stream, limit);
      t.deepEqual(await revisions(client, stream), upTo(10 - first, first), stream);
      t.is(await outcome(append(client, stream, NO_STREAM)), 'wrong', stream);
      t.is(await append(client, stream, 9n), 10, stream);
      const [seen] = await standing(client, stream);
      t.is(seen?.revision, stream === 'count' ? 8 : stream === 'beyond' ? undefined : first, stream);
    }
  },
);

test.serial(
  'killed while many write, it has everything that was acknowledged, each append whole, and goes on behind it',
  async (t) => {
    const { server, client } = await bench(t);
    const acknowledged: { readonly last: number; readonly ids: readonly string[] }[] = [];
    const writers = upTo(6).map(async () => {
      for (;;) {
        const batch = events(3);
        try {
          const last = await append(client, 'a', ANY, batch);
          acknowledged.push({ last, ids: batch.map(({ id }) => id) });
        } catch {
          return;
        }
      }
    });
    await until(
      'some acknowledged',
      async () => acknowledged.length,
      (length) => length > 60,
    );
    await server.kill9();
    await Promise.all(writers);
    // As if the crash had left the beginning of one more.
    const [file = ''] = await readdir(server.folder);
    await appendFile(join(server.folder, file), Buffer.from([0, 0, 0, 200, 1, 2, 3]));
    await server.restart();
    await answering(client);
    const found = await standing(client, 'a');
    t.deepEqual(
      found.map(({ revision }) => revision),
      upTo(found.length),
    );
    t.is(found.length % 3, 0);
    for (const { last, ids } of acknowledged) {
      t.deepEqual(
        found.slice(last - ids.length + 1, last + 1).map(({ id }) => id),
        ids,
      );
    }
    t.is(await append(client, 'a', BigInt(found.length - 1)), found.length);
    await server.restart();
    await answering(client);
    t.deepEqual(await revisions(client, 'a'), upTo(found.length + 1), 'what came behind the cut is read as well');
  },
);
