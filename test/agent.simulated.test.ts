import test from 'ava';
import { pastDay } from '../agent/simulated/history.ts';
import { simulatedHosts } from '../agent/simulated/hosts.ts';
import { checkIn } from '../domain/checkIn.ts';
import { readCheckIns } from '../infra/bus/checkIns.ts';
import { putDesired } from '../infra/bus/desired.ts';
import { agentWorld, endOf } from './support/agentProcess.ts';
import { desired, wanted } from './support/desired.ts';
import { temporaryFolder } from './support/folder.ts';
import { APP_PASSWORD } from './support/nats.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const DAY_MS = 86_400_000;
/** The past is told in the name of gateways; no agent that is real has this. */
const GATEWAYS_OWN = { MUSTER_NATS_APP_PASSWORD: APP_PASSWORD };

test('the simulated fleet is mixed, the same every time, and in trouble in two places', (t) => {
  const hosts = simulatedHosts(12);
  t.deepEqual(hosts, simulatedHosts(12));
  t.is(
    new Set(hosts.flatMap((host) => host.gpus.readings.map((gpu) => gpu.uuid))).size,
    hosts.flatMap((host) => host.gpus.readings).length,
  );
  t.is(hosts.filter((host) => host.engineDown).length, 1);
  t.is(hosts.filter((host) => host.gpus.readings.some((gpu) => gpu.volatileUncorrected !== 0)).length, 1);
  t.true(new Set(hosts.map((host) => host.cores)).size >= 4);
});

test('the past day is one valid check-in a minute, with rising numbers, steady hardware and a curve', (t) => {
  for (const host of simulatedHosts(6)) {
    const about = {
      agentId: host.agentId,
      bootId: 'boot-1',
      hostname: host.hostname,
      agentVersion: '0.1.0',
      simulated: true,
    };
    const day = [...pastDay(host, about, NOW)];
    t.is(day.length, 1440);
    for (const each of day) checkIn.parse(each);
    t.deepEqual(
      day.map((each) => each.seq),
      day.map((_, index) => index + 1),
    );
    t.is(new Set(day.map((each) => JSON.stringify(each.hardware))).size, 1);
    t.is(Date.parse(day[0]?.observedAt ?? ''), NOW - DAY_MS);
    const load = day.map((each) => each.usage.cpuMillicores / (host.cores * 1000));
    t.true(Math.max(...load) - Math.min(...load) > 0.1, 'night and day differ');
    const jumps = load.slice(1).map((value, index) => Math.abs(value - (load[index] ?? 0)));
    t.true(Math.max(...jumps) < 0.05, 'and it is smooth');
  }
});

test('simulated agents check in over a real bus, tell their past once, and run sessions', async (t) => {
  const world = await agentWorld(t, await temporaryFolder(t));
  const agents = await world.launch('agent/simulated/main.ts', ['3'], GATEWAYS_OWN);
  await putDesired(world.bus, { ...desired(1, [wanted('s1')]), agentId: 'sim-02' });
  await world.hear('a running session', (said) => said.agentId === 'sim-02' && said.sessions[0]?.status === 'running');
  t.is(await endOf(agents, 'SIGTERM'), 0);

  const stored = async (): Promise<number[]> => {
    const seqs: number[] = [];
    const signal = AbortSignal.timeout(30_000);
    for await (const { checkIn: said } of readCheckIns(world.bus, { since: '2000-01-01T00:00:00.000Z', signal })) {
      if (said.agentId === 'sim-01') seqs.push(said.seq);
    }
    return seqs;
  };
  const once = await stored();
  t.deepEqual(
    once.slice(0, 1441),
    Array.from({ length: 1441 }, (_, index) => index + 1),
  );
  const again = await world.launch('agent/simulated/main.ts', ['3'], GATEWAYS_OWN);
  await endOf(again, 'SIGTERM');
  t.true((await stored()).length < once.length + 20, 'a second start tells no second day');
});
