import test from 'ava';
import { OUTCOMES_KEPT, OUTCOME_HOURS, emptyMemory, remember, type CommandMemory } from '../../domain/commandMemory.ts';

const START = Date.parse('2026-11-01T12:00:00.000Z');
const HOUR = 3_600_000;

/** Commit `version`, so long after the start, that carried out commands under these keys. */
function carriedOut(memory: CommandMemory, version: number, afterMs: number, keys: readonly string[]): void {
  const at = new Date(START + afterMs).toISOString();
  remember(memory, {
    version,
    at,
    commands: keys.map((key) => ({ key, requestHash: `of ${key}`, outcome: { version } })),
  });
}

test('an outcome is remembered with the version and the time of its commit', (t) => {
  const memory = emptyMemory();
  carriedOut(memory, 7, 0, ['a', 'b']);
  const at = '2026-11-01T12:00:00.000Z';
  t.deepEqual(memory.outcomes.get('a'), { key: 'a', requestHash: 'of a', outcome: { version: 7 }, at, version: 7 });
  t.is(memory.outcomes.size, 2);
});

test('an outcome is remembered for a day, and hardly longer', (t) => {
  const memory = emptyMemory();
  carriedOut(memory, 1, 0, ['first']);
  carriedOut(memory, 2, HOUR, ['second']);
  carriedOut(memory, 3, OUTCOME_HOURS * HOUR, ['day']);
  t.deepEqual([...memory.outcomes.keys()], ['first', 'second', 'day']);
  carriedOut(memory, 4, OUTCOME_HOURS * HOUR + HOUR / 4, []);
  t.deepEqual([...memory.outcomes.keys()], ['second', 'day']);
  carriedOut(memory, 5, 10 * OUTCOME_HOURS * HOUR, []);
  t.is(memory.outcomes.size, 0);
});

test('the newest 100,000 outcomes are remembered, and hardly more, however quickly they come', (t) => {
  const memory = emptyMemory();
  const total = OUTCOMES_KEPT + 5_000;
  for (let version = 1; version <= total; version += 1) {
    carriedOut(memory, version, version, [`k-${version}`]);
    if (memory.outcomes.size > OUTCOMES_KEPT + 1_000) t.fail(`${memory.outcomes.size} outcomes`);
  }
  t.true(memory.outcomes.has(`k-${total - OUTCOMES_KEPT + 1}`));
  t.true(memory.outcomes.has(`k-${total}`));
  t.false(memory.outcomes.has(`k-${total - OUTCOMES_KEPT - 1_000}`));
});

test('a key that comes again after its time is a new command, and as young as its commit', (t) => {
  const memory = emptyMemory();
  carriedOut(memory, 1, 0, ['a', 'b']);
  carriedOut(memory, 2, HOUR, ['a']);
  t.deepEqual([...memory.outcomes.keys()], ['b', 'a']);
  t.is(memory.outcomes.get('a')?.version, 2);
});

test('memory that went through a snapshot goes on as if it had not', (t) => {
  const one = emptyMemory();
  let other = emptyMemory();
  for (let step = 0; step < 200; step += 1) {
    carriedOut(one, step + 1, (step * HOUR) / 4, [`k-${step}`]);
    carriedOut(other, step + 1, (step * HOUR) / 4, [`k-${step}`]);
    other = structuredClone(other);
  }
  t.deepEqual(other, one);
});
