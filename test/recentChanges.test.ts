import test from 'ava';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commit } from '../domain/commit.ts';
import { allEvents, type AnyEvent } from '../domain/events.ts';
import { CHANGES_KEPT, RecentChanges } from '../gateway/live/recentChanges.ts';
import type { EventLog } from '../infra/log/port.ts';
import { changeOf } from '../projections/change.ts';

const GOLDEN = join(import.meta.dirname, 'fixtures/events');
const AT = '2026-11-22T12:00:00.000Z';

async function golden(type: string): Promise<AnyEvent> {
  return JSON.parse(await readFile(join(GOLDEN, `${type}.json`), 'utf8'));
}

test('every event is everyday life, or is told in whole words with who, when and why', async (t) => {
  const everyday: string[] = [];
  for (const type of Object.keys(allEvents)) {
    const event = await golden(type);
    const change = changeOf('fleet', 7, 2, event);
    if (change === null) {
      everyday.push(type);
      continue;
    }
    t.regex(change.words, /^[a-z]/, type);
    t.notRegex(change.words, /undefined|null|NaN|\[object/, type);
    t.deepEqual([change.position, change.index, change.at], ['fleet:7', 2, event.occurredAt]);
    t.deepEqual([change.actor, change.reason], [event.actor, event.reason ?? null]);
  }
  t.deepEqual(everyday, [
    'AgentJoined',
    'ImageRemovalSkipped',
    'AgentLeft',
    'SessionRequested',
    'SessionWaiting',
    'SessionPlaced',
    'SessionCancelled',
    'SessionStarting',
    'SessionStarted',
    'SessionStopRequested',
    'SessionEnded',
  ]);
});

test('a session that ends as somebody wanted is everyday life, and one that was killed is told', async (t) => {
  const ended = await golden('SessionEnded');
  if (ended.type !== 'SessionEnded') throw new Error('the golden file is of another type');
  const killed: AnyEvent = { ...ended, data: { ...ended.data, cause: 'OOM_KILLED' } };
  t.is(changeOf('zone-default', 1, 0, ended), null);
  t.like(changeOf('zone-default', 1, 0, killed), {
    weight: 'trouble',
    about: { kind: 'session', id: ended.data.sessionId },
    words: 'ended: the kernel killed it for want of memory',
  });
});

test('the last ones of all logs stand together, newest first and no more than are shown', async (t) => {
  const recent = new RecentChanges();
  for (let version = 1; version <= CHANGES_KEPT; version += 1) {
    recent.note('zone-default', {
      commit: await commitOf(version, version, 'AgentDisabled', 'AgentEnabled'),
      hash: '',
    });
  }
  recent.note('fleet', { commit: await commitOf(3, CHANGES_KEPT + 1, 'ImageRetired'), hash: '' });
  recent.note('zone-default', { commit: await commitOf(99, 99, 'SessionPlaced'), hash: '' });
  t.is(recent.all.length, CHANGES_KEPT);
  t.deepEqual(
    recent.all.slice(0, 3).map(({ position, words }) => [position, words]),
    [
      ['fleet:3', 'was retired'],
      [`zone-default:${CHANGES_KEPT}`, 'was enabled'],
      [`zone-default:${CHANGES_KEPT}`, 'was disabled'],
    ],
  );
});

test('what happened before the gateway listened is recalled from the end of the log, once', async (t) => {
  const recent = new RecentChanges();
  const commits = await Promise.all([1, 2, 3].map((version) => commitOf(version, version, 'AgentDisabled')));
  const asked: number[] = [];
  const eventLog: Pick<EventLog, 'read'> = {
    async *read(_log, after) {
      asked.push(after);
      for (const commit of commits) yield { commit, hash: '' };
    },
  };
  recent.note('zone-default', { commit: await commitOf(3, 3, 'AgentDisabled'), hash: '' });
  await recent.recall(eventLog, 'zone-default', 10_003);
  t.deepEqual(
    recent.all.map(({ position }) => position),
    ['zone-default:3', 'zone-default:2', 'zone-default:1'],
  );
  t.deepEqual(asked, [9503], 'the whole log was read');
});

/** `second`: how many seconds after noon it was committed. */
async function commitOf(version: number, second: number, ...types: readonly string[]): Promise<Commit> {
  const occurredAt = new Date(Date.parse(AT) + second * 1000).toISOString();
  const events: AnyEvent[] = [];
  for (const type of types) events.push({ ...(await golden(type)), occurredAt });
  return { logId: 'log-1', version, previousHash: '', rulesVersion: 1, at: occurredAt, events, commands: [] };
}
