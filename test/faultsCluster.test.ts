import { join } from 'node:path';
import test from 'ava';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import { createJetStreamLog } from '../infra/log/jetstream/jetStreamLog.ts';
import { logStream } from '../infra/names.ts';
import { zoneLog } from '../infra/log/port.ts';
import { recorded, sessionsIn, startClients } from './support/carefulClients.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { assertFeedHolds } from './support/feeds.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment, restOf, untilOnline } from './support/gateway.ts';
import { startGatewayChild } from './support/gatewayChild.ts';
import { APP_PASSWORD, LOG_PASSWORD } from './support/nats.ts';
import { startNatsCluster, untilLed } from './support/natsCluster.ts';

/** The gateway on a bus of three servers with three copies of everything. */

const CLIENTS = 20;
const REQUESTS_EACH = 10;
const SLOTS = 30;
const REPLICAS = 3;
const START_LIMIT_MS = 30_000;

test('when the server that leads the log of a zone is killed, 20 clients get every answer, each session once', async (t) => {
  const cluster = await startNatsCluster();
  t.teardown(() => cluster.stop());
  const connect = async (account: 'log' | 'app', password: string): Promise<Bus> => {
    const signal = AbortSignal.timeout(START_LIMIT_MS);
    const bus = await connectBus({ url: cluster.url, user: `muster-${account}`, password, name: 'test', signal });
    t.teardown(() => bus.close());
    return bus;
  };
  const env = await gatewayEnvironment(cluster, join(await temporaryFolder(t), 'data'));
  await startGatewayChild(t, { ...env, MUSTER_REPLICAS: String(REPLICAS) });
  const rest = restOf(`http://${env['MUSTER_HTTP']}`);
  const app = await connect('app', APP_PASSWORD);
  const agent = startFakeAgent(app, { agentId: 'big', cores: SLOTS, memoryGib: 100 });
  t.teardown(() => agent.stop());
  await untilOnline(rest, 'big');
  await rest.defineImage('one');

  const { acknowledged, answered, done } = startClients(rest, { clients: CLIENTS, each: REQUESTS_EACH });
  await answered(50);
  const log = await connect('log', LOG_PASSWORD);
  const leader = await cluster.leaderOf(log, logStream(zoneLog('default'), 1));
  await cluster.kill9(leader);
  const killedAt = performance.now();
  // What was on its way when it was killed may still be answered; what comes behind that cannot have been.
  await answered(Math.min(acknowledged.length + CLIENTS + 1, CLIENTS * REQUESTS_EACH));
  t.log(`answers again ${Math.round(performance.now() - killedAt)} ms after the kill`);
  await done;
  // The server that was killed may have led the servers as well, and they take their time to choose another.
  await untilLed(log);

  const { commits, events } = await recorded(createJetStreamLog({ bus: log, replicas: REPLICAS }));
  const { requested, placed } = sessionsIn(events);
  t.is(new Set(acknowledged).size, CLIENTS * REQUESTS_EACH);
  t.deepEqual(requested.toSorted(), acknowledged.toSorted());
  t.is(placed.length, SLOTS);
  t.is(new Set(placed).size, SLOTS);
  const sessions = await rest.sessions();
  t.is(sessions.filter(({ claim }) => claim !== null).length, SLOTS);
  await assertFeedHolds(t, app, 'zone-default', commits);
});
