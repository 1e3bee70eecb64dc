import test from 'ava';
import { age, bytesOf } from '../ui/data/amounts.ts';
import { barsOf } from '../ui/data/bars.ts';
import { splitReasons } from '../ui/data/explain.ts';
import { gpuNotes, schedulableText } from '../ui/data/gpus.ts';
import { applyPatch, fleetFromSnapshot } from '../ui/data/fleet.ts';
import { historyColumns, historyHours } from '../ui/data/history.ts';
import { EMPTY_IMAGE, gpuSentence, imageBody, imageErrors, imageIdFrom } from '../ui/data/imageForm.ts';
import { coresEcho, memoryEcho, overrideLines } from '../ui/data/overrides.ts';
import { endpointLinks, stopConsequence } from '../ui/data/sessions.ts';
import { signInToken } from '../ui/data/signInLink.ts';
import {
  agentRow,
  GIB,
  gpuAgentRow,
  gpuRow,
  NOON,
  refusedExplanation,
  secondsBefore,
  sessionRow,
  snapshot,
  wornGpuRow,
} from '../ui/gallery/fixtures.ts';

const textOf = (agent = agentRow()) => barsOf(agent, NOON).map((bar) => `${bar.allocatedText} ${bar.usedText}`.trim());

test('allocated is of capacity, used is of physical, and both are printed with their age', (t) => {
  t.deepEqual(textOf(), [
    'CPU 5 / 12 allocated (42 %), 3.1 / 6 used (52 %), 4 s ago',
    'RAM 5 / 12 GiB allocated (42 %), 3.1 / 12 GiB used (26 %), 4 s ago',
    'GPU none',
  ]);
});

test('GPUs are counted as schedulable devices, and their use is the mean over those that tell', (t) => {
  t.is(textOf(gpuAgentRow())[2], 'GPU 1 / 2 allocated (50 %), 44 % busy, 4 s ago');
});

test('allocated may pass capacity, and then says by how much', (t) => {
  const agent = agentRow({ capacity: { millicores: 4000, memoryBytes: 12 * GIB, gpus: 0 } });
  const [cpu] = barsOf(agent, NOON);
  t.is(cpu?.overAllocated, 'over-allocated by 1 core');
  t.is(cpu?.allocatedText, 'CPU 5 / 4 allocated (125 %),');
  t.true((cpu?.allocated ?? 0) > (cpu?.capacity ?? 1));
});

test('a measurement older than two intervals, or of an agent that is not online, is stale', (t) => {
  const staleAt = (seconds: number) => barsOf(agentRow({ lastCheckInAt: secondsBefore(seconds) }), NOON)[0]?.stale;
  t.is(staleAt(20), false);
  t.is(staleAt(21), true);
  t.is(barsOf(agentRow({ connectivity: 'late' }), NOON)[0]?.stale, true);
});

test('what was never measured is not shown as 0', (t) => {
  t.is(textOf(agentRow({ used: null, lastCheckInAt: null }))[0], 'CPU 5 / 12 allocated (42 %), use not measured yet');
});

test('ages have one unit and are never negative', (t) => {
  const ages = [-5, 4, 119, 120, 7200, 200_000].map((seconds) => age(NOON - seconds * 1000, NOON));
  t.deepEqual(ages, ['0 s', '4 s', '119 s', '2 min', '2 h', '2 d']);
});

test('both amounts of a pair have the unit of the whole, unless the part would read as 0', (t) => {
  t.is(bytesOf(5 * GIB, 12 * GIB), '5 / 12 GiB');
  t.is(bytesOf(5 * 1024 ** 2, 12 * GIB), '5 MiB / 12 GiB');
});

test('an override is echoed as parsed with its ratio; 0 and empty mean none', (t) => {
  const agent = agentRow();
  const { physical } = agent;
  t.is(coresEcho('12', physical).text, '12 cores, x2.0 of 6 cores');
  t.like(coresEcho('120', physical), {
    kind: 'unusual',
    text: '120 cores, x20.0 of 6 cores; unusual, you will be asked to confirm',
  });
  for (const text of ['', '0', '  ']) t.is(coresEcho(text, physical).kind, 'none');
  t.is(coresEcho('many', physical).kind, 'invalid');
  t.is(memoryEcho('12GB', agent).text, '11.2 GiB, x0.9 of 12 GiB');
});

test('memory overridden above physical always names what is not covered', (t) => {
  const bare = agentRow({ swapBytes: 0 });
  t.is(memoryEcho('12GiB', bare).risk, null);
  t.is(memoryEcho('20GiB', bare).risk?.level, 'uncovered');
  t.regex(
    memoryEcho('20GiB', bare).risk?.sentence ?? '',
    /8 GiB not covered by RAM or swap: sessions can be killed; no swap/,
  );
  const swapping = agentRow({ swapBytes: 16 * GIB });
  t.deepEqual(memoryEcho('20GiB', swapping).risk, {
    level: 'covered',
    sentence: 'When sessions use all of it: 8 GiB past physical memory, covered by swap.',
  });
});

test('an override whose hardware changed says what physical was when it was set', (t) => {
  const physical = { millicores: 8000, memoryBytes: 12 * GIB, gpus: 0 };
  const lines = overrideLines({ value: 12_000, setWhenPhysical: 6000 }, null, physical);
  t.deepEqual(lines, ['CPU override 12, x1.5 of 8 cores, set when physical was 6, now 8']);
});

test('GPU count 0 is spelled out, and a count without "require" is treated as required', (t) => {
  t.regex(gpuSentence(true, '0'), /^0 = all: every schedulable GPU of one agent, exclusively/);
  t.is(gpuSentence(false, '0'), 'No GPU: the session sees no device.');
  t.regex(gpuSentence(false, '2'), /treated as required/);
});

test('the image form sends what was typed, and refuses what cannot be meant', (t) => {
  const fields = {
    ...EMPTY_IMAGE,
    name: ' Ubuntu Desktop ',
    reference: 'a/b:1',
    ports: '8080, 53/udp',
    environment: 'A=b=c',
  };
  t.deepEqual(imageErrors(fields), {});
  t.like(imageBody(fields), {
    name: 'Ubuntu Desktop',
    ports: [
      { containerPort: 8080, protocol: 'tcp' },
      { containerPort: 53, protocol: 'udp' },
    ],
    environment: { A: 'b=c' },
  });
  t.is(imageIdFrom(' Ubuntu Desktop '), 'ubuntu-desktop');
  const wrong = imageErrors({ ...fields, name: '', cores: 'x', gpuCount: '-1', ports: '99999' });
  t.deepEqual(Object.keys(wrong).toSorted(), ['cores', 'gpuCount', 'name', 'ports']);
});

test('a patch replaces whole rows and asks for a new plan only when placement could change', (t) => {
  const fleet = fleetFromSnapshot(snapshot({ agents: [agentRow()] }), NOON);
  const measured = applyPatch(
    fleet,
    { agents: [agentRow({ lastCheckInAt: secondsBefore(0) })], serverTime: secondsBefore(0) },
    NOON,
  );
  t.is(measured.placementMark, fleet.placementMark);
  const disabled = applyPatch(
    fleet,
    { agents: [agentRow({ intent: 'disabled' })], serverTime: secondsBefore(0) },
    NOON,
  );
  t.is(disabled.agents.get('host-1')?.intent, 'disabled');
  t.is(disabled.placementMark, fleet.placementMark + 1);
});

test('reasons are split into never and not now', (t) => {
  const { never, notNow } = splitReasons(refusedExplanation().candidates[2]?.reasons ?? []);
  t.deepEqual(
    [never.map((reason) => reason.code), notNow.map((reason) => reason.code)],
    [['GPU_NONE'], ['MEMORY_SHORT']],
  );
});

test('an hour without check-ins is a gap in the chart and "no data" in the table', (t) => {
  const use = { cpuMillicores: 1000, memoryBytes: GIB, gpuPercent: null, gpuMemoryBytes: null };
  const highest = { ...use, cpuMillicores: 1500 };
  const point = { ...use, samples: 6, diskUsedBytes: null, lowest: use, highest };
  const view = {
    agentId: 'a',
    stepSeconds: 1800,
    points: [
      { at: 0, ...point },
      { at: 2 * 3_600_000, ...point },
    ],
  };
  t.deepEqual(historyColumns(view).cores, [1, null, null, null, 1]);
  t.deepEqual(
    historyHours(view).map((hour) => [hour.cores, hour.peakCores]),
    [
      [1000, 1500],
      [null, null],
      [1000, 1500],
    ],
  );
});

test('an endpoint on every interface is reached where the page is; udp is no link', (t) => {
  const port = { containerPort: 8888, protocol: 'tcp' as const, hostPort: 32_768 };
  const session = sessionRow({
    endpoints: [
      { ...port, hostAddress: '0.0.0.0' },
      { ...port, hostAddress: '::1', protocol: 'udp' },
    ],
  });
  t.deepEqual(endpointLinks(session, 'muster.lan'), [
    { text: 'muster.lan:32768', href: 'http://muster.lan:32768/' },
    { text: '[::1]:32768', href: null },
  ]);
});

test('stopping says what is lost and what is released; a waiting session only leaves the line', (t) => {
  t.regex(stopConsequence(sessionRow()), /what was not saved elsewhere is lost\. Its claim \(2 CPUs, 4 GiB\)/);
  t.regex(stopConsequence(sessionRow({ phase: 'waiting', claim: null })), /leaves the line/);
});

test('a device that takes no session says why once', (t) => {
  const reason = 'it has fallen off the bus';
  t.is(schedulableText(gpuRow(0)), 'yes');
  t.is(schedulableText(gpuRow(0, { schedulable: false, healthReason: reason, reason })), 'no');
  t.is(schedulableText(gpuRow(0, { schedulable: false, reason: 'no nvidia runtime' })), 'no: no nvidia runtime');
});

test('a device is shown with its last Xid, the wear of its memory and its MIG instances', (t) => {
  const [worn, divided] = wornGpuRow().used?.gpus ?? [];
  t.deepEqual(gpuNotes(worn ?? null, NOON), ['last Xid 94, 90 min ago', 'uncorrected memory errors in its life: 4']);
  t.deepEqual(gpuNotes(divided ?? null, NOON), ['MIG: 3g.40gb, 2g.20gb']);
  t.deepEqual(gpuNotes(null, NOON), []);
});

test('a sign-in link carries its token in the fragment', (t) => {
  t.is(signInToken('#sign-in=abc%2Bd'), 'abc+d');
  t.is(signInToken('#sign-in='), null);
  t.is(signInToken('#agents'), null);
});
