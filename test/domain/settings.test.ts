import test from 'ava';
import { fc, testProp } from '@fast-check/ava';
import { labels as labelsSchema, labelSelectors } from '../../domain/schemas.ts';
import type { SetAgentSettings } from '../../domain/zone/commands.ts';
import { labelTexts, meetsSelector } from '../../domain/labels.ts';
import { desiredDocument } from '../../domain/desired.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import { agentIn, anAgent, anImage, aRequest, aWaitingSession, given } from '../support/builders.ts';

/** Labels of an agent, and what it prunes. */

const about = { agentId: 'agent-1' };
const change = (settings: Partial<SetAgentSettings>): SetAgentSettings => ({
  type: 'SetAgentSettings',
  agentId: 'agent-1',
  confirm: false,
  ifVersion: null,
  ...settings,
});

test('labels are set all at once; the same ones again, in whatever order, change nothing', (t) => {
  const labels = { gpu: 'l40', rack: 'b-7' };
  const first = given(anAgent()).when(change({ labels }));
  first.expect(t, [{ type: 'AgentLabelsSet', data: { ...about, labels, previous: {} } }]);
  const labelled = given(anAgent(), first.facts);
  labelled.when(change({ labels: { rack: 'b-7', gpu: 'l40' } })).expect(t, []);
  labelled.when(change({ enabled: true })).expect(t, []);
  labelled
    .when(change({ labels: { rack: 'c' } }))
    .expect(t, [{ type: 'AgentLabelsSet', data: { ...about, labels: { rack: 'c' }, previous: labels } }]);
  labelled
    .when(change({ labels: {} }))
    .expect(t, [{ type: 'AgentLabelsSet', data: { ...about, labels: {}, previous: labels } }]);
});

test('labels stand in the order of their keys, and have nothing to do with what runs there', (t) => {
  const before = given(anAgent());
  const { state } = before.when(change({ labels: { rack: 'b', gpu: 'l40', a: '' } }));
  const agent = agentIn(state);
  t.deepEqual([...agent.labels.keys()], ['a', 'gpu', 'rack']);
  t.deepEqual([agent.settingsVersion, agent.desiredVersion], [2, agentIn(before.state).desiredVersion]);
});

test('the prune mode is off until somebody sets it, and the agent hears it with its document', (t) => {
  const before = given(anAgent());
  t.is(desiredDocumentOf(before.state, 'agent-1', 'log-1')?.pruneMode, 'off');
  before.when(change({ pruneMode: 'off' })).expect(t, []);
  const set = before.when(change({ pruneMode: 'normal' }));
  set.expect(t, [{ type: 'PruneModeSet', data: { ...about, mode: 'normal', previous: 'off' } }]);
  t.like(desiredDocumentOf(set.state, 'agent-1', 'log-1'), { version: 2, pruneMode: 'normal' });
  t.is(agentIn(set.state).settingsVersion, 2);
});

test('a document of before there were prune modes is one that removes nothing', (t) => {
  const old = { schemaVersion: 1, agentId: 'agent-1', logId: 'log-1', version: 7, sessions: [] };
  t.deepEqual(desiredDocument.parse(old), { ...old, pruneMode: 'off', pruneMark: null });
});

test('images in a document of before they looked at labels have none', (t) => {
  const { includeLabels: _, excludeLabels: __, ...image } = anImage();
  const session = { sessionId: 's-1', image, gpuUuids: [], mayCreate: true };
  const old = { schemaVersion: 1, agentId: 'agent-1', logId: 'log-1', version: 7, sessions: [session] };
  t.deepEqual(desiredDocument.parse(old).sessions[0]?.image, anImage());
});

test('all settings are taken together or none of them', (t) => {
  const agent = given(anAgent());
  agent.when(change({ labels: { a: '' }, pruneMode: 'normal', millicores: 61_000 })).refused(t, 'CONFIRM_NEEDED');
  agent.when(change({ labels: { a: '' }, pruneMode: 'normal', ifVersion: 0 })).refused(t, 'STALE');
  const { facts } = agent.when(change({ labels: { a: '' }, pruneMode: 'normal', millicores: 12_000, enabled: false }));
  t.deepEqual(
    facts.map(({ type }) => type),
    ['AgentDisabled', 'CoresOverrideSet', 'AgentLabelsSet', 'PruneModeSet'],
  );
});

for (const [what, selector, met] of [
  ['a key, whatever its value', 'rack', true],
  ['a key without a value', 'spot', true],
  ['a key that is not there', 'gpu', false],
  ['this value', 'rack=b-7', true],
  ['another value', 'rack=b', false],
  ['no value, where there is none', 'spot=', true],
  ['no value, where there is one', 'rack=', false],
  ['what every object of JavaScript has', 'constructor', false],
] as const) {
  test(`a selector asks for ${what}: ${selector} is ${met ? 'met' : 'not met'}`, (t) => {
    const labels = new Map([
      ['rack', 'b-7'],
      ['spot', ''],
    ]);
    t.is(meetsSelector(labels, selector), met);
    t.true(labelSelectors.safeParse([selector]).success);
  });
}

test('a selector is written like a label, and an image has at most 16 of a kind', (t) => {
  for (const wrong of ['', 'Rack', 'rack=b c', 'a=b=c', '=x', 'rack,']) {
    t.false(labelSelectors.safeParse([wrong]).success, wrong);
  }
  t.true(labelSelectors.safeParse(Array.from({ length: 16 }, () => 'a')).success);
  t.false(labelSelectors.safeParse(Array.from({ length: 17 }, () => 'a')).success);
});

test('an image goes where all that it asks for is met and nothing that it avoids', (t) => {
  const image = anImage({ includeLabels: ['gpu=l40', 'rack'], excludeLabels: ['spot'] });
  const fleet = given(
    anAgent({ id: 'a' }),
    anAgent({ id: 'b', labels: { gpu: 'l40', rack: 'b', spot: '' } }),
    anAgent({ id: 'c', labels: { gpu: 'l40', rack: 'b' } }),
    anAgent({ id: 'd', labels: { gpu: 'l4', rack: 'b' } }),
  );
  const { explanation } = fleet.when(aRequest({ image }));
  t.is(explanation?.agentId, 'c');
  t.deepEqual(
    explanation?.candidates.map(({ agentId, reasons }) => [agentId, reasons[0]?.fix ?? null]),
    [
      ['c', null],
      ['a', 'give it the labels gpu=l40, rack'],
      ['b', 'take its label spot away'],
      ['d', 'give it the label gpu=l40'],
    ],
  );
});

test('what no agent has the labels for is refused at once, and what waits is placed when one is given them', (t) => {
  const image = anImage({ includeLabels: ['gpu=l40'] });
  const agents = given(anAgent());
  const refused = agents.when(aRequest({ image, whenFull: 'queue' }));
  t.like(refused.facts[1], { type: 'SessionRefused', data: { refusal: { codes: { LABEL_MISSING: 1 } } } });
  const waiting = given(anAgent(), aWaitingSession({ id: 'w', image }));
  const labelled = waiting.when(change({ labels: { gpu: 'l40' } }));
  const woken = given(anAgent(), aWaitingSession({ id: 'w', image }), labelled.facts).when({ type: 'PlaceWaiting' });
  t.like(woken.facts, [{ type: 'SessionPlaced', data: { sessionId: 'w', agentId: 'agent-1' } }]);
});

test('taking a label away from an agent leaves what runs there alone', (t) => {
  const image = anImage({ includeLabels: ['gpu=l40'] });
  const running = given(anAgent({ labels: { gpu: 'l40' } })).when(aRequest({ image }));
  const after = given(anAgent({ labels: { gpu: 'l40' } }), running.facts).when(change({ labels: {} }));
  after.expect(t, [{ type: 'AgentLabelsSet', data: { ...about, labels: {}, previous: { gpu: 'l40' } } }]);
  t.is(agentIn(after.state).sessions.size, 1);
});

const long = 'k'.repeat(63);
for (const [what, labels, taken] of [
  ['none', {}, true],
  ['a key alone', { spot: '' }, true],
  ['a key with a domain', { 'example.org/rack_1': 'B-7.2_x' }, true],
  ['a key of one letter, and the longest', { a: '1', [long]: 'v'.repeat(63) }, true],
  ['what JavaScript knows as something else', { constructor: 'x' }, true],
  ['a capital letter in a key', { Rack: 'a' }, false],
  ['an empty key', { '': 'a' }, false],
  ['a key that ends with a sign', { 'rack-': 'a' }, false],
  ['a key too long', { [`${long}k`]: 'a' }, false],
  ['a value too long', { a: 'v'.repeat(64) }, false],
  ['a value with a space', { a: 'b c' }, false],
  ['a value with an equals sign', { a: 'b=c' }, false],
  ['a number', { a: 7 }, false],
  ['32', Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`k${index}`, ''])), true],
  ['33', Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, ''])), false],
] as const) {
  test(`labels that are ${taken ? 'taken' : 'refused'}: ${what}`, (t) => {
    t.is(labelsSchema.safeParse(labels).success, taken);
  });
}

testProp(
  'labels are told in one order, however they were given',
  [fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.constantFrom('', 'x'))],
  (t, labels) => {
    const reversed = Object.fromEntries(Object.entries(labels).toReversed());
    t.deepEqual(labelTexts(reversed), labelTexts(labels));
    t.deepEqual(
      labelTexts(labels),
      Object.keys(labels)
        .toSorted()
        .map((key) => (labels[key] === '' ? key : `${key}=${labels[key]}`)),
    );
  },
);
