import test from 'ava';
import type { AnyEvent } from '../domain/events.ts';
import { utilizationView } from '../projections/utilizationView.ts';
import { eventSentence, whoAndWhy } from '../ui/data/agentEvents.ts';
import { hostFacts, imageName, sessionAddresses, sessionUse, statisticsOf } from '../ui/data/agentPage.ts';
import { lookIn, markersOf, moved, queryOf, readout, rowsOf, spanOf, timelinesOf } from '../ui/data/agentHistory.ts';
import { agentEvent, agentEvents, capacityView, dayOfUse, hostRow } from '../ui/gallery/agentRows.ts';
import { agentRow, GIB, NOON, secondsBefore, sessionRow } from '../ui/gallery/fixtures.ts';

/** What the page of one agent says and draws, without a browser. */

const HOUR = 3_600_000;
const DAY = { from: NOON - 24 * HOUR, to: NOON };
const NOTHING_RECEIVED = utilizationView('host-1', { since: DAY.from, until: DAY.to }, 60, []);

test('what is looked at stands in the address and is found again in it', (t) => {
  t.deepEqual(lookIn(''), { range: '24h', zoom: null });
  t.is(queryOf({ range: '24h', zoom: null }), '');
  for (const look of [
    { range: '400d', zoom: null },
    { range: '1h', zoom: { from: NOON, to: NOON + HOUR } },
  ] as const) {
    t.deepEqual(lookIn(queryOf(look)), look);
  }
  for (const query of ['range=2d', 'from=5&to=4', 'from=x&to=y', 'from=1000', `from=${NOON}&to=${NOON + 1}`]) {
    t.deepEqual(lookIn(query), { range: '24h', zoom: null }, query);
  }
  t.deepEqual(spanOf({ range: '1h', zoom: null }, NOON), { from: NOON - HOUR, to: NOON });
});

test('moving and zooming never goes past now, nor closer than what is measured', (t) => {
  const span = { from: NOON - 2 * HOUR, to: NOON };
  t.deepEqual(moved(span, 'in', NOON), { from: NOON - 1.5 * HOUR, to: NOON - 0.5 * HOUR });
  t.deepEqual(moved(span, 'out', NOON), { from: NOON - 4 * HOUR, to: NOON });
  t.deepEqual(moved(span, 'earlier', NOON), { from: NOON - 3 * HOUR, to: NOON - HOUR });
  t.deepEqual(moved(span, 'later', NOON), span);
  const least = { from: NOON - 60_000, to: NOON };
  t.deepEqual(moved(least, 'in', NOON), least);
});

test('what was not received is a gap in every line that is measured, and no line of capacity breaks there', (t) => {
  const [cpu, memory, disk] = timelinesOf(dayOfUse(), capacityView(), DAY);
  const valuesOf = (kind: string) => cpu?.lines.find((line) => line.kind === kind)?.values ?? [];
  const silent = (NOON - 150 * 60_000) / 1000;
  const place = cpu?.times.indexOf(silent) ?? -1;
  for (const kind of ['used', 'lowest', 'highest']) t.is(valuesOf(kind)[place], null, kind);
  t.is(valuesOf('capacity')[place], undefined, 'nothing changed then');
  t.false(valuesOf('capacity').includes(null));
  t.is(valuesOf('capacity').at(-1), 12, 'it reaches to the end');
  t.deepEqual([memory?.unit, disk?.lines.length], ['GiB', 1]);
  t.is(readout(cpu ?? { label: '', unit: '', times: [], lines: [] }, place), 'allocated 0, capacity 12 cores');
});

test('capacity and allocated begin where they are known, as they were then', (t) => {
  const [cpu] = timelinesOf(NOTHING_RECEIVED, capacityView(), DAY);
  const line = (kind: string) =>
    (cpu?.lines.find((each) => each.kind === kind)?.values ?? []).flatMap((value, place) =>
      value == null ? [] : [[(NOON / 1000 - (cpu?.times[place] ?? 0)) / 60, value] as const],
    );
  t.deepEqual(line('allocated'), [
    [720, 2],
    [260, 2],
    [210, 0],
    [100, 2],
    [13, 5],
    [0, 5],
  ]);
  const later = { from: NOON - HOUR, to: NOON };
  const [zoomed] = timelinesOf(NOTHING_RECEIVED, capacityView(), later);
  const known = zoomed?.lines.find(({ kind }) => kind === 'allocated')?.values.filter((value) => value != null);
  t.deepEqual(known, [2, 5, 5]);
  const before = { from: NOON - 24 * HOUR, to: NOON - 13 * HOUR };
  t.deepEqual(
    timelinesOf(NOTHING_RECEIVED, capacityView(), before)[0]
      ?.lines.at(-1)
      ?.values.filter((v) => v != null),
    [],
  );
});

test('changes of settings are numbered by time, with who and why', (t) => {
  t.deepEqual(
    markersOf(capacityView(), DAY).map(({ number, at, by }) => [number, (NOON / 1000 - at) / 60, by]),
    [
      [1, 260, 'by anna. Reason: small desktops use a third of a core'],
      [2, 180, 'by anna. Reason: its power supply is changed'],
      [3, 95, 'by anna'],
    ],
  );
  t.deepEqual(markersOf(capacityView(), { from: NOON - HOUR, to: NOON }), []);
});

test('the table has the whole time in at most 48 rows, newest first, silence included', (t) => {
  const rows = rowsOf(dayOfUse(), DAY);
  t.true(rows.length <= 48 && rows.length > 40);
  t.true((rows[0]?.at ?? 0) > (rows[1]?.at ?? 0));
  t.true(rows.some(({ receivedPercent, millicores }) => receivedPercent === 0 && millicores === null));
  t.is(
    rowsOf(NOTHING_RECEIVED, DAY).every(({ memoryMib }) => memoryMib === null),
    true,
  );
});

test('every event is told as a sentence', (t) => {
  t.deepEqual(agentEvents().map(eventSentence), [
    'Session s-7f3k2q runs.',
    'Session s-7f3k2q was placed here: 3 CPUs, 2 GiB.',
    'It was enabled.',
    'It was back, after it was missing.',
    'It was disabled: it takes nothing new.',
    'It was missing: silent for 61 s.',
    'Session s-older ended: its container exited by itself (exit code 0).',
    'The CPU override was set to 12 cores.',
    'Session s-older was placed here: 2 CPUs, 2 GiB.',
    'DOCKER_DOWN: the engine does not answer.',
    'It joined its zone.',
    'It was approved, for zone default.',
  ]);
  const about = { agentId: 'host-1' };
  const hardware = { millicores: 8000, memoryBytes: 16 * GIB, swapBytes: 0, gpus: [] };
  const said = (event: Pick<AnyEvent, 'type' | 'data'>) => eventSentence(agentEvent(1, 1, event) as AnyEvent);
  t.is(
    said({
      type: 'CoresOverrideSet',
      data: { ...about, millicores: null, previous: 12_000, physicalMillicores: null },
    }),
    'The CPU override was removed; before, 12 cores.',
  );
  t.is(
    said({
      type: 'MemoryOverrideSet',
      data: { ...about, memoryBytes: GIB, previous: 2 * GIB, physicalMemoryBytes: null },
    }),
    'The memory override was set to 1 GiB; before, 2 GiB.',
  );
  const labels = { rack: 'b-7', spot: '' };
  t.is(
    said({ type: 'AgentLabelsSet', data: { ...about, labels, previous: {} } }),
    'Its labels were set to rack=b-7, spot; before, none.',
  );
  t.is(
    said({ type: 'AgentLabelsSet', data: { ...about, labels: {}, previous: labels } }),
    'Its labels were removed; before, rack=b-7, spot.',
  );
  t.is(
    said({ type: 'PruneModeSet', data: { ...about, mode: 'off', previous: 'normal' } }),
    'Its prune mode was set to off; before, normal. Nothing is removed by itself.',
  );
  const pruned = {
    ...about,
    series: 'boot-1',
    number: 1,
    imageId: 'sha256:1',
    references: ['a:1'],
    mode: 'normal' as const,
    why: 'it has no tag left',
    asker: null,
    at: '2026-11-27T10:00:00.000Z',
  };
  t.is(
    said({ type: 'ImageRemoved', data: { ...pruned, freedBytes: GIB } }),
    'The image a:1 was removed, 1 GiB: it has no tag left.',
  );
  t.is(
    said({ type: 'ImageRemoved', data: { ...pruned, freedBytes: 0, why: 'somebody else calls it b:1' } }),
    'The name a:1 was taken from an image: somebody else calls it b:1.',
  );
  const asker = { actor: { kind: 'operator' as const, id: 'anna' }, reason: 'the disk is full' };
  t.is(
    said({ type: 'ImageRemovalSkipped', data: { ...pruned, references: [], why: 'a container uses it', asker } }),
    'The image 1 (no name) was to be removed, and stays: a container uses it. ' +
      'A prune in mode normal was asked for by anna. Reason: the disk is full.',
  );
  t.is(
    said({ type: 'AgentHardwareChanged', data: { ...about, hardware, previous: hardware } }),
    'Its hardware changed: 8 cores, 16 GiB, 0 GPUs.',
  );
  t.is(
    said({ type: 'AgentDeclaredLost', data: { ...about, sessions: 1 } }),
    'It was declared lost, and 1 session ended.',
  );
  t.is(whoAndWhy(agentEvents()[8] as AnyEvent), 'by the program nightly');
  t.is(whoAndWhy(agentEvents()[3] as AnyEvent), '', 'it came back by itself');
});

test('the two statistics read as the published page words them', (t) => {
  const [cpu, memory] = statisticsOf(agentRow(), NOON);
  t.deepEqual([cpu?.allocated, memory?.allocated], ['5 of 12 CPUs allocated', '5 of 12 GiB allocated']);
  t.is(cpu?.used, '52 % of 6 CPUs used at the last check-in, 4 s ago');
  t.is(statisticsOf(agentRow({ used: null, lastCheckInAt: null }), NOON)[0]?.used, 'Use not measured yet');
  const large = agentRow({ physical: { millicores: 6000, memoryBytes: 1007 * GIB, gpus: 0 } });
  t.regex(statisticsOf(large, NOON)[1]?.used ?? '', / of 1,007 GiB used /);
  t.deepEqual(statisticsOf(agentRow({ physical: null }), NOON), []);
});

test('the host is told in facts, and what is wrong with its clock', (t) => {
  const facts = (change: Parameters<typeof hostRow>[0]) => new Map(hostFacts(hostRow(change), NOON));
  t.is(facts({}).get('Clock'), 'right');
  t.is(facts({ observedAt: secondsBefore(-91) }).get('Clock'), '95 s ahead');
  t.is(facts({ observedAt: secondsBefore(64) }).get('Clock'), '60 s behind');
  t.is(facts({ swapBytes: 0 }).get('Memory'), '12 GiB, no swap');
  t.is(facts({ orphans: ['a', 'b'] }).get('Orphans'), 'a, b');
  t.is(imageName({ imageId: 'sha256:5d0f2a7c91b44c1e', references: [] }), '5d0f2a7c91b4 (no name)');
  t.deepEqual(sessionAddresses([sessionRow(), sessionRow()]), ['127.0.0.1']);
  t.is(sessionUse(sessionRow(), agentRow()), null, 'nobody told');
});
