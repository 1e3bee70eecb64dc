import { Agent } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from '../infra/bus/connect.ts';
import { ROLLUPS_STREAM, rollupSubject } from '../infra/names.ts';
import { COARSER, FINE } from '../projections/rollup.ts';
import { chunksIn, resolutionFor } from '../projections/rollupRange.ts';
import type { UtilizationView } from '../projections/views.ts';
import type { Rest } from '../test/support/gateway.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { agentIdOf } from './hosts.ts';
import { startReferenceNats } from './loadedBus.ts';
import { fillHistory, type Kept } from './pastUse.ts';
import { expectAnswer } from './plainClient.ts';
import { latencies, timed } from './raw.ts';
import { REFERENCE, type ReferenceOptions } from './referenceLog.ts';
import { median, quantile, row, type Report, type Row } from './report.ts';

/** The agents alone: what happened to them does not matter here. */
const FLEET: ReferenceOptions = { agents: REFERENCE.agents, sessions: 0, events: REFERENCE.agents * 4 };
const HOURLY = COARSER.at(-1) ?? FINE;
const DAY_MS = 86_400_000;
const QUESTIONS = 200;
const AT_ONCE = 8;
/** Others, while histories are asked for. */
const OTHERS = 500;
const ASKERS = 2;
/** What the start leaves over is done. */
const SETTLE_MS = 3_000;

/** One question, and the range that it is of. */
interface Asked extends Kept {
  readonly what: string;
  readonly query: string;
}

/** The utilization of one agent, asked by a client or as the same stored bytes by plain requests to JetStream. */
type Question = (agentId: string) => Promise<unknown>;

/**
 * The utilization of one agent as a client asks for it, another agent each time, with the data of 1,000 agents in the store.
 * Beside it the same stored bytes, asked of JetStream by as many requests at once and not looked at.
 */
export async function benchHistory({ runs }: { readonly runs: number }): Promise<Report> {
  const now = Date.now();
  const asked = questionsAt(now);
  const nats = await startReferenceNats(FLEET, (filled) => fillHistory(filled, FLEET.agents, asked, now));
  const gateway = await startGatewayProcess(nats);
  const bus = await nats.connect('app');
  await pause(SETTLE_MS);
  const rows: Row[] = [];
  for (const each of asked) {
    const ask: Question = (agentId) => answered(gateway.rest, agentId, each);
    rows.push(...(await compared(each, ask, (agentId) => stored(bus, agentId, each, now), runs)));
  }
  rows.push(...(await othersMeanwhile(gateway.rest, asked[0], runs)));
  await gateway.stop();
  await nats.stop();
  const note = `utilization: ${FLEET.agents} agents' data in the store, with one GPU each; raw is the same chunks by direct gets, as they are, and for others the same alone`;
  return { rows, notes: [note] };
}

/** The second is what the page asks: a day up to now, at the step that the gateway chooses. */
function questionsAt(now: number): readonly [Asked, ...Asked[]] {
  const day = { since: now - DAY_MS, until: now };
  const query = `since=${new Date(day.since).toISOString()}&until=${new Date(day.until).toISOString()}`;
  const chosen = resolutionFor(day, now);
  return [
    { what: '24 h at 10 s', resolution: FINE, days: 1, query: 'hours=24&step=10' },
    { what: `24 h as the page asks, ${chosen.bucketSeconds} s`, resolution: chosen, days: 1, query },
    { what: '400 d at 1 h', resolution: HOURLY, days: 400, query: `hours=${400 * 24}&step=3600` },
  ];
}

async function compared(asked: Asked, muster: Question, raw: Question, runs: number): Promise<readonly Row[]> {
  const [ours, theirs]: [(readonly number[])[], (readonly number[])[]] = [[], []];
  const [rate, rawRate]: [number[], number[]] = [[], []];
  for (let run = 0; run <= runs; run += 1) {
    const answers = await oneByOne(run, muster);
    const gets = await oneByOne(run, raw);
    const perSecond = await manyAtATime(run, muster);
    const rawPerSecond = await manyAtATime(run, raw);
    // The first run warms both up.
    if (run === 0) continue;
    ours.push(answers);
    theirs.push(gets);
    rate.push(perSecond);
    rawRate.push(rawPerSecond);
  }
  const name = `utilization of one agent, ${asked.what}`;
  const [answer, bytes] = [await muster(agentIdOf(0)), await raw(agentIdOf(0))];
  return [
    ...quantilesOf(name, ours, theirs),
    row(`${name}, ${AT_ONCE} at a time`, 'answers/s', median(rate), median(rawRate)),
    row(`${name}, size`, 'KB', JSON.stringify(answer).length / 1000, Number(bytes) / 1000),
  ];
}

/** What somebody else waits for one row while histories are asked for without a pause, and alone. */
async function othersMeanwhile(rest: Rest, asked: Asked, runs: number): Promise<readonly Row[]> {
  const [client, askers] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
  const get = (agent: Agent, path: string) => expectAnswer(agent, `${rest.url}/api/v1/agents/${path}`, 'GET', 200);
  const other = () => get(client, agentIdOf(0));
  const [ours, alone]: [(readonly number[])[], (readonly number[])[]] = [[], []];
  await latencies(OTHERS, other);
  for (let run = 0; run < runs; run += 1) {
    alone.push(await latencies(OTHERS, other));
    const ending = new AbortController();
    const asking = Array.from({ length: ASKERS }, async (_, asker) => {
      for (let index = asker; !ending.signal.aborted; index += ASKERS) {
        await get(askers, `${agentIdOf(index % FLEET.agents)}/utilization?${asked.query}`);
      }
    });
    ours.push(await latencies(OTHERS, other));
    ending.abort();
    await Promise.all(asking);
  }
  client.destroy();
  askers.destroy();
  return quantilesOf(`GET /agents/{id} while ${ASKERS} ask for ${asked.what} again and again`, ours, alone);
}

function quantilesOf(
  name: string,
  ours: readonly (readonly number[])[],
  theirs: readonly (readonly number[])[],
): readonly Row[] {
  const at = (all: readonly (readonly number[])[], share: number) => median(all.map((each) => quantile(each, share)));
  return [0.5, 0.99].map((share) => row(`${name}, p${share * 100}`, 'ms', at(ours, share), at(theirs, share)));
}

/** How long each question takes, in ms. */
async function oneByOne(run: number, question: Question): Promise<readonly number[]> {
  const taken: number[] = [];
  for (let index = 0; index < QUESTIONS; index += 1) {
    taken.push(await timed(async () => void (await question(agentAt(run, index)))));
  }
  return taken;
}

/** Questions per second. */
async function manyAtATime(run: number, question: Question): Promise<number> {
  let index = 0;
  const asker = async () => {
    while (index < QUESTIONS) {
      index += 1;
      await question(agentAt(run, index));
    }
  };
  const ms = await timed(async () => void (await Promise.all(Array.from({ length: AT_ONCE }, asker))));
  return (QUESTIONS * 1000) / ms;
}

function agentAt(run: number, index: number): string {
  return agentIdOf((run * QUESTIONS + index * 7) % FLEET.agents);
}

async function answered(rest: Rest, agentId: string, { query, days, resolution }: Asked): Promise<UtilizationView> {
  const view = await rest.read<UtilizationView>(`/agents/${agentId}/utilization?${query}`);
  const most = (days * DAY_MS) / (resolution.bucketSeconds * 1000);
  const received = view.samples.filter((each) => each > 0).length;
  // The hour that is open has nothing, and neither have the last ten days when they are not over.
  if (received < most * 0.9) throw new Error(`${agentId} has ${received} of ${most} buckets`);
  return view;
}

/** Bytes. */
async function stored(bus: Bus, agentId: string, { days, resolution }: Asked, now: number): Promise<number> {
  const chunks = chunksIn({ since: now - days * DAY_MS, until: now }, resolution, now);
  const answers = await Promise.all(
    chunks.map(async (start) => {
      const subject = rollupSubject(agentId, resolution.bucketSeconds, start / 1000);
      return await bus.connection.request(`$JS.API.DIRECT.GET.${ROLLUPS_STREAM}.${subject}`);
    }),
  );
  const found = answers.filter(({ headers }) => (headers?.code ?? 0) === 0);
  if (found.length < chunks.length - 1) throw new Error(`${found.length} of ${chunks.length} chunks of ${agentId}`);
  return found.reduce((sum, { data }) => sum + data.length, 0);
}
