import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import type { NewEvent, StoredEvent } from '../infra/eventStore/port.ts';
import { canonicalJson } from '../infra/log/canonical.ts';
import { encodeCommit, hashOf } from '../infra/log/codec.ts';
import { bytesOfCommit, endsCommit, eventsOfCommit, placeOf } from '../infra/log/eventStore/shape.ts';
import { someCommit } from './support/commits.ts';

test('a commit reads well in EventStoreDB: the type and data are ours, the metadata tell its place', (t) => {
  const commit = someCommit(null, 'a', 2);
  const events = eventsOfCommit('zone-default', encodeCommit(commit));
  t.is(events.length, 2);
  t.like(events[1], {
    type: 'AgentEnabled',
    data: { agentId: 'agent-1' },
    metadata: {
      $correlationId: 'a',
      $causationId: 'a',
      actor: { kind: 'operator', id: 'op-1' },
      commit: 'zone-default:1',
      index: 1,
      count: 2,
    },
  });
});

test('what a commit says of itself stands at its first event alone', (t) => {
  const events = eventsOfCommit('fleet', encodeCommit(someCommit(null, 'a', 3)));
  t.deepEqual(
    events.map(({ metadata }) => 'header' in metadata),
    [true, false, false],
  );
});

test('two commits with the same event ids and other content have other ids in the store', (t) => {
  const ours = someCommit(null, 'a');
  const theirs = { ...ours, at: '2026-11-01T12:00:00.001Z' };
  const [first] = eventsOfCommit('fleet', encodeCommit(ours));
  const [second] = eventsOfCommit('fleet', encodeCommit(theirs));
  t.not(first?.id, second?.id);
  t.is(first?.id, eventsOfCommit('fleet', encodeCommit(ours))[0]?.id);
});

test('places tell which event ends a commit', (t) => {
  const places = stored(eventsOfCommit('fleet', encodeCommit(someCommit(null, 'a', 2)))).map(placeOf);
  t.deepEqual(places, [
    { revision: 0, version: 1, index: 0, count: 2 },
    { revision: 1, version: 1, index: 1, count: 2 },
  ]);
  t.deepEqual(places.map(endsCommit), [false, true]);
});

for (const [name, metadata] of Object.entries({
  'no metadata': undefined,
  'metadata that are bytes': Buffer.from('x'),
  'metadata without a commit': { index: 0, count: 1 },
  'a commit without a version': { commit: 'fleet', index: 0, count: 1 },
  'an index past its commit': { commit: 'fleet:1', index: 1, count: 1 },
  'an index that is none': { commit: 'fleet:1', index: -1, count: 1 },
})) {
  test(`an event with ${name} is none of ours`, (t) => {
    const event = { revision: 0, id: 'a', type: 'A', data: {}, metadata };
    t.throws(() => placeOf(event), { code: 'LOG_CORRUPT' });
  });
}

test('an event whose data are no object is named as not ours when its commit is put together', (t) => {
  const [event] = stored(eventsOfCommit('fleet', encodeCommit(someCommit(null, 'a'))));
  if (event === undefined) throw new Error('no event');
  t.throws(() => bytesOfCommit([{ ...event, metadata: { ...Object(event.metadata), header: 7 } }]), {
    code: 'LOG_CORRUPT',
  });
});

testProp(
  'a commit is the same bytes after it was taken apart, stored as JSON and put together, whatever its data',
  [fc.array(fc.dictionary(fc.string(), fc.jsonValue({ noUnicodeString: false })), { minLength: 1, maxLength: 5 })],
  (t, datas) => {
    const commit = { ...someCommit(null, 'a') };
    const events = datas.map((data) => ({ ...commit.events[0], data }));
    const bytes = Buffer.from(canonicalJson({ ...commit, events }), 'utf8');
    const parts = eventsOfCommit('zone-default', { bytes, hash: hashOf(bytes) });
    t.is(Buffer.from(bytesOfCommit(stored(parts))).toString(), bytes.toString());
  },
);

/** As the store gives them back. */
function stored(events: readonly NewEvent[]): readonly StoredEvent[] {
  const parsed: unknown = JSON.parse(JSON.stringify(events));
  return (parsed as readonly NewEvent[]).map(({ id, type, data, metadata }, revision) => ({
    revision,
    id,
    type,
    data,
    metadata,
  }));
}
