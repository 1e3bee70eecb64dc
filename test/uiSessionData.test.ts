import test from 'ava';
import type { OutputLine } from '../domain/output.ts';
import { fleetFromSnapshot } from '../ui/data/fleet.ts';
import { KEPT_LINES, NO_OUTPUT, withLines, type Output } from '../ui/data/output.ts';
import { PAGE_SIZE, pageOf, sessionFilterOf, sessionQuery, sessionsShown } from '../ui/data/sessionList.ts';
import { timelineOf } from '../ui/data/timeline.ts';
import { agentRow, NOON, secondsBefore, sessionRow, snapshot } from '../ui/gallery/fixtures.ts';
import { outputLine, wholeLife } from '../ui/gallery/sessionRows.ts';

/** What the pages of sessions know, without a browser. */

for (const [query, written] of [
  ['', ''],
  ['phase=running&image=desktop&agent=gpu&who=anna&page=3', 'phase=running&image=desktop&agent=gpu&who=anna&page=3'],
  ['phase=live&page=1', ''],
  ['phase=nonsense&page=-4&more=x', ''],
  ['page=two', ''],
] as const) {
  test(`the address ?${query} is understood as ?${written}`, (t) =>
    t.is(sessionQuery(sessionFilterOf(query)), written));
}

test('sessions are filtered by phase, image, agent and who asked, newest first', (t) => {
  const sessions = [
    sessionRow({ sessionId: 's-old', requestedAt: secondsBefore(500) }),
    sessionRow({ sessionId: 's-new', requestedAt: secondsBefore(5), imageId: 'training' }),
    sessionRow({ sessionId: 's-over', phase: 'ended', requestedBy: { kind: 'operator', id: 'Anna' } }),
    sessionRow({ sessionId: 's-waits', phase: 'waiting', agentId: null, requestedAt: secondsBefore(50) }),
  ];
  const agents = [agentRow({ agentId: 'host-1', hostname: 'rack-7' })];
  const fleet = fleetFromSnapshot(snapshot({ sessions, agents }), NOON);
  const shown = (query: string): readonly string[] =>
    sessionsShown(fleet, sessionFilterOf(query)).map(({ sessionId }) => sessionId);
  t.deepEqual(shown(''), ['s-new', 's-waits', 's-old']);
  t.deepEqual(shown('phase=over'), ['s-over']);
  t.deepEqual(shown('phase=waiting'), ['s-waits']);
  t.deepEqual(shown('phase=all&who=anna'), ['s-over']);
  t.deepEqual(shown('image=training'), ['s-new']);
  t.deepEqual(shown('agent=RACK'), ['s-new', 's-old'], 'by its host name, too');
  t.deepEqual(shown('agent=host-1'), ['s-new', 's-old']);
});

test('a page is the last one where there are not so many', (t) => {
  const rows = Array.from({ length: PAGE_SIZE + 1 }, (_, index) => index);
  t.deepEqual(pageOf(rows, 2), { rows: [PAGE_SIZE], page: 2, pages: 2 });
  t.is(pageOf(rows, 9).page, 2);
  t.deepEqual(pageOf([], 1), { rows: [], page: 1, pages: 1 });
});

test('ten thousand sessions are filtered and ordered in a moment', (t) => {
  const sessions = Array.from({ length: 10_000 }, (_, index) =>
    sessionRow({ sessionId: `s-${index}`, requestedAt: secondsBefore((index * 7919) % 10_000) }),
  );
  const fleet = fleetFromSnapshot(snapshot({ sessions }), NOON);
  const begun = performance.now();
  t.is(sessionsShown(fleet, sessionFilterOf('agent=host&who=adm')).length, 10_000);
  const ms = performance.now() - begun;
  t.log(`${ms.toFixed(0)} ms`);
  t.true(ms < 500);
});

test("a session's life is told in words: who asked, why it waited, how long each step took, why it ended", (t) => {
  const ended = sessionRow({ phase: 'ended', endedAt: secondsBefore(58), cause: 'OPERATOR', exitCode: 0 });
  const steps = timelineOf(ended, wholeLife(), NOON);
  t.deepEqual(
    steps.map(({ title, after, by }) => [title, after, by]),
    [
      ['Requested', null, 'by anna'],
      ['Waits in line', '0 s', null],
      ['Placed on host-1', '3 min', null],
      ['Starting on host-1', '1 s', null],
      ['Started on host-1', '49 s', null],
      ['Stop requested', '26 min', 'by anna'],
      ['Ended', '2 s', null],
    ],
  );
  t.deepEqual(steps[1]?.details, [
    'MEMORY_SHORT on 9, AGENT_DISABLED on 3 of 12.',
    'Nearest: host-3: 412 MB short, or end session s-81.',
  ]);
  t.is(steps[5]?.reason, 'the lesson is over');
  t.deepEqual(steps[6]?.details, ['An operator stopped it, exit code 0.']);
});

test('what it does now stands last, until it is over', (t) => {
  const pulling = sessionRow({ phase: 'starting', sentence: 'Starting on host-1: pulling its image, 45 %.' });
  const last = timelineOf(pulling, wholeLife().slice(0, 4), NOON).at(-1);
  t.like(last, { at: null, title: 'Starting on host-1: pulling its image, 45 %.', tone: 'busy', after: '28 min' });
});

test('a page keeps the newest lines, puts together what was cut, and shows no control characters', (t) => {
  const open = new Map<OutputLine['from'], string>();
  let output: Output = withLines(NO_OUTPUT, [outputLine('a ', { goesOn: true })], open);
  t.is(output, NO_OUTPUT, 'half a line is not shown yet');
  output = withLines(output, [outputLine('whole'), outputLine('\u001B[31mred\u001B[0m', { from: 'stderr' })], open);
  t.deepEqual(
    output.lines.map(({ number, text, isError }) => [number, text, isError]),
    [
      [1, 'a whole', false],
      [2, 'red', true],
    ],
  );
  const many = Array.from({ length: KEPT_LINES }, (_, index) => outputLine(`line ${index}`));
  output = withLines(output, many, open);
  t.is(output.lines.length, KEPT_LINES);
  t.is(output.dropped, 2);
  t.is(output.lines.at(-1)?.number, KEPT_LINES + 2);
});
