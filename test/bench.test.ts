import test from 'ava';
import { packed, unpacked } from '../bench/commitCache.ts';
import { FleetLife } from '../bench/fleetLife.ts';
import { checkInOf, hardwareOf, observed } from '../bench/hosts.ts';
import { median, quantile, row, tableOf } from '../bench/report.ts';
import { checkIn } from '../domain/checkIn.ts';
import { anAgent, given } from './support/builders.ts';
import { seededRandom } from './simulation/random.ts';

test('a quantile is the sample below which that share of them lies, in whatever order they came', (t) => {
  const samples = [5, 1, 4, 2, 3, 10, 9, 8, 7, 6];
  t.is(median(samples), 6);
  t.is(quantile(samples, 0.99), 10);
  t.is(quantile(samples, 0), 1);
  t.is(median([]), Number.NaN);
});

test('a row compares with the raw limit, where there is one', (t) => {
  t.is(row('replay', 'events/s', 200, 400).ratio, 0.5);
  t.is(row('memory', 'KB', 20, null).ratio, null);
});

test('the table has a line per row in columns, and then what was said of them', (t) => {
  const rows = [row('replay', 'events/s', 200_000, 400_000), row('memory per agent', 'KB', 20, null)];
  t.is(
    tableOf('a machine', { rows, notes: ['a note'] }),
    [
      'a machine',
      '',
      '                            Muster               raw  ratio',
      'replay            200,000 events/s  400,000 events/s   0.50',
      'memory per agent          20.00 KB',
      '',
      '- a note',
      '',
    ].join('\n'),
  );
});

test('commits come out of the cache as they went in', (t) => {
  const commits = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(70_000, 'x')];
  t.deepEqual(unpacked(packed(commits)).map(String), commits.map(String));
  t.deepEqual(unpacked(packed([])), []);
});

test("a bench's check-in is one that agents may send, of 4 to 5 KB with ten sessions and four GPUs", (t) => {
  const sessions = Array.from({ length: 10 }, (_, index) => observed(`s-${index}`, 'running'));
  const about = {
    agentId: 'host-1',
    seq: 1,
    logId: 'reference',
    appliedVersion: 7,
    observedAt: '2026-01-01T00:00:00.000Z',
  };
  const said = checkInOf({ ...about, hardware: hardwareOf('host-1'), sessions, load: 131 });
  t.deepEqual(checkIn.parse(said), said);
  const { length } = JSON.stringify(said);
  t.true(length > 4_000 && length < 5_000, `${length} bytes`);
});

test('the same chance makes the same life of a fleet, and a batch makes no more events than it was asked for', (t) => {
  const { state } = given(anAgent({ id: 'host-00001' }), anAgent({ id: 'host-00002', connectivity: 'never' }));
  const life = () =>
    new FleetLife({ random: seededRandom(7), state: () => state, logId: 'log-1', agents: 2, sessions: 4, name: 'x' });
  const [one, other] = [life(), life()];
  for (const events of [1, 2, 16]) {
    const batch = one.batch(events);
    t.deepEqual(batch.submissions, other.batch(events).submissions);
    t.true(batch.submissions.length <= events);
  }
});
