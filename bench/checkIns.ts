import type { CheckIn } from '../domain/checkIn.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { LogFold } from '../gateway/controller/logFold.ts';
import { zoneRules } from '../gateway/core/foldRules.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { orderedMessages } from '../infra/bus/ordered.ts';
import { createMemoryLog } from '../infra/log/memory.ts';
import { CHECKINS_STREAM, checkInSubject } from '../infra/names.ts';
import type { Rest } from '../test/support/gateway.ts';
import type { TestNats } from '../test/support/nats.ts';
import { until } from '../test/support/until.ts';
import { startGatewayProcess } from './gatewayProcess.ts';
import { GIB, checkInOf, hardwareOf, observed } from './hosts.ts';
import { startReferenceNats } from './loadedBus.ts';
import { REFERENCE, REFERENCE_LOG, REFERENCE_LOG_ID, referenceLog, type ReferenceOptions } from './referenceLog.ts';
import { median, row, type Report } from './report.ts';

/** So many of each agent in a run, as fast as the bus takes them. */
const ROUNDS = 15;
const SESSIONS = 10;
/** Every hundredth tells of hardware that has changed, which becomes an event; the others only measure. */
const CHANGES_EVERY = 100;
const PUBLISHED_AT_ONCE = 500;

/** One run's check-ins as they go over the bus, and what the projection must show of each agent after them. */
interface Spoken {
  readonly messages: readonly { readonly subject: string; readonly bytes: Uint8Array }[];
  readonly newest: ReadonlyMap<string, CheckIn>;
}

/**
 * Check-ins per second through one gateway process: bus, parsing, desk, controller and projections, from the first one sent
 * until the gateway has counted every one and shows the newest of each agent. Against an ordered consumer in this process
 * that only parses the JSON of the same messages.
 */
export async function benchCheckIns({ runs }: { readonly runs: number }): Promise<Report> {
  const nats = await startReferenceNats(REFERENCE);
  const state = await stateOf(REFERENCE);
  const gateway = await startGatewayProcess(nats);
  const bus = await nats.connect('app');
  const [muster, limit]: [number[], number[]] = [[], []];
  let bytes = 0;
  for (let run = 0; run <= runs; run += 1) {
    const spoken = speak(state, run, ROUNDS, SESSIONS);
    const count = spoken.messages.length;
    bytes = spoken.messages.reduce((sum, message) => sum + message.bytes.length, 0) / count;
    const startedAt = performance.now();
    await publishAll(bus, gateway.rest, spoken);
    const seconds = (performance.now() - startedAt) / 1000;
    await assertShown(gateway.rest, spoken);
    // The first run warms the gateway up.
    if (run === 0) continue;
    muster.push(count / seconds);
    limit.push(await rawRate(bus, run * count, count));
  }
  await gateway.stop();
  await nats.stop();
  const what = `check-ins of ${(bytes / 1000).toFixed(1)} KB, ${REFERENCE.agents} agents`;
  const note = `check-ins: ${SESSIONS} sessions and 4 GPUs each, 1 in ${CHANGES_EVERY} makes an event; none lost, the newest shown`;
  return { rows: [row(what, 'check-ins/s', median(muster), median(limit))], notes: [note] };
}

/** What the agents of such a zone know of it. */
export async function stateOf(options: ReferenceOptions): Promise<ZoneState> {
  const eventLog = createMemoryLog(new Map([[REFERENCE_LOG, [...(await referenceLog(options))]]]));
  const fold = new LogFold({ log: REFERENCE_LOG, eventLog, rules: zoneRules('default') });
  await fold.catchUp();
  return fold.state;
}

/** What the agents of the reference zone say in one run: what the log wants of them runs, and some containers are over. */
function speak({ agents }: ZoneState, run: number, rounds: number, containers: number): Spoken {
  const messages: { readonly subject: string; readonly bytes: Uint8Array }[] = [];
  const newest = new Map<string, CheckIn>();
  const observedAt = new Date().toISOString();
  for (let round = 1; round <= rounds; round += 1) {
    for (const { agentId, desiredVersion, sessions } of agents.values()) {
      const seq = run * rounds + round;
      const over = Array.from({ length: Math.max(0, containers - sessions.size) }, (_, index) =>
        observed(`s-over-${index}-of-${agentId}`, 'exited'),
      );
      const changes = messages.length % CHANGES_EVERY === 0;
      const hardware = { ...hardwareOf(agentId), ...(changes ? { swapBytes: seq * GIB } : {}) };
      const checkIn = checkInOf({
        agentId,
        seq,
        logId: REFERENCE_LOG_ID,
        appliedVersion: desiredVersion,
        observedAt,
        hardware,
        sessions: [...[...sessions].map((sessionId) => observed(sessionId, 'running')), ...over],
        load: seq * 131 + messages.length,
      });
      newest.set(agentId, checkIn);
      messages.push({ subject: checkInSubject('default', agentId), bytes: Buffer.from(JSON.stringify(checkIn)) });
    }
  }
  return { messages, newest };
}

/** One check-in of every agent, heard when this resolves. Those of a zone without sessions have no container either. */
export async function publishOnce(nats: TestNats, rest: Rest, state: ZoneState): Promise<void> {
  const bus = await nats.connect('app');
  await publishAll(bus, rest, speak(state, 0, 1, 0));
  await bus.close();
}

/** Resolves when the gateway has counted every one; rejects when it has not after half a minute. */
async function publishAll(bus: Bus, rest: Rest, { messages }: Spoken): Promise<void> {
  const wanted = (await checkInsCounted(rest)) + messages.length;
  for (const [index, { subject, bytes }] of messages.entries()) {
    bus.connection.publish(subject, bytes);
    // The client keeps what the socket does not take, without a limit.
    if (index % PUBLISHED_AT_ONCE === 0) await bus.connection.flush();
  }
  await bus.connection.flush();
  const heard = () => checkInsCounted(rest);
  await until('every check-in counted', heard, (count) => count === wanted);
}

/** How many check-ins the gateway has received. */
export async function checkInsCounted(rest: Rest): Promise<number> {
  const { body } = await rest.request('GET', `${rest.url}/metrics`);
  const line = /^muster_check_ins_total\{result="received"\} (\d+)$/m.exec(String(body));
  return Number(line?.[1] ?? 0);
}

async function assertShown(rest: Rest, { newest }: Spoken): Promise<void> {
  for (const { agentId, used } of await rest.agents()) {
    const said = newest.get(agentId);
    if (said !== undefined && used?.memoryBytes !== said.usage.memoryBytes) {
      throw new Error(`${agentId} is shown with ${used?.memoryBytes} bytes in use, but said ${said.usage.memoryBytes}`);
    }
  }
}

/** Messages per second of a consumer that parses what it gets, from behind `after` on. */
async function rawRate(bus: Bus, after: number, count: number): Promise<number> {
  const startedAt = performance.now();
  const stop = new AbortController();
  const options = { stream: CHECKINS_STREAM, start: { kind: 'after', sequence: after }, upTo: after + count } as const;
  let parsed = 0;
  for await (const { data } of orderedMessages(bus, { ...options, signal: stop.signal })) {
    const value: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    if (value !== null) parsed += 1;
  }
  if (parsed !== count) throw new Error(`read ${parsed} of ${count} check-ins`);
  return (count / (performance.now() - startedAt)) * 1000;
}
