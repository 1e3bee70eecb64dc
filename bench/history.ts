import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from '../infra/bus/connect.ts';
import { writeChunk } from '../infra/bus/rollups.ts';
import { ensureRollups } from '../infra/bus/streams.ts';
import { ROLLUPS_STREAM, rollupSubject } from '../infra/names.ts';
import { COARSER, FINE, startOf, type Bucket, type Resolution, type Spread } from '../projections/rollup.ts';
import { encodeChunk } from '../projections/rollupChunk.ts';
import { chunksIn } from '../projections/rollupRange.ts';
import type { UtilizationView } from '../projections/views.ts';
import type { Rest } from '../test/support/gateway.ts';
import type { TestNats } from '../test/support/nats.ts';
import { seededRandom, type Random } from '../test/simulation/random.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { GIB, agentIdOf } from './hosts.ts';
import { startReferenceNats } from './loadedBus.ts';
import { REFERENCE, type ReferenceOptions } from './referenceLog.ts';
import { median, quantile, row, type Report, type Row } from './report.ts';

/** The agents alone: what happened to them does not matter here. */
const FLEET: ReferenceOptions = { agents: REFERENCE.agents, sessions: 0, events: REFERENCE.agents * 4 };
const HOURLY = COARSER.at(-1) ?? FINE;
const DAY_MS = 86_400_000;
/** So many agents have use of their own; the others have that of one of them, since a store does not look at it. */
const LIVES = 40;
const AT_ONCE = 64;
const QUESTIONS = 200;
/** What the start leaves over is done. */
const SETTLE_MS = 3_000;

/** One question, and the range that it is of. */
const ASKED = [
  { what: '24 h at 10 s', resolution: FINE, days: 1 },
  { what: '400 d at 1 h', resolution: HOURLY, days: 400 },
] as const;

/**
 * The utilization of one agent as a client asks for it, another agent each time, with the data of 1,000 agents in the store.
 * Beside it the same stored bytes, asked of JetStream by as many requests at once and not looked at.
 */
export async function benchHistory({ runs }: { readonly runs: number }): Promise<Report> {
  const now = Date.now();
  const nats = await startReferenceNats(FLEET, (filled) => fill(filled, now));
  const gateway = await startGatewayProcess(nats);
  const bus = await nats.connect('app');
  await pause(SETTLE_MS);
  const rows: Row[] = [];
  for (const { what, resolution, days } of ASKED) {
    const [muster, limit]: [(readonly number[])[], (readonly number[])[]] = [[], []];
    for (let run = 0; run <= runs; run += 1) {
      const answered = await times(run, (agentId) => ask(gateway.rest, agentId, days, resolution));
      const raw = await times(run, (agentId) => getAll(bus, agentId, now - days * DAY_MS, resolution, now));
      // The first run warms both up.
      if (run === 0) continue;
      muster.push(answered);
      limit.push(raw);
    }
    for (const [name, share] of [
      ['p50', 0.5],
      ['p99', 0.99],
    ] as const) {
      const at = (all: readonly (readonly number[])[]) => median(all.map((each) => quantile(each, share)));
      rows.push(row(`utilization of one agent, ${what}, ${name}`, 'ms', at(muster), at(limit)));
    }
  }
  await gateway.stop();
  await nats.stop();
  const note = `utilization: ${FLEET.agents} agents' data in the store, with one GPU each; raw is the same chunks by direct gets, as they are`;
  return { rows, notes: [note] };
}

/** How long each question takes, in ms. */
async function times(run: number, question: (agentId: string) => Promise<void>): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let index = 0; index < QUESTIONS; index += 1) {
    const begun = performance.now();
    await question(agentIdOf((run * QUESTIONS + index * 7) % FLEET.agents));
    taken.push(performance.now() - begun);
  }
  return taken;
}

async function ask(rest: Rest, agentId: string, days: number, { bucketSeconds }: Resolution): Promise<void> {
  const path = `/agents/${agentId}/utilization?hours=${days * 24}&step=${bucketSeconds}`;
  const { samples } = await rest.read<UtilizationView>(path);
  const most = (days * DAY_MS) / (bucketSeconds * 1000);
  // The hour that is open has nothing, and neither have the last ten days when they are not over.
  if (samples.length < most * 0.9) throw new Error(`${agentId} has ${samples.length} of ${most} points`);
}

async function getAll(bus: Bus, agentId: string, since: number, resolution: Resolution, now: number): Promise<void> {
  const chunks = chunksIn({ since, until: now }, resolution, now);
  const answers = await Promise.all(
    chunks.map(async (start) => {
      const subject = rollupSubject(agentId, resolution.bucketSeconds, start / 1000);
      return await bus.connection.request(`$JS.API.DIRECT.GET.${ROLLUPS_STREAM}.${subject}`);
    }),
  );
  const found = answers.filter(({ headers }) => (headers?.code ?? 0) === 0);
  if (found.length < chunks.length - 1) throw new Error(`${found.length} of ${chunks.length} chunks of ${agentId}`);
}

/** What the gateway that leads would have written: every closed hour of the last day, and 400 days of hours. */
async function fill(nats: TestNats, now: number): Promise<void> {
  const bus = await nats.connect('app');
  await ensureRollups(bus, 1);
  const until = startOf(now, FINE.chunkSeconds);
  for (let life = 0; life < LIVES; life += 1) {
    const random = seededRandom(life + 1);
    const agents = Array.from({ length: FLEET.agents / LIVES }, (_, index) => agentIdOf(index * LIVES + life));
    for (const { resolution, days } of ASKED) {
      for (const start of chunksIn({ since: now - days * DAY_MS, until: until - 1 }, resolution, now)) {
        const text = encodeChunk(start, resolution.bucketSeconds, buckets(random, start, until, resolution));
        await writeAll(bus, agents, { start, bucketSeconds: resolution.bucketSeconds }, text, resolution.keptSeconds);
      }
    }
  }
  await bus.close();
}

async function writeAll(
  bus: Bus,
  agents: readonly string[],
  place: { readonly start: number; readonly bucketSeconds: number },
  text: string,
  keptSeconds: number,
): Promise<void> {
  for (let first = 0; first < agents.length; first += AT_ONCE) {
    await Promise.all(
      agents
        .slice(first, first + AT_ONCE)
        .map((agentId) => writeChunk(bus, { agentId, ...place }, { text, expected: 0, keptSeconds })),
    );
  }
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
