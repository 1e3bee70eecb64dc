import test from 'ava';
import type { ZoneEvent, ZoneFact } from '../domain/events.ts';
import { agentNow, capacityBefore, type AgentNow } from '../projections/capacityHistory.ts';
import { emptyZoneProjection, applyZoneCommit } from '../projections/zoneProjection.ts';
import { nextCommit } from '../infra/log/codec.ts';
import type { StoredCommit } from '../infra/log/port.ts';
import { someEvent } from './support/commits.ts';
import { anImage, GIB } from './support/builders.ts';

/** Capacity and allocated through time, found by going back from now. */

const START = Date.parse('2026-11-01T12:00:00.000Z');
const about = { agentId: 'a' };
const hardware = (cores: number) => ({ millicores: cores * 1000, memoryBytes: 6 * GIB, swapBytes: 0, gpus: [] });
const claim = (cores: number) => ({ millicores: cores * 1000, memoryBytes: GIB, gpuUuids: [] });
const placed = (sessionId: string, cores: number): ZoneFact => ({
  type: 'SessionPlaced',
  data: { sessionId, ...about, claim: claim(cores) },
});
const requested = (sessionId: string): ZoneFact => ({
  type: 'SessionRequested',
  data: {
    sessionId,
    image: anImage(),
    priority: 0,
    whenFull: 'queue',
    maxWaitSeconds: null,
    agentId: null,
  },
});
const ended = (sessionId: string): ZoneFact => ({
  type: 'SessionEnded',
  data: { sessionId, ...about, cause: 'USER', exitCode: 0 },
});

/** The rules' worked example and more: one fact a minute. */
const LIFE: readonly ZoneFact[] = [
  { type: 'AgentJoined', data: { ...about, hostname: 'a', simulated: false } },
  { type: 'AgentHardwareChanged', data: { ...about, hardware: hardware(6), previous: null } },
  { type: 'AgentReturned', data: { ...about, from: 'never' } },
  requested('s-2'),
  placed('s-2', 2),
  { type: 'CoresOverrideSet', data: { ...about, millicores: 12_000, previous: null, physicalMillicores: 6000 } },
  requested('s-3'),
  placed('s-3', 3),
  ended('s-2'),
  { type: 'AgentHardwareChanged', data: { ...about, hardware: hardware(8), previous: hardware(6) } },
  requested('s-1'),
  placed('s-1', 1),
  { type: 'AgentWentMissing', data: { ...about, silentSeconds: 70 } },
  { type: 'AgentDeclaredLost', data: { ...about, sessions: 2 } },
  { type: 'CoresOverrideSet', data: { ...about, millicores: null, previous: 12_000, physicalMillicores: 8000 } },
];

/** Folds so many facts with the projection that the gateway shows; what it shows of each moment is what must be found. */
function folded(facts: readonly ZoneFact[]) {
  const projection = emptyZoneProjection('default', 'zone-default');
  const events: ZoneEvent[] = [];
  let previous: StoredCommit | null = null;
  let now: AgentNow | null = null;
  const shown: string[] = [];
  for (const [index, fact] of facts.entries()) {
    const occurredAt = new Date(START + index * 60_000).toISOString();
    const event = { ...someEvent(`fact-${index}`), schemaVersion: 1, occurredAt, ...fact } as ZoneEvent;
    events.push(event);
    const commit = nextCommit({
      previous,
      newLogId: 'log-of-tests',
      at: occurredAt,
      events: [event],
      commands: [],
    });
    applyZoneCommit(projection, commit);
    previous = { commit, hash: 'not looked at' };
    const agent = projection.state.agents.get('a');
    if (agent === undefined) throw new Error('no agent');
    now = agentNow(agent);
    const { steps } = capacityBefore(now, [], START + index * 60_000);
    const text = stepText(steps[0], index);
    if (shown.at(-1)?.slice(3) !== text.slice(3)) shown.push(text);
  }
  if (now === null) throw new Error('nothing folded');
  return { now, newestFirst: events.toReversed(), shown };
}

function stepText(step: ReturnType<typeof capacityBefore>['steps'][number] | undefined, minute: number): string {
  const cores = (millicores: number | undefined): string =>
    millicores === undefined ? '?' : String(millicores / 1000);
  return `${String(minute).padStart(2)} ${cores(step?.allocated.millicores)} of ${cores(step?.capacity?.millicores)}`;
}

const minuteOf = (at: number): number => (at - START) / 60_000;

test('going back finds what was shown at every moment, and 5 of 12 CPUs allocated among it', (t) => {
  const { now, newestFirst, shown } = folded(LIFE);
  const { steps, since } = capacityBefore(now, newestFirst, START);
  t.deepEqual(
    steps.map((step) => stepText(step, minuteOf(step.at))),
    shown,
  );
  t.true(shown.includes(' 7 5 of 12'));
  t.is(since, START, 'it joined then');
});

test('where a claim that ended was placed before what is kept, nothing before is told', (t) => {
  const { now, newestFirst } = folded(LIFE);
  const afterPlacing = newestFirst.filter(({ occurredAt }) => Date.parse(occurredAt) > START + 4 * 60_000);
  t.is(minuteOf(capacityBefore(now, afterPlacing, START + 5 * 60_000).since), 8, 'the end of s-2');
  const onlyLast = newestFirst.slice(0, 2);
  t.is(minuteOf(capacityBefore(now, onlyLast, START).since), 13, 'what was lost with the agent');
});

test('what nobody changed was so since the oldest that is kept', (t) => {
  const { now } = folded(LIFE.slice(0, 8));
  const { steps, since } = capacityBefore(now, [], START - 1);
  t.deepEqual(
    steps.map((step) => [step.at, step.allocated.millicores, step.capacity?.millicores]),
    [[START - 1, 5000, 12_000]],
  );
  t.is(since, START - 1);
});
