import { once } from 'node:events';
import test from 'ava';
import { agentBusOptions } from '../agent/bus.ts';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import type { EventRow } from '../gateway/live/eventRows.ts';
import { fingerprintOf, newAgentSecret } from '../infra/agentIdentity.ts';
import { doorOf, startDoor } from './support/door.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { startNats } from './support/nats.ts';
import type { RawClient } from './support/rawClient.ts';
import { until } from './support/until.ts';

/** Who enters the bus, who has to leave it, and what is recorded of it: on a real bus with real gateways. */

// What has a time limit runs alone, before the others of this file.
const serial = test.serial;

const reason = { body: { reason: 'the host was stolen' } };

test('the first connection puts an agent among the pending ones, with its fingerprint; approved, it may do more', async (t) => {
  const door = await startDoor(t);
  const { muster } = door;
  const shown = door.credentials('gpu-1');
  const pending = await door.entered(shown);
  const fingerprint = fingerprintOf(shown.pass.split('.')[1] ?? '');
  t.like(await muster.agent('gpu-1'), { agentId: 'gpu-1', hostname: 'host-of-gpu-1', fingerprint, zone: '' });
  const enrolled = (await muster.events('?log=fleet')).find(({ type }) => type === 'AgentEnrolled');
  t.like(enrolled, { actor: { kind: 'agent', id: 'gpu-1' }, data: { fingerprint, hostname: 'host-of-gpu-1' } });
  t.deepEqual(await pending.subscribe('$KV.MUSTER_DESIRED.gpu-1').then((errors) => errors.length), 1);
  const wrong = await muster.request('POST', '/agents/gpu-1/approve', { body: { fingerprint: 'SHA256:another' } });
  t.is(wrong.status, 409);
  t.true(pending.isOpen());
  t.is((await muster.request('POST', '/agents/gpu-1/approve', { body: { fingerprint } })).status, 200);
  await pending.ended;
  const approved = await door.entered(shown);
  t.deepEqual(await approved.subscribe('$KV.MUSTER_DESIRED.gpu-1'), []);
});

test('one host cannot be another, and a stolen token alone is nobody that is known', async (t) => {
  const door = await startDoor(t);
  const agent = await door.approved('gpu-1');
  t.is(await door.enter(door.credentials('gpu-1', { secret: newAgentSecret() })), null);
  t.true(agent.isOpen());
  t.truthy(await door.enter(door.credentials('gpu-1')));
  t.is((await door.muster.agents()).length, 1);
});

serial('a revoked agent is off within two seconds and stays off, and nothing new is placed on it', async (t) => {
  const door = await startDoor(t);
  const { muster } = door;
  const [agent, other] = [await door.approved('gpu-1'), await door.approved('gpu-2')];
  const revokedAt = performance.now();
  t.is((await muster.request('POST', '/agents/gpu-1/revoke', reason)).status, 200);
  await agent.ended;
  const took = performance.now() - revokedAt;
  t.true(took < 2000, `${Math.round(took)} ms`);
  t.log(`off after ${Math.round(took)} ms`);
  t.is(await door.enter(door.credentials('gpu-1')), null);
  t.is(await door.enter(door.credentials('gpu-1', { secret: newAgentSecret() })), null);
  t.true(other.isOpen());
  const revoked = await until(
    'revoked',
    () => muster.agent('gpu-1'),
    ({ intent }) => intent === 'revoked',
  );
  t.truthy(revoked.revokedAt);
  const disabled = ({ type }: EventRow): boolean => type === 'AgentDisabled';
  await until(
    'disabled in its zone',
    () => muster.events(),
    (events) => events.some(disabled),
  );
  t.is((await muster.request('POST', '/agents/gpu-1/approve', { body: {} })).status, 409);

  t.true((await muster.request('DELETE', '/agents/gpu-1', reason)).status < 300);
  t.truthy(await door.enter(door.credentials('gpu-1')), 'it may begin anew');
  t.like(await muster.agent('gpu-1'), { zone: '' });
});

test('a revoked token closes the connections that it admitted, and no others', async (t) => {
  const door = await startDoor(t);
  const { muster } = door;
  const second = await muster.request('POST', '/manager-tokens', { body: {} });
  const { text, managerToken } = second.body as { text: string; managerToken: { tokenId: string } };
  const [old, fresh] = [await door.approved('gpu-1'), await door.approved('gpu-2')];
  const renewed = await door.entered(door.credentials('gpu-2', { token: text }));
  const { managerTokens } = await muster.read<{ managerTokens: { tokenId: string }[] }>('/manager-tokens');
  const first = managerTokens.find(({ tokenId }) => tokenId !== managerToken.tokenId)?.tokenId;
  t.is((await muster.request('DELETE', `/manager-tokens/${first}`, reason)).status, 204);
  await Promise.all([old.ended, fresh.ended]);
  t.true(renewed.isOpen());
  t.is(await door.enter(door.credentials('gpu-1')), null);
  t.truthy(await door.enter(door.credentials('gpu-1', { token: text })));
});

serial('a revoked key is off within two seconds, and an expired one by itself', async (t) => {
  const door = await startDoor(t);
  const [key, other] = [await door.issueKey('viewer'), await door.issueKey('viewer')];
  const expiresAt = Date.now() + 6000;
  const soon = await door.issueKey('viewer', new Date(expiresAt).toISOString());
  const [client, stays, expires] = [await door.entered(key), await door.entered(other), await door.entered(soon)];
  const revokedAt = performance.now();
  t.is((await door.muster.request('DELETE', `/keys/${key.user}`, reason)).status, 204);
  await client.ended;
  t.true(performance.now() - revokedAt < 2000);
  t.is(await door.enter(key), null);
  await expires.ended;
  t.true(Date.now() >= expiresAt);
  t.is(await door.enter(soon), null);
  t.true(stays.isOpen());
});

test('who is in stays in while no gateway runs, nobody enters, and the next gateway lets the same ones in', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const env = await gatewayEnvironment(nats, await temporaryFolder(t));
  const first = await startGatewayChild(t, env);
  const muster = { ...restOf(`http://${env['MUSTER_HTTP']}`), nats };
  const door = await doorOf(t, muster);
  const agent = await door.approved('gpu-1');
  const gone = once(first, 'exit');
  first.kill('SIGKILL');
  await gone;
  t.is(await door.enter(door.credentials('gpu-1')), null, 'nobody can tell whether it may');
  t.deepEqual(await agent.publish('muster.checkin.default.gpu-1'), []);
  await startGatewayChild(t, env);
  t.truthy(await door.enter(door.credentials('gpu-1')));
  t.is(await door.enter(door.credentials('gpu-1', { secret: newAgentSecret() })), null);
  t.true(agent.isOpen(), 'through all of it');
});

serial('of two gateways either has somebody leave, and one that is killed is missed by nobody who comes', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const environments = await Promise.all([0, 1].map(async () => gatewayEnvironment(nats, await temporaryFolder(t))));
  // One after the other: two that begin an empty log together settle first who of them does.
  const first = await startGatewayChild(t, environments[0] ?? {});
  await startGatewayChild(t, environments[1] ?? {});
  const [one, other] = environments.map((env) => Object.assign(restOf(`http://${env['MUSTER_HTTP']}`), { nats }));
  if (one === undefined || other === undefined) throw new Error('there are two');
  const door = await doorOf(t, other);
  for (const [agentId, gateway] of [
    ['gpu-1', one],
    ['gpu-2', other],
  ] as const) {
    const agent = await door.approved(agentId);
    const revokedAt = performance.now();
    t.is((await gateway.request('POST', `/agents/${agentId}/revoke`, reason)).status, 200);
    await agent.ended;
    t.true(performance.now() - revokedAt < 2000);
  }
  const key = await door.issueKey('viewer');
  const gone = once(first, 'exit');
  first.kill('SIGKILL');
  await gone;
  // Whom the bus asks the dead one about is refused in time, and comes again as every client does.
  const isIn = async (): Promise<boolean> => (await door.enter(key)) !== null;
  for (let times = 0; times < 20; times += 1) await until('in', isIn, (entered) => entered);
  t.true(await isIn());
});

test('a hundred agents may wait for approval; the next one is turned away, and that is recorded in a summary', async (t) => {
  const door = await startDoor(t);
  for (let index = 0; index < 100; index += 1) (await door.entered(door.credentials(`waiting-${index}`))).end();
  t.is(await door.enter(door.credentials('one-more')), null);
  t.truthy(await door.enter(door.credentials('waiting-7')), 'who waits already may come again');
  t.is((await door.muster.request('DELETE', '/agents/waiting-7', reason)).status < 300, true);
  t.truthy(await door.enter(door.credentials('one-more')));
});

const FLEET = 200;
const RECONNECT_LIMIT_MS = 10_000;

serial(`${FLEET} agents are back within ${RECONNECT_LIMIT_MS / 1000} s of a restart of the bus`, async (t) => {
  const door = await startDoor(t, { MUSTER_EMBEDDED_AGENT: ids().join(',') });
  const { nats } = door.muster;
  const buses = await Promise.all(
    ids().map(async (agentId): Promise<Bus> => {
      const { pass } = door.credentials(agentId);
      const host = { hostname: agentId, simulated: false };
      return await connectBus(agentBusOptions({ url: nats.url }, agentId, host, { password: () => pass }));
    }),
  );
  t.teardown(() => Promise.all(buses.map((bus) => bus.close())));
  const away = new Set<Bus>();
  const back = buses.map(
    (bus) =>
      new Promise<void>((resolve) => {
        bus.onChange((connected) => {
          if (connected) resolve();
          else away.add(bus);
        });
      }),
  );
  await nats.kill9();
  const restartedAt = performance.now();
  await nats.restart();
  await Promise.all(back);
  const took = performance.now() - restartedAt;
  t.is(away.size, FLEET);
  t.log(`${FLEET} agents were back ${Math.round(took)} ms after the restart began`);
  t.true(took < RECONNECT_LIMIT_MS, `${Math.round(took)} ms`);
});

function ids(): readonly string[] {
  return Array.from({ length: FLEET }, (_, index) => `fleet-${index}`);
}

test('an agent that floods its gateways, with check-ins or with questions, is thrown out and has to wait', async (t) => {
  const door = await startDoor(t);
  for (const [agentId, say] of [
    ['loud', (agent: RawClient) => agent.publish('muster.checkin.default.loud', { body: 'x'.repeat(1_000_000) })],
    [
      'asking',
      (agent: RawClient) => agent.publish('muster.agent.asking.ask.desired', { reply: '_INBOX.agent.asking.x' }),
    ],
  ] as const) {
    const agent = await door.approved(agentId);
    for (let times = 0; times < 700 && agent.isOpen(); times += 1) await say(agent);
    await agent.ended;
    t.is(await door.enter(door.credentials(agentId)), null, agentId);
    t.is((await door.muster.agent(agentId)).intent, 'enabled', 'it was not revoked');
  }
  t.truthy(await door.enter(door.credentials('another')), 'and nobody else');
});
