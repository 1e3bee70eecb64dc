import { execFileSync } from 'node:child_process';
import test from 'ava';
import { age, bytesOf, coresOf, counted, measuredCores, timeLeft } from '../ui/data/amounts.ts';
import { agentTone, revocationConsequences } from '../ui/data/agents.ts';
import { barsOf } from '../ui/data/bars.ts';
import { splitReasons } from '../ui/data/explain.ts';
import { gpuNotes, schedulableText } from '../ui/data/gpus.ts';
import { applyPatch, fleetFromSnapshot } from '../ui/data/fleet.ts';
import { EMPTY_IMAGE, gpuSentence, imageBody, imageErrors, imageIdFrom } from '../ui/data/imageForm.ts';
import { expiryAfter, keyEnd, keyUses, keyRevocationConsequences } from '../ui/data/keys.ts';
import { coresEcho, memoryEcho, overrideLines } from '../ui/data/overrides.ts';
import { addressOf, OVERVIEW, placeAt, titleOf } from '../ui/data/page.ts';
import { linkConsequences, personState, removalConsequences, seenText } from '../ui/data/people.ts';
import { Repeatable } from '../ui/data/repeatable.ts';
import { endpointLinks, stopConsequences } from '../ui/data/sessions.ts';
import { roleNote, whyNot } from '../ui/data/roles.ts';
import { accountOfToken, secretLink } from '../ui/data/signInLink.ts';
import { keyRow, personRow } from '../ui/gallery/accessRows.ts';
import {
  agentRow,
  GIB,
  gpuAgentRow,
  gpuRow,
  NOON,
  refusedExplanation,
  revokedAgentRow,
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

test('large numbers are written in groups of three', (t) => {
  t.is(counted(10_000, 'agent', 'agents'), '10,000 agents');
  t.is(coresOf(117_111_000), '117,111');
  t.is(coresOf(500), '0.5');
  t.is(measuredCores(54_170_320), '54,170');
  t.is(measuredCores(3100), '3.1');
  t.is(bytesOf(736 * 1024 ** 4, 1090 * 1024 ** 4), '736 / 1,090 TiB');
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
  const labelled = imageBody({ ...fields, includeLabels: 'gpu=l40, rack\nrack', excludeLabels: ' ' });
  t.like(labelled, { includeLabels: ['gpu=l40', 'rack'], excludeLabels: [] });
  const selectors = (includeLabels: string, excludeLabels: string) =>
    Object.values(imageErrors({ ...fields, includeLabels, excludeLabels }));
  t.deepEqual(selectors('gpu=l40 rack', 'spot'), []);
  t.deepEqual(selectors('Rack', 'a=b=c'), [
    '"Rack" is not a label; write for example rack or gpu=l40, keys in small letters.',
    '"a=b=c" is not a label; write for example rack or gpu=l40, keys in small letters.',
  ]);
  t.deepEqual(selectors(Array.from({ length: 17 }, (_, index) => `k${index}`).join(' '), ''), ['At most 16 labels.']);
  t.deepEqual(selectors('spot, rack', 'spot'), ['spot is asked for as well: no agent could ever take it.']);
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
  const labelled = agentRow({ labels: { gpu: 'l40' }, settingsVersion: 2 });
  t.is(
    applyPatch(
      fleetFromSnapshot(snapshot({ agents: [agentRow()] }), NOON),
      { agents: [labelled], serverTime: secondsBefore(0) },
      NOON,
    ).placementMark,
    fleet.placementMark + 1,
  );
  const disabled = applyPatch(
    fleet,
    { agents: [agentRow({ intent: 'disabled' })], serverTime: secondsBefore(0) },
    NOON,
  );
  t.is(disabled.agents.get('host-1')?.intent, 'disabled');
  t.is(disabled.placementMark, fleet.placementMark + 1);
});

test('an agent that was removed is gone from the page, and a new plan is asked for', (t) => {
  const fleet = fleetFromSnapshot(snapshot({ agents: [agentRow(), agentRow({ agentId: 'host-2' })] }), NOON);
  const removed = applyPatch(fleet, { removedAgents: ['host-1', 'nobody'], serverTime: secondsBefore(0) }, NOON);
  t.deepEqual([...removed.agents.keys()], ['host-2']);
  t.is(removed.placementMark, fleet.placementMark + 1);
});

test('what revoking does is said for what the agent holds', (t) => {
  const held = revocationConsequences(agentRow({ sessions: 1 }));
  t.regex(held[1] ?? '', /1 session stays on it, and what it holds is free only once the agent is missing/);
  t.regex(held[2] ?? '', /^Its container may go on running on the host, where nobody stops it:/);
  t.regex(revocationConsequences(agentRow({ sessions: 2 }))[1] ?? '', /2 sessions stay on it, and what they hold/);
  t.regex(revocationConsequences(agentRow({ sessions: 0 }))[1] ?? '', /it can be removed at once/);
  t.is(revocationConsequences(agentRow({ sessions: 0, intent: 'pending' })).length, 1);
  t.deepEqual(
    [revokedAgentRow(), revokedAgentRow({ sessions: 0 })].map((agent) => agentTone(agent)),
    ['danger', 'idle'],
  );
});

test('reasons are split into never and not now', (t) => {
  const { never, notNow } = splitReasons(refusedExplanation().candidates[2]?.reasons ?? []);
  t.deepEqual(
    [never.map((reason) => reason.code), notNow.map((reason) => reason.code)],
    [['GPU_NONE'], ['MEMORY_SHORT']],
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
  t.deepEqual(stopConsequences(sessionRow()), [
    'Its container on host-1 is stopped, and what was not saved elsewhere is lost.',
    'Its claim (2 CPUs, 4 GiB) is released once the agent shows that the container is gone.',
  ]);
  t.deepEqual(stopConsequences(sessionRow({ phase: 'waiting', claim: null })), [
    'It leaves the line.',
    'It holds nothing, so nothing else changes.',
  ]);
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

test('a control that the role does not allow says which role it needs', (t) => {
  t.is(whyNot('admin', 'admin'), null);
  t.is(whyNot('operator', 'viewer'), null);
  t.is(whyNot('viewer', 'operator'), 'This needs the role operator; yours is viewer.');
  t.regex(roleNote('viewer') ?? '', /see everything and change nothing/);
  t.is(roleNote('admin'), null);
});

test('a link carries its token in the fragment, and what it is for', (t) => {
  t.deepEqual(secretLink('#sign-in=abc%2Bd'), { kind: 'sign-in', token: 'abc+d' });
  t.deepEqual(secretLink('#set-password=anna.xyz'), { kind: 'set-password', token: 'anna.xyz' });
  t.is(accountOfToken('anna.xyz'), 'anna');
  t.is(secretLink('#sign-in='), null);
  t.is(secretLink('#agents'), null);
  t.deepEqual(secretLink('#sign-in=%E0%A4'), { kind: 'sign-in', token: '%E0%A4' }, 'copied by halves');
});

test('what is left is told by the units of ages, and is over at its time', (t) => {
  const left = [-1, 0, 90, 7200, 7 * 86_400].map((seconds) => timeLeft(NOON + seconds * 1000, NOON));
  t.deepEqual(left, ['now', 'now', 'in 90 s', 'in 2 h', 'in 7 d']);
});

test('a page is found by its address, with the one thing that it shows and how its list is filtered', (t) => {
  const read = (hash: string) => {
    const place = placeAt(hash);
    return place === null ? null : [place.page, place.id, place.query];
  };
  for (const hash of ['', '#', '#/', '#/fleet']) t.deepEqual(read(hash), ['overview', null, ''], hash);
  t.deepEqual(read('#/agents'), ['agents', null, '']);
  t.deepEqual(read('#/agents/'), ['agents', null, '']);
  t.deepEqual(read('#/agents/host-1'), ['agents', 'host-1', '']);
  t.deepEqual(read('#/sessions?phase=waiting&by=a?b'), ['sessions', null, 'phase=waiting&by=a?b']);
  for (const hash of ['#/elsewhere', '#agents', '#/access/anna', '#/agents/host-1/more', '#/overview']) {
    t.is(read(hash), null, hash);
  }
  const there = { page: 'agents', id: 'host-1', query: 'range=7d' } as const;
  t.is(addressOf(there), '#/agents/host-1?range=7d');
  t.deepEqual(placeAt(addressOf(there)), there);
  t.is(addressOf({ page: 'overview' }), '#/');
});

test('the title says which thing is shown', (t) => {
  t.is(titleOf(OVERVIEW, null), 'Muster');
  t.is(titleOf(placeAt('#/agents'), null), 'Agents – Muster');
  t.is(titleOf(placeAt('#/agents/a-1'), 'host-1'), 'host-1 – Agents – Muster');
  t.is(titleOf(placeAt('#/elsewhere'), null), 'No such page – Muster');
});

test('what is in the way of somebody who would sign in comes first', (t) => {
  const ahead = secondsBefore(-60);
  const past = secondsBefore(60);
  const stateOf = (change: Parameters<typeof personRow>[0]) => personState(personRow(change), NOON).text;
  t.is(stateOf({}), 'Can sign in');
  t.is(stateOf({ lockedUntil: ahead, linkUntil: ahead }), 'Locked for 60 s: too many wrong passwords');
  t.is(stateOf({ lockedUntil: past, linkUntil: past }), 'Can sign in', 'what is over is not in the way');
  t.is(stateOf({ linkUntil: ahead }), 'Can sign in; link not used yet, ends in 60 s');
  t.is(stateOf({ hasPassword: false, linkUntil: ahead }), 'Invited: link not used yet, ends in 60 s');
  t.is(stateOf({ hasPassword: false }), 'Cannot sign in: needs a new link');
  t.is(seenText(personRow(), NOON), '4 min ago, in 2 browsers');
  t.is(seenText(personRow({ seenAt: null, browserSessions: 0 }), NOON), null);
});

test('a link and a removal say what they end, and nothing that is not there', (t) => {
  t.is(linkConsequences(personRow({ hasPassword: false })).length, 1);
  t.is(linkConsequences(personRow({ linkUntil: secondsBefore(-60) })).length, 3);
  t.is(
    removalConsequences(personRow(), false)[0],
    'Anna Smith is signed out of 2 browsers at once, and can no longer sign in.',
  );
  t.regex(
    removalConsequences(personRow({ linkUntil: secondsBefore(-60) }), true)[0] ?? '',
    /^You are .* link .* void\.$/,
  );
});

test('the end of a key is told in time, and one without end is no trouble', (t) => {
  const endOf = (seconds: number) => keyEnd({ expiresAt: secondsBefore(-seconds) }, NOON);
  t.like(endOf(8 * 86_400), { tone: 'ok', text: 'Ends in 8 d' });
  t.like(endOf(7 * 86_400), { tone: 'warn', text: 'Ends in 7 d' });
  t.like(endOf(0), { tone: 'danger', text: 'Expired' });
  t.deepEqual(keyEnd({ expiresAt: null }, NOON), { tone: 'idle', text: 'No end', date: null });
  t.is(expiryAfter(30, NOON), '2026-12-22T12:00:00.000Z');
  t.is(expiryAfter(null, NOON), null);
  t.regex(keyRevocationConsequences(keyRow(), NOON)[1] ?? '', /was used 5 min ago/);
  t.regex(keyRevocationConsequences(keyRow({ lastUsedAt: null }), NOON)[1] ?? '', /Nothing has used it/);
});

test('the commands for a key work in a shell, and hold no secret', (t) => {
  const secret = 'a_secret-with_both';
  const bus = keyUses('k3fwq2m7xa4b', 'https://muster.example.org')[1]?.command ?? '';
  const echoed = bus.replace(/^nats/, 'printf "%s\\n"');
  const env = { MUSTER_KEY: `mk_k3fwq2m7xa4b_${secret}` };
  const words = execFileSync('/bin/sh', ['-c', echoed], { env, encoding: 'utf8' }).trim().split('\n');
  t.deepEqual(words.slice(0, 4), ['--user', 'k3fwq2m7xa4b', '--password', secret]);
});

test('a request without an answer is sent again as it was; another question is another request', (t) => {
  const repeatable = new Repeatable<number>();
  const first = repeatable.ask('a', () => 1);
  t.is(
    repeatable.ask('a', () => 2),
    first,
    'the same, made once',
  );
  const other = repeatable.ask('b', () => 3);
  t.deepEqual([other.body, other.key === first.key], [3, false]);
  repeatable.answered();
  t.not(repeatable.ask('b', () => 4).key, other.key);
});
