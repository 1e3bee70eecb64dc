import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import type { Usage } from '../domain/checkIn.ts';
import { coarsened, COARSER, FINE, mergedBuckets, RESOLUTIONS, type Bucket } from '../projections/rollup.ts';
import { columnsOf, decodeChunk, encodeChunk } from '../projections/rollupChunk.ts';
import { chunksIn, resolutionFor, resolutionOf } from '../projections/rollupRange.ts';
import {
  absorb,
  addSample,
  bucketsOf,
  forgetHours,
  openHours,
  type UtilizationHistory,
} from '../projections/utilization.ts';
import { utilizationView } from '../projections/utilizationView.ts';
import { aGpuUse, GIB, NOW } from './support/builders.ts';

const START = Date.parse(NOW);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Measured {
  readonly cpu?: number;
  readonly disk?: number | null;
  /** Load in percent of each device; null: the driver does not tell. */
  readonly gpus?: readonly (number | null)[];
}

function usage({ cpu = 1000, disk = null, gpus = [] }: Measured = {}): Usage {
  return {
    cpuMillicores: cpu,
    memoryBytes: GIB,
    disk: disk === null ? null : { usedBytes: disk, totalBytes: 8 * GIB },
    gpus: gpus.map((utilizationPercent, index) => aGpuUse(index, { utilizationPercent })),
    sessions: [],
  };
}

/** The buckets of one agent of which this was measured, as seconds after the start and what. */
function measured(...samples: readonly (readonly [seconds: number, what: Measured])[]): readonly Bucket[] {
  const history: UtilizationHistory = new Map();
  for (const [seconds, what] of samples) addSample(history, 'a', START + seconds * SECOND, usage(what));
  return openHours(history, 'a').flatMap(bucketsOf);
}

const spread = (lowest: number, mean: number, highest: number) => ({ lowest, mean, highest });

test('a bucket of ten seconds holds the lowest, mean and highest of its check-ins, and the newest disk level', (t) => {
  const [bucket, ...others] = measured(
    [0, { cpu: 1000, disk: 2 * GIB, gpus: [10, 30] }],
    [4, { cpu: 4000, disk: GIB, gpus: [60, null] }],
    [9, { cpu: 1000, disk: null, gpus: [0, 10] }],
  );
  t.deepEqual(bucket, {
    at: START,
    samples: 3,
    cpuMillicores: spread(1000, 2000, 4000),
    memoryBytes: spread(GIB, GIB, GIB),
    diskUsedBytes: GIB,
    gpuPercent: spread(5, 28.3, 60),
    gpuMemoryBytes: spread(2 * GIB, 2 * GIB, 2 * GIB),
  });
  t.deepEqual(others, []);
});

test('a bucket without a check-in does not exist, and what nobody told is not 0', (t) => {
  const buckets = measured([0, {}], [35, { gpus: [null] }]);
  t.deepEqual(
    buckets.map(({ at, gpuPercent, gpuMemoryBytes, diskUsedBytes }) => [
      (at - START) / SECOND,
      gpuPercent,
      gpuMemoryBytes,
      diskUsedBytes,
    ]),
    [
      [0, null, null, null],
      [30, null, spread(GIB, GIB, GIB), null],
    ],
  );
});

test('wider buckets hold the extremes, the weighed mean and the newest level of the narrow ones', (t) => {
  const narrow = measured(
    [0, { cpu: 1000, disk: GIB }],
    [1, { cpu: 2000 }],
    [50, { cpu: 6000, gpus: [20] }],
    [61, { cpu: 500 }],
    [3600, {}],
  );
  t.deepEqual(
    coarsened(narrow, 60).map(({ at, samples, cpuMillicores, diskUsedBytes, gpuPercent }) => [
      (at - START) / MINUTE,
      samples,
      cpuMillicores,
      diskUsedBytes,
      gpuPercent,
    ]),
    [
      [0, 3, spread(1000, 3000, 6000), GIB, spread(20, 20, 20)],
      [1, 1, spread(500, 500, 500), null, null],
      [60, 1, spread(1000, 1000, 1000), null, null],
    ],
  );
  t.deepEqual(coarsened([], 60), []);
});

test('of two accounts of one time the fuller counts, and merging again changes nothing', (t) => {
  const whole = measured([0, {}], [1, {}], [10, {}]);
  const part = measured([1, { cpu: 7 }], [20, { cpu: 7 }]);
  const merged = mergedBuckets(whole, part);
  t.deepEqual(
    merged.map(({ samples, cpuMillicores }) => [samples, cpuMillicores.mean]),
    [
      [2, 1000],
      [1, 1000],
      [1, 7],
    ],
  );
  t.is(mergedBuckets(merged, part), merged, 'the very same, so that nothing is written');
  t.deepEqual(mergedBuckets(part, whole), merged);
});

test('an account on the side is absorbed bucket by bucket', (t) => {
  const heard: UtilizationHistory = new Map();
  const read: UtilizationHistory = new Map();
  addSample(read, 'a', START, usage({ cpu: 5, gpus: [50] }));
  addSample(read, 'a', START + SECOND, usage({ cpu: 5, gpus: [50] }));
  addSample(heard, 'a', START + SECOND, usage({ cpu: 7 }));
  addSample(heard, 'a', START + 10 * SECOND, usage({ cpu: 7 }));
  absorb(heard, read);
  absorb(heard, read);
  const [hour] = openHours(heard, 'a');
  t.is(hour?.samples, 3);
  t.deepEqual(
    openHours(heard, 'a')
      .flatMap(bucketsOf)
      .map(({ samples, cpuMillicores, gpuPercent }) => [samples, cpuMillicores.mean, gpuPercent?.mean ?? null]),
    [
      [2, 5, 50],
      [1, 7, null],
    ],
  );
});

test('memory holds at most 26 hours of an agent, and forgets what it is told to', (t) => {
  const history: UtilizationHistory = new Map();
  for (let hour = 0; hour < 30; hour += 1) addSample(history, 'a', START + hour * HOUR, usage());
  t.is(openHours(history, 'a')[0]?.start, START + 4 * HOUR);
  t.false(forgetHours(history, START + 4 * HOUR));
  t.true(forgetHours(history, START + 29 * HOUR));
  t.is(openHours(history, 'a').length, 1);
  forgetHours(history, START + 30 * HOUR);
  t.is(history.size, 0);
});

const anySample = fc.record({
  second: fc.nat({ max: 3599 }),
  cpu: fc.nat({ max: 256_000 }),
  disk: fc.option(fc.nat()),
  gpus: fc.array(fc.option(fc.float({ min: 0, max: 100, noNaN: true })), { maxLength: 3 }),
});

testProp('a chunk reads as it was written', [fc.array(anySample)], (t, samples) => {
  const buckets = measured(...samples.map(({ second, ...what }) => [second, what] as const));
  t.deepEqual(decodeChunk(encodeChunk(START, 10, buckets)), buckets);
});

test('a text that is no chunk is told from one', (t) => {
  const text = encodeChunk(START, 10, measured([0, {}], [10, {}]));
  const columns = JSON.parse(text);
  t.is(decodeChunk(text)?.length, 2);
  for (const wrong of [
    '',
    'null',
    '[]',
    '{"version":1}',
    JSON.stringify({ ...columns, version: 2 }),
    JSON.stringify({ ...columns, samples: [1] }),
    JSON.stringify({ ...columns, places: ['0', 1] }),
    JSON.stringify({ ...columns, places: [null, 1] }),
    JSON.stringify({ ...columns, cpuMillicores: { ...columns.cpuMillicores, mean: [1, null] } }),
    JSON.stringify({ ...columns, gpuPercent: {} }),
  ]) {
    t.is(decodeChunk(wrong), null, wrong);
  }
});

test('a range is answered as columns from its first bucket to its last, and a gap has no value in any', (t) => {
  const buckets = measured(
    [0, { cpu: 9000 }],
    [60, { cpu: 1000, gpus: [20, 25] }],
    [61, { cpu: 2000, disk: GIB, gpus: [0, 0] }],
    [80, { cpu: 3000 }],
    [120, { cpu: 9000 }],
  );
  const range = { since: START + 35 * SECOND, until: START + 119 * SECOND };
  t.deepEqual(utilizationView('a', range, 10, [columnsOf(START, 10, buckets)]), {
    agentId: 'a',
    start: START + MINUTE,
    stepSeconds: 10,
    samples: [2, 0, 1],
    cpuMillicores: { lowest: [1000, null, 3000], mean: [1500, null, 3000], highest: [2000, null, 3000] },
    memoryMib: { lowest: [1024, null, 1024], mean: [1024, null, 1024], highest: [1024, null, 1024] },
    diskUsedMib: [1024, null, null],
    gpuPercent: { lowest: [0, null, null], mean: [11.3, null, null], highest: [22.5, null, null] },
    gpuMemoryMib: { lowest: [2048, null, null], mean: [2048, null, null], highest: [2048, null, null] },
  });
  const nothing = { lowest: [], mean: [], highest: [] };
  t.deepEqual(utilizationView('a', { since: START, until: START + HOUR }, 10, []), {
    agentId: 'a',
    start: START,
    stepSeconds: 10,
    samples: [],
    cpuMillicores: nothing,
    memoryMib: nothing,
    diskUsedMib: null,
    gpuPercent: null,
    gpuMemoryMib: null,
  });
});

testProp(
  'accounts of the same time are answered as if they had been merged',
  [fc.array(anySample), fc.array(anySample)],
  (t, ...accounts) => {
    const range = { since: START + 10 * MINUTE, until: START + 50 * MINUTE };
    const [stored, heard] = accounts.map((samples) =>
      measured(...samples.map(({ second, ...what }) => [second, what] as const)),
    );
    const answer = (...parts: readonly (readonly Bucket[])[]) =>
      utilizationView(
        'a',
        range,
        10,
        parts.map((buckets) => columnsOf(START, 10, buckets)),
      );
    t.deepEqual(answer(stored ?? [], heard ?? []), answer(mergedBuckets(stored ?? [], heard ?? [])));
  },
);

test('a chunk of another step, or between two steps, is no part of an answer', (t) => {
  const columns = columnsOf(START, 10, measured([0, {}]));
  const range = { since: START, until: START + HOUR };
  const samples = (change: object) => utilizationView('a', range, 10, [{ ...columns, ...change }]).samples;
  t.deepEqual([samples({}), samples({ bucketSeconds: 60 }), samples({ start: START + 1 })], [[1], [], []]);
});

test('the step is the finest that is still kept and not more than can be drawn', (t) => {
  const now = START + 500 * DAY;
  const stepFor = (since: number, until = 0) =>
    resolutionFor({ since: now - since, until: now - until }, now).bucketSeconds;
  t.is(stepFor(HOUR), 10);
  t.is(stepFor(4 * HOUR), 10);
  t.is(stepFor(5 * HOUR), 60);
  t.is(stepFor(DAY), 60);
  t.is(stepFor(2 * DAY), 3600);
  t.is(stepFor(3 * DAY, 3 * DAY - HOUR), 60, 'an hour of three days ago');
  t.is(stepFor(30 * DAY, 30 * DAY - HOUR), 3600, 'an hour of last month');
  t.is(stepFor(400 * DAY), 3600);
  t.is(resolutionOf(60)?.chunkSeconds, 6 * 3600);
  t.is(resolutionOf(30), null);
});

test('a day of one agent is 24 chunks and the open one, and nothing is looked for that is no longer kept', (t) => {
  const now = START + 10 * DAY + 30 * MINUTE;
  const day = chunksIn({ since: now - DAY, until: now }, FINE, now);
  t.is(day.length, 25);
  t.is(day.at(-1), START + 10 * DAY);
  t.is(chunksIn({ since: 0, until: now }, FINE, now).length, 25);
  t.is(chunksIn({ since: now + HOUR, until: now + DAY }, FINE, now).length, 0);
  const [minutes, hours] = COARSER.map((resolution) => chunksIn({ since: now - DAY, until: now }, resolution, now));
  t.deepEqual([minutes?.length, hours?.length], [5, 1]);
});

test('every chunk lies within one of the next width', (t) => {
  for (const [index, { chunkSeconds }] of RESOLUTIONS.entries()) {
    const next = RESOLUTIONS[index + 1];
    t.is((next?.chunkSeconds ?? chunkSeconds) % chunkSeconds, 0);
  }
});
