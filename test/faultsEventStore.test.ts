import { join } from 'node:path';
import test from 'ava';
import { openEventStore } from '../infra/eventStore/client.ts';
import { createEventStoreLog } from '../infra/log/eventStore/eventStoreLog.ts';
import { recorded, sessionsIn, startClients } from './support/carefulClients.ts';
import { startEventStore } from './support/eventStore.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { assertFeedHolds } from './support/feeds.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, untilOnline } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats } from './support/nats.ts';

/** EventStoreDB killed under a gateway that keeps its logs there, while the bus lives on. */

const CLIENTS = 1000;
const REQUESTS_EACH = 2;
const REQUESTS = CLIENTS * REQUESTS_EACH;
const AGENTS = 4;
const SLOTS_EACH = 10;
const SLOTS = AGENTS * SLOTS_EACH;
const RECOVERED_WITHIN_MS = 5000;

test('the event store killed twice amid 1,000 concurrent commands loses none that was acknowledged and doubles none', async (t) => {
  const [nats, server] = await Promise.all([startNats(), startEventStore()]);
  t.teardown(() => Promise.all([nats.stop(), server.stop()]));
  const env = await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'));
  await startGatewayChild(t, { ...env, MUSTER_EVENT_LOG: server.url });
  const rest = restOf(`http://${env['MUSTER_HTTP']}`);
  for (let index = 0; index < AGENTS; index += 1) {
    const agentId = `agent-${index}`;
    const agent = startFakeAgent(await nats.connect('app'), { agentId, cores: SLOTS_EACH, memoryGib: 100 });
    t.teardown(() => agent.stop());
    await untilOnline(rest, agentId);
  }
  await rest.defineImage('one');

  const { acknowledged, answered, done } = startClients(rest, { clients: CLIENTS, each: REQUESTS_EACH });
  for (const after of [1, CLIENTS]) {
    await answered(after);
    await server.kill9();
    await server.restart();
    const backAt = performance.now();
    const before = acknowledged.length;
    t.true(before < REQUESTS, 'it is killed while commands are on their way');
    await answered(before + 1);
    const recoveredMs = Math.round(performance.now() - backAt);
    t.log(`${before} answers before the kill; the next ${recoveredMs} ms after it was back`);
    t.true(recoveredMs < RECOVERED_WITHIN_MS);
  }
  await done;

  const store = openEventStore({ url: server.url, name: 'audit' });
  t.teardown(() => store.close());
  const { commits, events } = await recorded(createEventStoreLog({ store }));
  const { requested, placed } = sessionsIn(events);
  t.is(new Set(acknowledged).size, REQUESTS);
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(new Set(placed).size, SLOTS);
  t.is(placed.length, SLOTS);
  const sessions = await rest.sessions();
  t.deepEqual(sessions.map(({ sessionId }) => sessionId).toSorted(), acknowledged.toSorted());
  t.is(sessions.filter(({ claim }) => claim !== null).length, SLOTS);
  await assertFeedHolds(t, await nats.connect('app'), 'zone-default', commits);
});
