import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { createJetStreamLog } from '../infra/log/jetstream.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, untilOnline, type Rest, type StartAnswer } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** Real processes killed in the middle of real work: nothing acknowledged is lost or doubled, nothing is booked twice. */

const CLIENTS = 50;
const REQUESTS_EACH = 10;
const AGENTS = 4;
const SLOTS_EACH = 10;
const SLOTS = AGENTS * SLOTS_EACH;

/** As a careful client asks: the same key again until there is an answer that is neither an outage nor a lost reply. */
async function ask(rest: Rest, key: string): Promise<string> {
  for (;;) {
    const answer = await rest
      .request('POST', '/sessions', { body: { imageId: 'one' }, headers: { 'idempotency-key': key } })
      .catch(() => null);
    if (answer?.status === 201 || answer?.status === 202) return (answer.body as StartAnswer).session.sessionId;
    if (answer !== null && answer.status !== 503) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
    await pause(50);
  }
}

test('500 requests from 50 clients for 40 slots, with bus and gateway killed among them: exactly 40 are placed', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const env = await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'));
  const rest = restOf(`http://${env['MUSTER_HTTP']}`);
  const first = await startGatewayChild(t, env);
  const bus = await nats.connect('app');
  const agents = Array.from({ length: AGENTS }, (_, index) =>
    startFakeAgent(bus, { agentId: `agent-${index}`, cores: SLOTS_EACH, memoryGib: 100 }),
  );
  t.teardown(() => agents.forEach((agent) => agent.stop()));
  for (const { agentId } of agents) await untilOnline(rest, agentId);
  await rest.defineImage('one');

  const acknowledged: string[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let request = 0; request < REQUESTS_EACH; request += 1) {
      acknowledged.push(await ask(rest, `client-${client}-${request}`));
    }
  });
  const answered = (count: number) =>
    until(
      `${count} answers`,
      () => Promise.resolve(acknowledged.length),
      (n) => n >= count,
    );
  await answered(100);
  await nats.kill9();
  await nats.restart();
  const busBackAt = performance.now();
  await answered(acknowledged.length + 1);
  t.log(`first answer ${Math.round(performance.now() - busBackAt)} ms after the bus was back`);
  t.true(performance.now() - busBackAt < 5000);
  await answered(250);
  first.kill('SIGKILL');
  await once(first, 'exit');
  await startGatewayChild(t, env);
  await Promise.all(clients);
  for (const agent of agents) await agent.refresh();

  const sessions = await rest.sessions();
  t.is(new Set(acknowledged).size, CLIENTS * REQUESTS_EACH);
  t.deepEqual(sessions.map(({ sessionId }) => sessionId).toSorted(), acknowledged.toSorted());
  t.is(sessions.filter(({ claim }) => claim !== null).length, SLOTS);
  t.is(sessions.filter(({ phase }) => phase === 'waiting').length, CLIENTS * REQUESTS_EACH - SLOTS);
  for (const { allocated } of await rest.agents()) t.is(allocated.millicores, SLOTS_EACH * 1000);

  const requested: string[] = [];
  const placed: string[] = [];
  for await (const { commit } of createJetStreamLog({ bus: await nats.connect('log') }).read('zone-default', 0)) {
    for (const { type, data } of commit.events) {
      if (type === 'SessionRequested') requested.push(data.sessionId);
      if (type === 'SessionPlaced') placed.push(data.sessionId);
    }
  }
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(new Set(placed).size, SLOTS);
  t.is(placed.length, SLOTS);
});
