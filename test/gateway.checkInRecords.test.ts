import test, { type ExecutionContext } from 'ava';
import { startEventStore } from './support/eventStore.ts';
import { openStore } from './support/eventStoreHarness.ts';
import { checkInsStreamOf } from '../infra/eventStore/recordedCheckIns.ts';
import { eventsOf } from './support/checkInRecording.ts';
import { startGateway, type TestGateway } from './support/gateway.ts';
import { startNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** Gateways whose event logs are in EventStoreDB: what agents say is recorded there as well. */

async function metric(gateway: TestGateway, name: string): Promise<number> {
  const { body } = await gateway.request('GET', `${gateway.url}/metrics`);
  const line = String(body)
    .split('\n')
    .find((text) => text.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? Number.NaN);
}

const RECORDED = 'muster_check_in_records_total{result="recorded"}';
const LAG = 'muster_check_in_records_lag_seconds';

async function start(t: ExecutionContext) {
  const [nats, server] = await Promise.all([startNats(), startEventStore()]);
  t.teardown(async () => {
    await server.stop();
    await nats.stop();
  });
  const env = { MUSTER_EVENT_LOG: server.url };
  return { nats, server, env, store: openStore(t, server.url) };
}

test('a gateway that starts records what was said before, the next one goes on, and nothing is there twice', async (t) => {
  const { nats, env, store } = await start(t);
  const first = await startGateway(t, { nats, env });
  const agent = await first.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await first.gateway.stop();
  const numbers = async () => (await eventsOf(store, 'six')).map(({ data }) => Number(Object(data).seq));
  const early = await numbers();
  for (let round = 0; round < 20; round += 1) await agent.refresh();
  const second = await startGateway(t, { nats, dataDir: first.dataDir, env });
  const recorded = await until('recorded', numbers, (found) => found.length >= early.length + 20);
  t.deepEqual(
    recorded,
    recorded.map((_, index) => index + 1),
    'each once and in order',
  );
  await until(
    'counted',
    () => metric(second, RECORDED),
    (count) => count === recorded.length - early.length,
  );
  t.true((await metric(second, LAG)) < 60);
  t.deepEqual(await store.limitsOf(checkInsStreamOf('six')), { maxAgeSeconds: 7 * 86_400 });
});

test('where the event logs are on the bus nothing is recorded elsewhere, and nothing is told of it', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  t.true(Number.isNaN(await metric(muster, LAG)));
});
