import test from 'ava';
import type { CheckIn } from '../domain/checkIn.ts';
import { utilization } from '../gateway/http/schemas/agentHistory.ts';
import { isoTime } from '../infra/clock.ts';
import type { SpreadColumns, UtilizationView } from '../projections/views.ts';
import { GIB, aCheckIn } from './support/builders.ts';
import { startGateway, type ProblemBody } from './support/gateway.ts';
import { checkInMessage, storeCheckIns } from './support/storedCheckIns.ts';
import { until } from './support/until.ts';

const HOUR = 3_600_000;

/** Simulated, because then its own time counts: a check-in every 30 s, of 1 and 3 cores in turn. */
function dayOf(agentId: string, now: number): readonly CheckIn[] {
  return Array.from({ length: 24 * 120 }, (_, index) =>
    aCheckIn({
      agentId,
      simulated: true,
      seq: index + 1,
      observedAt: isoTime(now - (24 * 120 - index) * 30_000),
      usage: {
        cpuMillicores: index % 2 === 0 ? 1000 : 3000,
        memoryBytes: GIB,
        disk: { usedBytes: 5 * GIB, totalBytes: 9 * GIB },
        gpus: [],
        sessions: [],
      },
    }),
  );
}

function received({ samples }: UtilizationView): number {
  return samples.reduce((sum, each) => sum + each, 0);
}

test('a day of an agent is answered at the step that is asked for, with the extremes of each point', async (t) => {
  const muster = await startGateway(t);
  const bus = await muster.nats.connect('app');
  const now = Date.now();
  await storeCheckIns(bus, checkInMessage(aCheckIn({ agentId: 'sim', simulated: true, observedAt: isoTime(now) })));
  await until('the agent is known', muster.agents, (agents) => agents.length === 1);
  await storeCheckIns(bus, ...dayOf('sim', now).map(checkInMessage));

  const path = '/agents/sim/utilization';
  const read = async (query: string) => await muster.read<UtilizationView>(`${path}${query}`);
  const hourly = await until(
    'the day is there',
    () => read('?step=3600'),
    (view) => received(view) >= 24 * 120,
  );
  t.is(hourly.stepSeconds, 3600);
  const fourth = ({ lowest, mean, highest }: SpreadColumns) => [lowest[3], mean[3], highest[3]];
  t.is(hourly.samples[3], 120);
  t.deepEqual(fourth(hourly.cpuMillicores), [1000, 2000, 3000]);
  t.deepEqual(fourth(hourly.memoryMib), [1024, 1024, 1024]);
  t.is(hourly.diskUsedMib?.[3], 5 * 1024);
  t.deepEqual([hourly.gpuPercent, hourly.gpuMemoryMib], [null, null], 'nobody told');
  const byTheMinute = await read('');
  t.is(byTheMinute.stepSeconds, 60, 'enough to draw a day');
  t.true(byTheMinute.samples.length >= 24 * 60);
  t.is((await read('?hours=1')).stepSeconds, 10);
  const startedAt = performance.now();
  const fine = await read('?hours=24&step=10');
  t.log(`24 h at 10 s over HTTP: ${(performance.now() - startedAt).toFixed(0)} ms, ${fine.samples.length} buckets`);
  t.true(received(fine) > 23 * 120, 'all but what left the last 24 h meanwhile');
  t.is(fine.start % 10_000, 0);
  t.deepEqual(utilization.parse(fine), fine, 'as the API document says, and nothing else');

  const since = isoTime(now - 5 * HOUR);
  const until4 = isoTime(now - 4 * HOUR);
  const part = await read(`?since=${since}&until=${until4}&step=60`);
  t.is(part.samples.length, 61);
  t.true(part.start > now - 5 * HOUR - 60_000 && part.start + 60 * 60_000 <= now - 4 * HOUR);
});

test('a history that cannot be answered is refused with the reason', async (t) => {
  const muster = await startGateway(t);
  await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const refused = async (query: string) => {
    const { status, body } = await muster.request('GET', `/agents/six/utilization?${query}`);
    return [status, (body as ProblemBody).code, (body as ProblemBody).errors?.[0]?.path ?? null];
  };
  t.deepEqual(await refused('hours=100&step=10'), [400, 'RANGE_TOO_LONG', null]);
  t.deepEqual(await refused('step=30'), [400, 'INVALID_REQUEST', 'step']);
  t.deepEqual(await refused('hours=1&since=2026-01-01T00:00:00Z'), [400, 'INVALID_REQUEST', 'hours']);
  t.deepEqual(await refused('since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z'), [
    400,
    'INVALID_REQUEST',
    'since',
  ]);
  t.deepEqual(await refused('since=yesterday'), [400, 'INVALID_REQUEST', 'since']);
  t.is((await muster.request('GET', '/agents/nobody/utilization')).status, 404);
  await muster.nats.kill9();
  const away = () => refused('hours=1');
  const answer = await until('the loss is noticed', away, ([status]) => status !== 200);
  t.deepEqual(answer, [503, 'UNAVAILABLE', null]);
});
