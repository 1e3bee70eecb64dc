import { gzipSync } from 'node:zlib';
import { headers } from 'nats';
import { publishAcked } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { ensureRollups } from '../infra/bus/streams.ts';
import { rollupSubject } from '../infra/names.ts';
import { FINE, startOf, type Bucket, type Resolution, type Spread } from '../projections/rollup.ts';
import { encodeChunk } from '../projections/rollupChunk.ts';
import { chunksIn } from '../projections/rollupRange.ts';
import type { TestNats } from '../test/support/nats.ts';
import { seededRandom, type Random } from '../test/simulation/random.ts';
import { GIB, agentIdOf } from './hosts.ts';

/** So much of one width. */
export interface Kept {
  readonly resolution: Resolution;
  readonly days: number;
}

const DAY_MS = 86_400_000;
/** So many agents have use of their own; the others have that of one of them, since a store does not look at it. */
const LIVES = 40;

/** What the gateway that leads would have written of every agent: the hours that are closed, in each width. */
export async function fillHistory(nats: TestNats, agents: number, kept: readonly Kept[], now: number): Promise<void> {
  const bus = await nats.connect('app');
  await ensureRollups(bus, 1);
  const until = startOf(now, FINE.chunkSeconds);
  for (let life = 0; life < LIVES; life += 1) {
    const random = seededRandom(life + 1);
    const ids = Array.from({ length: agents / LIVES }, (_, index) => agentIdOf(index * LIVES + life));
    for (const { resolution, days } of kept) {
      for (const start of chunksIn({ since: now - days * DAY_MS, until: until - 1 }, resolution, now)) {
        const text = encodeChunk(start, resolution.bucketSeconds, buckets(random, start, until, resolution));
        await writeAll(bus, ids, { start, bucketSeconds: resolution.bucketSeconds }, text, resolution.keptSeconds);
      }
    }
  }
  await bus.close();
}

/** The same bytes for all of them, so they are packed once. */
async function writeAll(
  bus: Bus,
  agents: readonly string[],
  place: { readonly start: number; readonly bucketSeconds: number },
  text: string,
  keptSeconds: number,
): Promise<void> {
  const bytes = gzipSync(text);
  const publishing = agents.map(async (agentId) => {
    const lifetime = headers();
    lifetime.set('Nats-TTL', `${keptSeconds}s`);
    await publishAcked(bus, rollupSubject(agentId, place.bucketSeconds, place.start / 1000), bytes, lifetime);
  });
  await Promise.all(publishing);
}

/** Those of one chunk that are over. */
function buckets(random: Random, start: number, until: number, resolution: Resolution): readonly Bucket[] {
  const { bucketSeconds, chunkSeconds } = resolution;
  const count = Math.min(chunkSeconds / bucketSeconds, (until - start) / (bucketSeconds * 1000));
  const base = random.int(2_000, 40_000);
  return Array.from({ length: count }, (_, index) => ({
    at: start + index * bucketSeconds * 1000,
    samples: bucketSeconds / FINE.bucketSeconds,
    cpuMillicores: spread(random, base, 2_000),
    memoryBytes: spread(random, 40_960, 512, GIB / 1024),
    diskUsedBytes: (200 + random.int(0, 3)) * GIB,
    gpuPercent: spread(random, 50, 20),
    gpuMemoryBytes: spread(random, 20_480, 1024, GIB / 1024),
  }));
}

function spread(random: Random, around: number, by: number, unit = 1): Spread {
  const [a, b, c] = [random.int(0, by), random.int(0, by), random.int(0, by)].toSorted((x, y) => x - y);
  return {
    lowest: (around + (a ?? 0)) * unit,
    mean: (around + (b ?? 0)) * unit,
    highest: (around + (c ?? 0)) * unit,
  };
}
