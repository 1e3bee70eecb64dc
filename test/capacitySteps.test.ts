import { fc } from '@fast-check/ava';
import test from 'ava';
import { decodeCapacityChunk, encodeCapacityChunk } from '../gateway/history/capacityChunk.ts';
import { MOST_EXTREMES, thinned } from '../projections/capacitySteps.ts';
import type { CapacityStep } from '../projections/views.ts';

/** Steps of capacity and allocated, thinned and as they are kept. */

const START = Date.UTC(2026, 0, 1);
const amounts = fc.record({
  millicores: fc.nat(20_000),
  memoryBytes: fc.maxSafeNat(),
  gpus: fc.nat(8),
});
const steps = fc
  .array(
    fc.record({
      at: fc.integer({ min: START, max: START + 86_400_000 }),
      capacity: fc.option(amounts),
      allocated: amounts,
    }),
  )
  .map((all): readonly CapacityStep[] => all.toSorted((a, b) => a.at - b.at));

test('what is left of a busy span is exact, holds both ends and every extreme, and is never much', (t) => {
  const spanMs = 6 * 3_600_000;
  fc.assert(
    fc.property(steps, (all) => {
      const left = thinned(all, spanMs, 4);
      const spans = (of: readonly CapacityStep[]) => Map.groupBy(of, ({ at }) => Math.floor(at / spanMs));
      for (const [span, group] of spans(all)) {
        const kept = spans(left).get(span) ?? [];
        if (group.length <= 4) t.deepEqual(kept, group);
        t.true(kept.length <= Math.max(4, MOST_EXTREMES));
        t.true(kept.every((step) => group.includes(step)));
        t.is(kept[0], group[0]);
        t.is(kept.at(-1), group.at(-1));
        for (const extreme of [Math.min, Math.max]) {
          for (const dimension of ['millicores', 'memoryBytes', 'gpus'] as const) {
            const of = (line: 'capacity' | 'allocated', from: readonly CapacityStep[]) =>
              extreme(...from.map((step) => step[line]?.[dimension] ?? 0));
            t.is(of('allocated', kept), of('allocated', group));
            t.is(of('capacity', kept), of('capacity', group));
          }
        }
      }
    }),
  );
});

test('what is kept reads back as it was, and what is none is not read', (t) => {
  fc.assert(
    fc.property(steps, fc.option(amounts), fc.dictionary(fc.string(), amounts), (all, before, held) => {
      const chunk = {
        start: START,
        build: 3,
        logId: 'log',
        version: 17,
        before: before === null ? null : { at: START - 5, capacity: null, allocated: before },
        steps: all,
        isThinned: all.length > 3,
        changes: [],
        held: new Map(Object.entries(held)),
      };
      t.deepEqual(decodeCapacityChunk(encodeCapacityChunk(chunk)), chunk);
    }),
  );
  for (const text of ['', 'null', '{}', '{"version":1}', '[1]', '{"version":2,"start":0}']) {
    t.is(decodeCapacityChunk(text), null, text);
  }
});
