import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { AnyEvent } from '../domain/events.ts';
import type { EventLog } from '../infra/log/port.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, untilOnline, type Rest, type StartAnswer } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats, type TestNats } from './support/nats.ts';
import { collect } from './support/logs.ts';
import { STORES, STORE_ON_BUS, type StoreKind, type TestStore } from './support/stores.ts';
import { until } from './support/until.ts';

/** Two gateway processes on one real bus: one leads, the other follows, and either may go at any moment. */

const CLIENTS = 20;
const REQUESTS_EACH = 10;
const SLOTS = 30;
/** A client that gets no answer for so long asks the other gateway. */
const PATIENCE_MS = 2_000;
/** How long the leader stands still, well beyond its lease. */
const STANDSTILL_MS = 30_000;

interface LogsView {
  readonly gatewayId: string;
  readonly logs: readonly { readonly log: string; readonly role: string; readonly leader: string | null }[];
}

interface Process {
  readonly rest: Rest;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exited: () => Promise<unknown>;
  readonly role: () => Promise<string>;
}

async function gatewayOn(t: ExecutionContext, nats: TestNats, store: TestStore): Promise<Process> {
  const env = { ...(await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'))), ...store.env };
  const child = await startGatewayChild(t, env);
  const rest = restOf(`http://${env['MUSTER_HTTP']}`);
  return {
    rest,
    kill: (signal) => child.kill(signal),
    exited: async () => child.exitCode ?? child.signalCode ?? (await once(child, 'exit')),
    role: async () => {
      const { logs } = await rest.read<LogsView>('/logs');
      return logs.map(({ role }) => role).join();
    },
  };
}

/** Two gateways, an agent with 30 slots, and an image: the first gateway leads. */
async function twoGateways(t: ExecutionContext, kind: StoreKind) {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const store = await kind.start(t);
  const first = await gatewayOn(t, nats, store);
  const second = await gatewayOn(t, nats, store);
  const agent = startFakeAgent(await nats.connect('app'), { agentId: 'big', cores: SLOTS, memoryGib: 100 });
  t.teardown(() => agent.stop());
  await untilOnline(second.rest, 'big');
  await second.rest.defineImage('one');
  t.is(await first.role(), 'leading,leading');
  t.is(await second.role(), 'following,following');
  const log = store.openLog(await nats.connect('log'));
  return { nats, store, log, first, second, agent };
}

/** The same key again, at either gateway, until there is an answer that is neither an outage nor a lost reply. */
async function ask(gateways: readonly Process[], key: string): Promise<string> {
  for (let turn = 0; ; turn += 1) {
    const { rest } = gateways[turn % gateways.length] ?? { rest: restOf('http://127.0.0.1:1') };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const answer = await Promise.race([
      rest.request('POST', '/sessions', { body: { imageId: 'one' }, headers: { 'idempotency-key': key } }),
      once(signal, 'abort').then(() => null),
    ]).catch(() => null);
    if (answer?.status === 201 || answer?.status === 202) return (answer.body as StartAnswer).session.sessionId;
    if (answer !== null && answer.status !== 503) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    await pause(50);
  }
}

async function eventsOf(log: EventLog): Promise<readonly AnyEvent[]> {
  return (await collect(log.read('zone-default', 0))).flatMap(({ commit }) => commit.events);
}

/** 200 requests at both gateways; `disturb` is called when 60 were answered. All are answered once, 30 are placed. */
async function requestsThrough(
  t: ExecutionContext,
  { log, first, second }: Awaited<ReturnType<typeof twoGateways>>,
  disturb: () => Promise<void>,
): Promise<void> {
  const acknowledged: string[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    const gateways = client % 2 === 0 ? [first, second] : [second, first];
    for (let request = 0; request < REQUESTS_EACH; request += 1) {
      acknowledged.push(await ask(gateways, `client-${client}-${request}`));
    }
  });
  await until(
    'the first answers',
    async () => acknowledged.length,
    (count) => count >= 60,
  );
  await disturb();
  const disturbedAt = performance.now();
  const before = acknowledged.length;
  await until(
    'an answer after it',
    async () => acknowledged.length,
    (count) => count > before + CLIENTS,
  );
  t.log(`answers again after ${Math.round(performance.now() - disturbedAt)} ms`);
  await Promise.all(clients);
  const events = await eventsOf(log);
  const requested = events.flatMap(({ type, data }) => (type === 'SessionRequested' ? [data.sessionId] : []));
  const placed = events.flatMap(({ type, data }) => (type === 'SessionPlaced' ? [data.sessionId] : []));
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(new Set(acknowledged).size, CLIENTS * REQUESTS_EACH);
  t.is(placed.length, SLOTS);
}

test('a second gateway that joins shows the same and takes commands; when it leaves nobody notices', async (t) => {
  const { nats, store, first, second } = await twoGateways(t, STORE_ON_BUS);
  const { status } = await second.rest.request('POST', '/sessions', { body: { imageId: 'one' } });
  t.is(status, 201);
  for (const { rest } of [first, second]) {
    await until('the session runs', rest.sessions, (sessions) => sessions[0]?.phase === 'running');
  }
  t.deepEqual(await second.rest.sessions(), await first.rest.sessions());
  t.deepEqual(await second.rest.events(), await first.rest.events());
  const third = await gatewayOn(t, nats, store);
  t.is(await third.role(), 'following,following');
  t.is((await third.rest.sessions()).length, 1);
  third.kill('SIGTERM');
  await third.exited();
  t.is(await first.role(), 'leading,leading');
  t.is((await first.rest.request('POST', '/sessions', { body: { imageId: 'one' } })).status, 201);
});

test('a leader that is stopped in the middle of 200 requests hands over: none is lost or doubled', async (t) => {
  const house = await twoGateways(t, STORE_ON_BUS);
  await requestsThrough(t, house, async () => {
    house.first.kill('SIGTERM');
    await until('the other leads', house.second.role, (role) => role === 'leading,leading');
  });
  await house.first.exited();
});

for (const kind of STORES) {
  test(`${kind.name}: a leader that is killed in the middle of 200 requests is succeeded: none is lost or doubled`, async (t) => {
    const house = await twoGateways(t, kind);
    await requestsThrough(t, house, async () => {
      house.first.kill('SIGKILL');
      await house.first.exited();
      const killedAt = performance.now();
      await until('the other leads', house.second.role, (role) => role === 'leading,leading');
      t.log(`led by the other one ${Math.round(performance.now() - killedAt)} ms after the kill`);
    });
  });

  test(`${kind.name}: a leader that stood still for 30 s changes nothing when it goes on, and serves as a follower`, async (t) => {
    const house = await twoGateways(t, kind);
    const { first, second, log } = house;
    let stoppedAt = 0;
    await requestsThrough(t, house, async () => {
      first.kill('SIGSTOP');
      stoppedAt = performance.now();
      await until('the other leads', second.role, (role) => role === 'leading,leading');
      t.log(`led by the other one ${Math.round(performance.now() - stoppedAt)} ms after the stop`);
    });
    // Somebody asks it while it sleeps; it must not decide that on what it knew.
    const asleep = first.rest.request('POST', '/sessions', { body: { imageId: 'one' } });
    await pause(Math.max(0, stoppedAt + STANDSTILL_MS - performance.now()));
    const before = (await eventsOf(log)).length;
    first.kill('SIGCONT');
    const answer = await asleep;
    t.is(answer.status, 202, 'it is decided by the one that leads');
    t.is(await first.role(), 'following,following');
    const after = await eventsOf(log);
    t.deepEqual(
      after.slice(before).map(({ type }) => type),
      ['SessionRequested', 'SessionWaiting'],
    );
    await until('it has caught up', first.rest.sessions, (sessions) => sessions.length === CLIENTS * REQUESTS_EACH + 1);
    t.deepEqual(await first.rest.sessions(), await second.rest.sessions());
  });
}
