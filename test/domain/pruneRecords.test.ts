import test from 'ava';
import type { ZoneFact } from '../../domain/events.ts';
import type { PruneRecord } from '../../domain/pruning/record.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import { agentIn, anAgent, given, said } from '../support/builders.ts';

/** What agents tell of their prunes comes into the log once. */

function record(number: number, change: Partial<PruneRecord> = {}): PruneRecord {
  return {
    number,
    outcome: 'removed',
    imageId: `sha256:${number}`,
    references: [`a:${number}`],
    freedBytes: number,
    mode: 'normal',
    why: 'it has no tag left',
    asker: null,
    at: '2026-01-01T00:00:00.000Z',
    ...change,
  };
}

function told(series: string, ...records: readonly PruneRecord[]) {
  return said({ prunes: { series, records: [...records] } });
}

function prunesAmong(facts: readonly ZoneFact[]) {
  return facts.flatMap((fact) =>
    fact.type === 'ImageRemoved' || fact.type === 'ImageRemovalSkipped'
      ? [[fact.type, fact.data.series, fact.data.number]]
      : [],
  );
}

test('each removal and each skip is an event once, and the document says up to which', (t) => {
  const first = given(anAgent()).when(told('boot-1', record(1), record(2, { outcome: 'skipped' })));
  t.deepEqual(prunesAmong(first.facts), [
    ['ImageRemoved', 'boot-1', 1],
    ['ImageRemovalSkipped', 'boot-1', 2],
  ]);
  const { desiredVersion, settingsVersion } = agentIn(first.state);
  t.like(desiredDocumentOf(first.state, 'agent-1', 'log-1'), {
    version: desiredVersion,
    pruneMark: { series: 'boot-1', number: 2 },
  });
  t.not(desiredVersion, settingsVersion, 'the agent hears of it, and no setting has changed');
  const after = given(anAgent(), first.facts);
  after.when(told('boot-1', record(1), record(2))).expect(t, []);
  t.deepEqual(prunesAmong(after.when(told('boot-1', record(2), record(3), record(3))).facts), [
    ['ImageRemoved', 'boot-1', 3],
  ]);
});

test('an agent that has lost its disk counts anew, and nothing that it tells then is taken for known', (t) => {
  const before = given(anAgent()).when(told('boot-1', record(1), record(2)));
  const after = given(anAgent(), before.facts).when(told('boot-7', record(1)));
  t.deepEqual(prunesAmong(after.facts), [['ImageRemoved', 'boot-7', 1]]);
  t.deepEqual(agentIn(after.state).pruneMark, { series: 'boot-7', number: 1 });
});

test('what an agent tells that speaks of another log is left for that one', (t) => {
  const decided = given(anAgent()).when(
    said({ logId: 'log-other', prunes: { series: 'boot-1', records: [record(1)] } }),
  );
  t.deepEqual(prunesAmong(decided.facts), []);
});
