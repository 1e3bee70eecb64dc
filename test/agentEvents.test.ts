import test, { type ExecutionContext } from 'ava';
import { AgentEvents } from '../gateway/history/agentEvents.ts';
import type { AgentEventsCursor } from '../gateway/history/agentEvents.ts';
import type { AnyEvent } from '../domain/events.ts';
import type { Bus } from '../infra/bus/connect.ts';
import { createBusFeed } from '../infra/bus/feed.ts';
import { readFeedBack } from '../infra/bus/feedBack.ts';
import { nextCommit } from '../infra/log/codec.ts';
import type { StoredCommit } from '../infra/log/port.ts';
import { someEvent } from './support/commits.ts';
import { untilFeedReaches } from './support/feeds.ts';
import { startNats } from './support/nats.ts';

/** What happened to one agent, found in feeds on a real bus. */

const LOG = 'zone-default';
const START = Date.parse('2026-11-01T12:00:00.000Z');

async function busOf(t: ExecutionContext): Promise<Bus> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  return await nats.connect('app');
}

/** Writes a feed in which event `n` (from 1) is of the agent that is named for it, one second after the one before. */
async function writeFeed(
  bus: Bus,
  log: string,
  agents: readonly string[],
  { startAt = START, version = 1 } = {},
): Promise<void> {
  const feed = createBusFeed(bus, log, 1);
  await feed.make(1);
  const pipe = feed.open(0, () => {});
  let previous: StoredCommit | null = null;
  for (let first = 0; first < agents.length; first += 200) {
    const key = `command-${first}`;
    const events: AnyEvent[] = [];
    for (const [index, agentId] of agents.slice(first, first + 200).entries()) {
      const occurredAt = new Date(startAt + (first + index) * 1000).toISOString();
      events.push({ ...someEvent(key, index), type: 'AgentEnabled', occurredAt, data: { agentId } });
    }
    const at = new Date(startAt).toISOString();
    const commands = [{ key, requestHash: 'hash', outcome: { accepted: true } as const }];
    const next = nextCommit({ previous, newLogId: 'log-of-tests', at, events, commands });
    const commit = { ...next, version: next.version + version - 1 };
    pipe.send(commit, 0);
    previous = { commit: next, hash: 'not looked at' };
  }
  await untilFeedReaches(bus, log, agents.length);
  pipe.close();
}

/** The places, from 1, at which an agent stands, newest first. */
function placesOf(agents: readonly string[], agentId: string): readonly number[] {
  return agents.flatMap((each, index) => (each === agentId ? [index + 1] : [])).toReversed();
}

/** Two bursts of one agent, one that comes up now and then, and one that was there at the very beginning. */
const CROWD = Array.from({ length: 6000 }, (_, index) => {
  if (index < 2) return 'old';
  if ((index > 2000 && index < 3500) || index > 5700) return 'busy';
  return index % 700 === 0 ? 'rare' : 'other';
});

test('a feed is read backwards for one agent, in pages of any size, without a gap or a duplicate', async (t) => {
  const bus = await busOf(t);
  await writeFeed(bus, LOG, CROWD);
  for (const [agentId, limit] of [
    ['busy', 200],
    ['busy', 1777],
    ['rare', 3],
    ['rare', 50],
    ['old', 50],
    ['old', 1],
    ['other', 200],
  ] as const) {
    const found: number[] = [];
    let before = Number.MAX_SAFE_INTEGER;
    for (let atEnd = false; !atEnd;) {
      const page = await readFeedBack(bus, LOG, agentId, { before, limit });
      t.true(page.messages.length <= limit);
      found.push(...page.messages.map(({ sequence }) => sequence));
      before = page.messages.at(-1)?.sequence ?? 0;
      atEnd = page.atEnd || page.messages.length === 0;
    }
    t.deepEqual(found, placesOf(CROWD, agentId), `${agentId}, ${limit} at a time`);
  }
  t.deepEqual(await readFeedBack(bus, LOG, 'nobody', { before: 9999, limit: 5 }), { messages: [], atEnd: true });
  t.deepEqual(await readFeedBack(bus, 'zone-none', 'old', { before: 9999, limit: 5 }), { messages: [], atEnd: true });
});

test('the pages of an agent hold what happened in its zone and to its enrolment, by time', async (t) => {
  const bus = await busOf(t);
  await writeFeed(bus, LOG, ['a', 'b', 'a', 'a', 'b', 'a']);
  await writeFeed(bus, 'fleet', ['a', 'b', 'a'], { startAt: START + 1500 });
  const kept = new AgentEvents(bus);
  const read = async (limit: number) => {
    const found: string[] = [];
    let before: AgentEventsCursor | null = null;
    do {
      const page = await kept.page('a', LOG, { before, limit });
      t.is(page.since, null, 'both begin with their log');
      found.push(...page.events.map(({ log, occurredAt }) => `${log} ${(Date.parse(occurredAt) - START) / 1000}`));
      before = page.next;
    } while (before !== null);
    return found;
  };
  const all = ['zone-default 5', 'fleet 3.5', 'zone-default 3', 'zone-default 2', 'fleet 1.5', 'zone-default 0'];
  for (const limit of [1, 2, 4, 50]) t.deepEqual(await read(limit), all, `${limit} at a time`);
  const pending = await kept.page('a', null, { before: null, limit: 50 });
  t.deepEqual(
    pending.events.map(({ log, type }) => [log, type]),
    [
      ['fleet', 'AgentEnabled'],
      ['fleet', 'AgentEnabled'],
    ],
  );
  t.is(pending.next, null);
});

test('how far back it reaches is said once a feed has lost its beginning', async (t) => {
  const bus = await busOf(t);
  await writeFeed(bus, LOG, ['b', 'a'], { version: 40 });
  await writeFeed(bus, 'fleet', ['a'], { startAt: START - 9000 });
  const kept = new AgentEvents(bus);
  t.is((await kept.page('a', LOG, { before: null, limit: 5 })).since, new Date(START).toISOString());
  t.is((await kept.page('a', null, { before: null, limit: 5 })).since, null);
});
