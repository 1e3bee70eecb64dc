import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Commit } from '../../domain/commit.ts';
import { encodeCommit } from '../../infra/log/codec.ts';
import { LogErrorCode, isLogUnreadable, isOutcomeUnknown, isVersionConflict } from '../../infra/log/errors.ts';
import { FLEET_LOG, zoneLog, type EventLog, type StoredCommit } from '../../infra/log/port.ts';
import { someCommit, someEvent } from '../support/commits.ts';
import {
  appendMany,
  collect,
  decided,
  hashesOf,
  jsonBytes,
  last,
  losingReplies,
  readUntilError,
  startFollowing,
  versions,
} from '../support/logs.ts';
import { sealing } from './eventLogSeals.ts';
import type { MakeLog, Register } from './logHarness.ts';

const ZONE = zoneLog('default');
const BAD_NAMES = ['', 'zone', 'zone-', 'zone-a.b', 'zone-*', 'zone->', 'fleet ', 'other', `zone-${'a'.repeat(65)}`];

/** What every event log does. Registers the same tests for every adapter. */
export function eventLogContract(test: Register, makeLog: MakeLog): void {
  appending(test, makeLog);
  racing(test, makeLog);
  reading(test, makeLog);
  following(test, makeLog);
  distrusting(test, makeLog);
  sealing(test, makeLog);
}

function appending(test: Register, makeLog: MakeLog): void {
  test('a new log takes its first commit and then the ones that follow it', async (t) => {
    const { log } = await makeLog(t);
    const written = await appendMany(log, ZONE, 3);
    t.deepEqual(await collect(log.read(ZONE, 0)), written);
  });

  test('a stale writer and one that is ahead are refused, and nothing is written', async (t) => {
    const { log } = await makeLog(t);
    const [first, second] = await appendMany(log, ZONE, 2);
    const stale = await t.throwsAsync(log.append(ZONE, 1, someCommit(first ?? null, 'stale')));
    t.true(isVersionConflict(stale));
    const ahead = await t.throwsAsync(log.append(ZONE, 7, { ...someCommit(null, 'ahead'), version: 8 }));
    t.true(isVersionConflict(ahead));
    t.deepEqual(await versions(log, ZONE), [1, 2]);
    await log.append(ZONE, 2, someCommit(second ?? null, 'third'));
  });

  test('a commit goes where it says that it goes', async (t) => {
    const { log } = await makeLog(t);
    await t.throwsAsync(log.append(ZONE, 0, { ...someCommit(null, 'a'), version: 2 }), { code: 'INVALID_COMMIT' });
    t.deepEqual(await versions(log, ZONE), []);
  });

  test('256 events are one commit; one more, none or an unknown field are refused whole', async (t) => {
    const { log } = await makeLog(t);
    await t.throwsAsync(log.append(ZONE, 0, someCommit(null, 'many', 257)), { code: 'INVALID_COMMIT' });
    await t.throwsAsync(log.append(ZONE, 0, someCommit(null, 'none', 0)), { code: 'INVALID_COMMIT' });
    const odd = { ...someCommit(null, 'odd'), events: [{ ...someEvent('odd'), extra: 1 }] };
    await t.throwsAsync(log.append(ZONE, 0, odd), { code: 'INVALID_COMMIT', message: /event 0 .*"extra"/ });
    t.deepEqual(await versions(log, ZONE), []);
    await log.append(ZONE, 0, someCommit(null, 'full', 256));
    const [stored] = await collect(log.read(ZONE, 0));
    t.is(stored?.commit.events.length, 256);
  });

  test('a commit that is too large is refused and the log stays usable', async (t) => {
    const { log } = await makeLog(t);
    const outcome = { text: 'x'.repeat(1_000_000) };
    const large = { ...someCommit(null, 'large'), commands: [{ key: 'large', requestHash: '', outcome }] };
    await t.throwsAsync(log.append(ZONE, 0, large), { code: 'COMMIT_TOO_LARGE' });
    await log.append(ZONE, 0, someCommit(null, 'small'));
    t.deepEqual(await versions(log, ZONE), [1]);
  });

  test('only fleet and zone-<id> are logs, with ids up to 64 characters', async (t) => {
    const { log } = await makeLog(t);
    const { signal } = new AbortController();
    for (const name of BAD_NAMES) {
      await t.throwsAsync(log.append(name, 0, someCommit(null, 'bad')), { code: 'INVALID_LOG_NAME' });
      await t.throwsAsync(collect(log.read(name, 0)), { code: 'INVALID_LOG_NAME' });
      await t.throwsAsync(collect(log.follow(name, 0, signal)), { code: 'INVALID_LOG_NAME' });
    }
    const longest = zoneLog('z'.repeat(64));
    await log.append(longest, 0, someCommit(null, 'good'));
    t.deepEqual(await versions(log, longest), [1]);
  });

  test('the same commit again after a lost reply is a success and is stored once', async (t) => {
    const { log } = await makeLog(t);
    const commit = someCommit(null, 'once');
    const unknown = await t.throwsAsync(losingReplies(log).append(ZONE, 0, commit));
    t.true(isOutcomeUnknown(unknown));
    const { hash } = await log.append(ZONE, 0, commit);
    t.is(hash, encodeCommit(commit).hash);
    await log.append(ZONE, 1, someCommit({ commit, hash }, 'next'));
    t.is((await log.append(ZONE, 0, commit)).hash, hash);
    t.deepEqual(await versions(log, ZONE), [1, 2]);
  });

  test('the same commit again is a success also when others have written behind it', async (t) => {
    const { log, another } = await makeLog(t);
    const [first] = await appendMany(log, ZONE, 1);
    const commit = someCommit(first ?? null, 'once');
    t.true(isOutcomeUnknown(await t.throwsAsync(losingReplies(log).append(ZONE, 1, commit))));
    const ours = { commit, hash: encodeCommit(commit).hash };
    const behind = await appendMany(await another(), ZONE, 3, ours);
    t.is((await log.append(ZONE, 1, commit)).hash, ours.hash);
    t.deepEqual(await collect(log.read(ZONE, 1)), [ours, ...behind]);
    const other = await t.throwsAsync(log.append(ZONE, 1, someCommit(first ?? null, 'another')));
    t.true(isVersionConflict(other));
  });
}

function racing(test: Register, makeLog: MakeLog): void {
  test('of 40 writers racing for a version exactly one wins, 50 times', async (t) => {
    const harness = await makeLog(t);
    const logs = [harness.log, await harness.another()];
    let head: StoredCommit | null = null;
    for (let round = 0; round < 50; round += 1) {
      const commits = Array.from({ length: 40 }, (_, writer) => someCommit(head, `r${round}-w${writer}`));
      const outcomes = await Promise.allSettled(
        commits.map(async (commit, writer) => {
          const log = logs[writer % 2] ?? harness.log;
          return { commit, hash: await decided(log, ZONE, round, commit) };
        }),
      );
      const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
      t.is(winners.length, 1);
      t.true(losers.every(isVersionConflict), losers.map(String).join('\n'));
      head = winners[0] ?? null;
      t.deepEqual(await last(harness.log, ZONE), head);
    }
  });

  test('beside a writer that asks for nothing every acknowledged commit stands, and readers name the stray one', async (t) => {
    const { log, appendRaw } = await makeLog(t);
    const acked = await appendMany(log, ZONE, 5);
    const raw = appendRaw(ZONE, jsonBytes(someCommit(null, 'stray')));
    const refusal = await appendUntilRefused(log, acked);
    await raw;
    t.true(isVersionConflict(refusal), String(refusal));
    const { seen, error } = await readUntilError(log.read(ZONE, 0));
    t.deepEqual(seen, acked);
    t.like(error, { code: LogErrorCode.LogCorrupt });
    t.regex(String(error), new RegExp(`zone-default:${acked.length + 1}:`));
  });
}

/** Appends behind the last of `acked`, noting what is acknowledged there, until a commit is refused; gives the refusal. */
async function appendUntilRefused(log: EventLog, acked: StoredCommit[]): Promise<unknown> {
  for (;;) {
    const commit = someCommit(acked.at(-1) ?? null, `beside-${acked.length}`);
    try {
      acked.push({ commit, hash: await decided(log, ZONE, acked.length, commit) });
    } catch (error) {
      return error;
    }
  }
}

function reading(test: Register, makeLog: MakeLog): void {
  test('a log that does not exist and a version past the end read as nothing', async (t) => {
    const { log } = await makeLog(t);
    t.deepEqual(await versions(log, ZONE), []);
    await appendMany(log, ZONE, 2);
    t.deepEqual(await versions(log, ZONE, 2), []);
    t.deepEqual(await versions(log, ZONE, 9), []);
  });

  test('what was appended is read at once, in order, from any version, and reading ends at the head', async (t) => {
    const { log } = await makeLog(t);
    const written = await appendMany(log, ZONE, 50);
    for (const after of [0, 1, 25, 49]) {
      t.deepEqual(await collect(log.read(ZONE, after)), written.slice(after));
    }
  });

  test('what one writer was told is written another reads at once', async (t) => {
    const { log, another } = await makeLog(t);
    const other = await another();
    let head: StoredCommit | null = null;
    for (let version = 0; version < 60; version += 1) {
      [head = null] = await appendMany(log, ZONE, 1, head);
      t.deepEqual(await collect(other.read(ZONE, version)), [head]);
    }
  });

  test('a read sees the log as it stood when it was called', async (t) => {
    const { log } = await makeLog(t);
    const written = await appendMany(log, ZONE, 3);
    const seen: StoredCommit[] = [];
    for await (const stored of log.read(ZONE, 0)) {
      seen.push(stored);
      const head = written.at(-1) ?? null;
      const commit = someCommit(head, `during-${seen.length}`);
      const { hash } = await log.append(ZONE, written.length, commit);
      written.push({ commit, hash });
    }
    t.deepEqual(seen, written.slice(0, 3));
  });

  test('two logs do not disturb each other', async (t) => {
    const { log } = await makeLog(t);
    const fleet = await appendMany(log, FLEET_LOG, 2);
    const zone = await appendMany(log, ZONE, 3);
    const dashed = await appendMany(log, zoneLog('default-2'), 1);
    t.deepEqual(await collect(log.read(FLEET_LOG, 0)), fleet);
    t.deepEqual(await collect(log.read(ZONE, 0)), zone);
    t.deepEqual(await collect(log.read(zoneLog('default-2'), 0)), dashed);
  });
}

function following(test: Register, makeLog: MakeLog): void {
  test('a follower gets what is there and then what comes, through a restart, without gap or duplicate', async (t) => {
    const { log, disturb } = await makeLog(t);
    const written = await appendMany(log, ZONE, 3);
    const follower = startFollowing(log, ZONE, 1);
    await follower.reached(3);
    await disturb();
    const later = await appendMany(log, ZONE, 3, written.at(-1) ?? null);
    await follower.reached(6);
    await follower.stop();
    t.deepEqual(follower.seen, [...written, ...later].slice(1));
  });

  test('a follower keeps up with a writer through restarts, without gap or duplicate', async (t) => {
    const { log, another, disturb } = await makeLog(t);
    const follower = startFollowing(await another(), ZONE, 0);
    const written = await appendMany(log, ZONE, 1);
    const stopping = new AbortController();
    const writing = keepWriting(log, written, stopping.signal);
    for (let restarts = 0; restarts < 2; restarts += 1) {
      await disturb();
      await follower.reached(written.length);
    }
    stopping.abort();
    await writing;
    await follower.reached(written.length);
    await follower.stop();
    t.deepEqual(hashesOf(follower.seen), hashesOf(written));
    t.deepEqual(hashesOf(await collect(log.read(ZONE, 0))), hashesOf(written));
  });

  test('a follower of a log that does not exist yet gets its first commit', async (t) => {
    const { log } = await makeLog(t);
    const follower = startFollowing(log, ZONE, 0);
    const written = await appendMany(log, ZONE, 1);
    await follower.reached(1);
    await follower.stop();
    t.deepEqual(follower.seen, written);
  });

  test('a follower that begins ahead of a log that is being written misses nothing', async (t) => {
    const { log, another } = await makeLog(t);
    const other = await another();
    const written = await appendMany(log, ZONE, 1);
    const stopping = new AbortController();
    const writing = keepWriting(log, written, stopping.signal);
    for (let round = 0; round < 20; round += 1) {
      const ahead = written.length + (round % 4);
      const follower = startFollowing(other, ZONE, ahead);
      await follower.reached(ahead + 4);
      await follower.stop();
      t.deepEqual(
        follower.seen.map(({ commit }) => commit.version),
        follower.seen.map((_, index) => ahead + 1 + index),
      );
    }
    stopping.abort();
    await writing;
  });

  test('an aborted follower ends without an error', async (t) => {
    const { log } = await makeLog(t);
    t.deepEqual(await collect(log.follow(ZONE, 0, AbortSignal.abort())), []);
    const follower = startFollowing(log, ZONE, 0);
    await follower.stop();
    t.deepEqual(follower.seen, []);
  });

  test('a closed log refuses, and its followers are told', async (t) => {
    const { log } = await makeLog(t);
    await appendMany(log, ZONE, 1);
    const follower = startFollowing(log, ZONE, 0);
    await follower.reached(1);
    await log.close();
    await t.throwsAsync(follower.ended, { code: 'LOG_UNAVAILABLE' });
    await t.throwsAsync(log.append(ZONE, 1, { ...someCommit(null, 'late'), version: 2 }), { code: 'LOG_UNAVAILABLE' });
    await t.throwsAsync(collect(log.read(ZONE, 0)), { code: 'LOG_UNAVAILABLE' });
  });
}

/** Appends behind the last of `written`, noting what is acknowledged there, until the signal. */
async function keepWriting(log: EventLog, written: StoredCommit[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const commit = someCommit(written.at(-1) ?? null, `kept-${written.length}`);
    written.push({ commit, hash: await decided(log, ZONE, written.length, commit) });
    // A store without input and output would never let anybody else run.
    await nextTurn();
  }
}

function distrusting(test: Register, makeLog: MakeLog): void {
  const breaks: Readonly<Record<string, (honest: Commit) => object>> = {
    'a wrong previous hash': (honest) => ({ ...honest, previousHash: '0'.repeat(64) }),
    'another logId': (honest) => ({ ...honest, logId: 'another-log' }),
    'a version left out': (honest) => ({ ...honest, version: honest.version + 1 }),
  };
  for (const [name, spoil] of Object.entries(breaks)) {
    test(`a chain broken by ${name} is read up to the break, which is named`, async (t) => {
      const { log, appendRaw } = await makeLog(t);
      const written = await appendMany(log, ZONE, 2);
      await appendRaw(ZONE, jsonBytes(spoil(someCommit(written.at(-1) ?? null, 'spoiled'))));
      const { seen, error } = await readUntilError(log.read(ZONE, 0));
      t.deepEqual(seen, written);
      t.like(error, { code: LogErrorCode.LogCorrupt });
      t.regex(String(error), /zone-default:3/);
      await t.throwsAsync(startFollowing(log, ZONE, 0).ended, { code: 'LOG_CORRUPT' });
    });
  }

  test('bytes that are no commit, and an event of a newer build, are typed and stay within their log', async (t) => {
    const { log, appendRaw } = await makeLog(t);
    await appendRaw(FLEET_LOG, Buffer.from('not a commit'));
    t.like((await readUntilError(log.read(FLEET_LOG, 0))).error, { code: LogErrorCode.LogCorrupt });
    const newer = { ...someEvent('newer'), type: 'AgentAscended' };
    await appendRaw(zoneLog('newer'), jsonBytes({ ...someCommit(null, 'newer'), events: [newer] }));
    const unknown = await readUntilError(log.read(zoneLog('newer'), 0));
    t.like(unknown.error, { code: LogErrorCode.UnknownEvent });
    t.true(isLogUnreadable(unknown.error));
    t.regex(String(unknown.error), /AgentAscended/);
    const later = { ...someEvent('later'), schemaVersion: 99 };
    await appendRaw(zoneLog('later'), jsonBytes({ ...someCommit(null, 'later'), events: [later] }));
    const beyond = await readUntilError(log.read(zoneLog('later'), 0));
    t.like(beyond.error, { code: LogErrorCode.UnknownEvent });
    t.regex(String(beyond.error), /zone-later:1: .*AgentEnabled has schema version 99/);
    await t.throwsAsync(startFollowing(log, zoneLog('later'), 0).ended, { code: 'UNKNOWN_EVENT' });
    await appendMany(log, ZONE, 1);
    t.deepEqual(await versions(log, ZONE), [1]);
  });
}
