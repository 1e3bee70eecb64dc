import { randomUUID } from 'node:crypto';
import { testProp, fc } from '@fast-check/ava';
import { Streams, type ProposedEvent } from './support/eventStoreServer/streams.ts';

const step = fc.record({
  stream: fc.constantFrom('a', 'b'),
  /** Where the writer thinks that the stream ends, relative to where it does. */
  off: fc.integer({ min: -2, max: 2 }),
  count: fc.integer({ min: 1, max: 3 }),
});

testProp(
  'whatever is asked in whatever order, it is written exactly where it was expected',
  [fc.array(step)],
  (t, steps) => {
    const streams = new Streams();
    const model = new Map<string, string[]>([
      ['a', []],
      ['b', []],
    ]);
    let position = 0;
    for (const { stream, off, count } of steps) {
      const ids = model.get(stream) ?? [];
      const expected = ids.length - 1 + off;
      const proposed = Array.from({ length: count }, (): ProposedEvent => {
        return { id: randomUUID(), type: 'Happened', isJson: true, data: new Uint8Array(), metadata: new Uint8Array() };
      });
      // Below -1 other things than a revision are meant.
      if (expected < -1) continue;
      const decision = streams.decideAppend(stream, expected, proposed);
      t.is(decision.kind, off === 0 ? 'write' : 'wrong version');
      if (decision.kind !== 'write') continue;
      for (const write of decision.writes) {
        streams.write(write, 0, position);
        streams.sync(write);
        position += write.events.length;
      }
      ids.push(...proposed.map(({ id }) => id));
      t.is(streams.decideAppend(stream, expected, proposed).kind, 'written before');
    }
    for (const [stream, ids] of model) {
      t.is(streams.lastSynced(stream), ids.length - 1);
      const page = streams.readForwards(stream, 0, 1000, 0);
      const found = page.kind === 'events' ? page.events.map(({ number, event: { id } }) => [number, id]) : [];
      t.deepEqual(
        found,
        ids.map((id, number) => [number, id]),
      );
    }
  },
);
