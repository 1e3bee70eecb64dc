import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { recorded, sessionsIn, startClients } from './support/carefulClients.ts';
import { startFakeAgent, type FakeAgent } from './support/fakeAgent.ts';
import { assertFeedHolds } from './support/feeds.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, untilOnline, writeManagerToken } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { STORES, STORE_ON_BUS, type TestStore } from './support/stores.ts';
import { until } from './support/until.ts';

/** Real processes killed in the middle of real work: nothing acknowledged is lost or doubled, nothing is booked twice. */

const CLIENTS = 50;
const REQUESTS_EACH = 10;
const REQUESTS = CLIENTS * REQUESTS_EACH;
const AGENTS = 4;
const SLOTS_EACH = 10;
const SLOTS = AGENTS * SLOTS_EACH;
const SIMULATED_AGENTS = 2;

/** A gateway process on a bus of its own, with its logs in a store of its own. */
async function house(t: ExecutionContext, store: TestStore, changes: Readonly<Record<string, string>> = {}) {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const ordinary = await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'));
  const env = { ...ordinary, ...store.env, ...changes };
  const gateway = await startGatewayChild(t, env);
  const log = store.openLog(await nats.connect('log'));
  return { nats, env, gateway, log, rest: restOf(`http://${env['MUSTER_HTTP']}`) };
}

/** An agent on a connection of its own, which its death takes with it: to the others it is silent from then on. */
async function mortalAgent(t: ExecutionContext, nats: TestNats, agentId: string) {
  const bus = await nats.connect('app');
  const agent = startFakeAgent(bus, { agentId, cores: SLOTS_EACH, memoryGib: 100 });
  t.teardown(() => agent.stop());
  return { ...agent, kill: () => bus.close() };
}

for (const { name, start } of STORES) {
  test(`${name}: of 500 requests from 50 clients, with agents, bus and gateway killed, exactly 40 are placed on 40 slots`, async (t) => {
    await killedAmidRequests(t, await start(t));
  });
}

async function killedAmidRequests(t: ExecutionContext, store: TestStore): Promise<void> {
  const { nats, env, gateway, log, rest } = await house(t, store);
  const ids = Array.from({ length: AGENTS }, (_, index) => `agent-${index}`);
  const first = await Promise.all(ids.map((agentId) => mortalAgent(t, nats, agentId)));
  for (const agentId of ids) await untilOnline(rest, agentId);
  await rest.defineImage('one');

  const { acknowledged, answered, done } = startClients(rest, { clients: CLIENTS, each: REQUESTS_EACH });
  await answered(20);
  for (const agent of first.slice(0, 2)) await agent.kill();
  await answered(100);
  await nats.kill9();
  await nats.restart();
  const busBackAt = performance.now();
  await answered(acknowledged.length + 1);
  const recoveredMs = Math.round(performance.now() - busBackAt);
  t.log(`first command accepted ${recoveredMs} ms after the bus was back`);
  t.true(recoveredMs < 5000);
  const agents: FakeAgent[] = first.slice(2);
  for (const agentId of ids.slice(0, 2)) agents.push(await mortalAgent(t, nats, agentId));
  await answered(250);
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  await startGatewayChild(t, env);
  await done;
  for (const agent of agents) await agent.refresh();

  const sessions = await rest.sessions();
  t.is(new Set(acknowledged).size, REQUESTS);
  t.deepEqual(sessions.map(({ sessionId }) => sessionId).toSorted(), acknowledged.toSorted());
  t.is(sessions.filter(({ claim }) => claim !== null).length, SLOTS);
  t.is(sessions.filter(({ phase }) => phase === 'waiting').length, REQUESTS - SLOTS);
  for (const { allocated } of await rest.agents()) t.is(allocated.millicores, SLOTS_EACH * 1000);
  const { commits, events } = await recorded(log);
  const { requested, placed } = sessionsIn(events);
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(new Set(placed).size, SLOTS);
  t.is(placed.length, SLOTS);
  await assertFeedHolds(t, await nats.connect('app'), 'zone-default', commits);
}

/** The agents' own process, with simulated hosts and engines: 32 + 8 slots for the image of this test. */
async function startAgents(t: ExecutionContext, env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const main = join(import.meta.dirname, '../agent/simulated/main.ts');
  const child = fork(main, [String(SIMULATED_AGENTS)], { env: { PATH: process.env['PATH'], ...env } });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'message', { signal: AbortSignal.timeout(30_000) });
  return child;
}

test('agents killed among 500 requests come back with nothing running: what ran ended once, and 40 others run', async (t) => {
  const { env, log, rest } = await house(t, await STORE_ON_BUS.start(t), { MUSTER_CHECKIN_SECONDS: '1' });
  await writeManagerToken(rest, join(env['MUSTER_DATA'] ?? '', 'manager.token'));
  const agents = await startAgents(t, env);
  for (const agentId of ['sim-01', 'sim-02']) await untilOnline(rest, agentId);
  await rest.defineImage('one', { cores: 4, memory: '4GiB' });

  const { acknowledged, answered, done } = startClients(rest, { clients: CLIENTS, each: REQUESTS_EACH });
  const running = async (): Promise<number> =>
    (await rest.sessions()).filter(({ phase }) => phase === 'running').length;
  await answered(100);
  await until('some run', running, (count) => count > 0, 60_000);
  agents.kill('SIGKILL');
  await once(agents, 'exit');
  await startAgents(t, env);
  await done;
  await until('all slots run', running, (count) => count === SLOTS, 60_000);

  const sessions = await rest.sessions();
  t.deepEqual(sessions.map(({ sessionId }) => sessionId).toSorted(), acknowledged.toSorted());
  t.is(new Set(acknowledged).size, REQUESTS);
  t.is(sessions.filter(({ claim }) => claim !== null).length, SLOTS);
  const { events } = await recorded(log);
  const { requested, placed } = sessionsIn(events);
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(new Set(placed).size, placed.length, 'nobody is placed twice');
  const ended = events.flatMap(({ type, data }) => (type === 'SessionEnded' ? [data] : []));
  t.is(new Set(ended.map(({ sessionId }) => sessionId)).size, ended.length);
  t.is(placed.length, SLOTS + ended.length);
  t.true(ended.length > 0);
  for (const { cause } of ended) t.is(cause, 'CONTAINER_GONE');
});
