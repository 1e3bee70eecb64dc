import test, { type ExecutionContext } from 'ava';
import { agentBus, agentBusOptions, BusLink } from '../agent/bus.ts';
import type { AgentLog } from '../agent/ports.ts';
import { agentPassword, newAgentSecret } from '../infra/agentIdentity.ts';
import { closeConnection, connectionsIn } from '../infra/bus/connections.ts';
import { putDesired } from '../infra/bus/desired.ts';
import { ensureDesired } from '../infra/bus/streams.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { realClock } from '../infra/clock.ts';
import { answerAsGateway, letAgentsIn, WORLD_TOKEN } from './support/agentProcess.ts';
import { aCheckIn } from './support/builders.ts';
import { desired, wanted } from './support/desired.ts';
import { startNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** An agent's side of the bus, on a real one. */

const AGENT_ID = 'agent-1';
const FINGERPRINT = 'SHA256:of-its-secret';

async function start(t: ExecutionContext, standing: () => 'pending' | 'approved' | 'revoked') {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const end = new AbortController();
  await letAgentsIn(t, nats, end.signal, standing);
  const [app, sys] = [await nats.connect('app'), await nats.connect('sys')];
  await ensureDesired(app, 1);
  await answerAsGateway(t, nats, end.signal);

  const said: string[] = [];
  const say = (_fields: object, line: string): unknown => said.push(line);
  const log: AgentLog = { debug: say, info: say, warn: say, error: say };
  const password = agentPassword(WORLD_TOKEN, newAgentSecret());
  const host = { hostname: 'host-1', simulated: false };
  const where = { url: nats.url, tls: {} };
  const link = new BusLink();
  const options = agentBusOptions(where, AGENT_ID, host, { password: () => password });
  await link.connect(options, realClock, log, end.signal);
  t.teardown(async () => {
    end.abort();
    await link.close();
  });
  /** As a gateway does when an agent may do more than when it entered, or less. */
  const closeIt = async (): Promise<void> => {
    for (const connection of await connectionsIn(sys, 'APP')) {
      if (connection.name.startsWith('agent.')) await closeConnection(sys, connection);
    }
  };
  return {
    app,
    said,
    signal: end.signal,
    bus: agentBus(link, 'default', AGENT_ID, FINGERPRINT, log),
    busIn: (zone: string) => agentBus(link, zone, AGENT_ID, FINGERPRINT, log),
    closeIt,
  };
}

test('one that is approved while it is connected gets its document with the new connection, and those that follow', async (t) => {
  let standing: 'pending' | 'approved' = 'pending';
  const { app, said, bus, signal, closeIt } = await start(t, () => standing);
  const heard = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
  bus.watchDesired(({ version }) => heard[version - 1]?.resolve(version), signal);
  t.is(await bus.readDesired(), null);
  t.is(await bus.askDefinitions(), null);
  t.deepEqual(said, [`${AGENT_ID} waits for its approval; its fingerprint is ${FINGERPRINT}`]);

  await putDesired(app, desired(1, [wanted('s-1')]));
  standing = 'approved';
  await closeIt();
  t.is(await heard[0]?.promise, 1);
  t.is(said.at(-1), `${AGENT_ID} was approved`);
  await putDesired(app, desired(2, []));
  t.is(await heard[1]?.promise, 2);
});

test('what was written while the connection was away is read when it is back', async (t) => {
  const { app, said, bus, signal, closeIt } = await start(t, () => 'approved');
  const heard = Promise.withResolvers<number>();
  await putDesired(app, desired(7, []));
  bus.watchDesired(({ version }) => heard.resolve(version), signal);
  await closeIt();
  t.is(await heard.promise, 7);
  t.deepEqual(said, []);
});

test('one that is not let in again says so, once for each time, and comes back when it may', async (t) => {
  let standing: 'approved' | 'revoked' = 'approved';
  const { said, bus, signal, closeIt } = await start(t, () => standing);
  bus.watchDesired(() => undefined, signal);
  const complaints = () => said.filter((line) => line.startsWith('the bus does not let this agent in'));
  for (const times of [1, 2]) {
    standing = 'revoked';
    await closeIt();
    await until(
      'it says so',
      async () => complaints().length,
      (count) => count === times,
    );
    standing = 'approved';
    await until(
      'it is back',
      () =>
        bus.readDesired().then(
          () => true,
          () => false,
        ),
      (isBack) => isBack,
    );
  }
  t.is(complaints().length, 2);
});

test('one that asks to join a zone that there is not is not heard, and says so once', async (t) => {
  const { said, busIn } = await start(t, () => 'pending');
  const far = busIn('far');
  for (const seq of [1, 2, 3]) await far.publish(aCheckIn({ agentId: AGENT_ID, seq }));
  await until(
    'it says so',
    async () => said.length,
    (lines) => lines > 0,
  );
  await busIn('default').publish(aCheckIn({ agentId: AGENT_ID }));
  t.is(await far.readDesired(), null, 'by now it has heard all that the bus had to say');
  t.deepEqual(
    said.filter((line) => line.includes('zone')),
    ['the bus does not take the check-ins of this agent, since there is no such zone: MUSTER_ZONE is far'],
  );
});

test('a bus that nobody answers for is named once, with what to look at, before anything else is said', async (t) => {
  const end = new AbortController();
  const said: string[] = [];
  const tried = Promise.withResolvers<void>();
  const say = (_fields: object, line: string): unknown => (tried.resolve(), said.push(line));
  const log: AgentLog = { debug: say, info: say, warn: say, error: say };
  const url = `nats://127.0.0.1:${await freeLoopbackPort()}`;
  const link = new BusLink();
  const host = { hostname: 'host-1', simulated: false };
  const options = agentBusOptions({ url, tls: {} }, AGENT_ID, host, { password: () => 'x' });
  const connecting = link.connect(options, realClock, log, end.signal);
  t.is(await agentBus(link, 'default', AGENT_ID, FINGERPRINT, log).askDefinitions(), null);
  await tried.promise;
  end.abort();
  await connecting;
  t.deepEqual(said, [
    `no bus answers at ${url}; this agent works without it and tries again. See that it runs there, and that the way to it, a tunnel ` +
      'say, is open',
  ]);
});
