import { encodeCommit } from '../../infra/log/codec.ts';
import { isHistoryOffline, isVersionConflict } from '../../infra/log/errors.ts';
import { zoneLog, type EventLog, type StoredCommit } from '../../infra/log/port.ts';
import { sealingCommit, someCommit } from '../support/commits.ts';
import { appendMany, collect, decided, hashesOf, last, startFollowing, versions } from '../support/logs.ts';
import type { MakeLog, Register } from './logHarness.ts';

const ZONE = zoneLog('default');

/** How a log goes on in its next epoch, and what is told of an epoch that is not there any more. */
export function sealing(test: Register, makeLog: MakeLog): void {
  test('behind a seal a log goes on as if there were none', async (t) => {
    const { log, another } = await makeLog(t);
    const first = await appendMany(log, ZONE, 3);
    const second = await sealed(log, first);
    const third = await sealed(log, await grown(log, second, 2), 2);
    const whole = await grown(await another(), await sealed(log, third, 3), 2);
    for (const reader of [log, await another()]) {
      for (const after of [0, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
        t.deepEqual(await collect(reader.read(ZONE, after)), whole.slice(after), `after ${after}`);
      }
    }
    for (const { commit, hash } of whole) {
      t.is((await log.append(ZONE, commit.version - 1, commit)).hash, hash);
      const other = someCommit(whole[commit.version - 2] ?? null, 'too late');
      t.true(isVersionConflict(await t.throwsAsync(log.append(ZONE, commit.version - 1, other))));
    }
    const ahead = { ...someCommit(null, 'ahead'), version: 13 };
    t.true(isVersionConflict(await t.throwsAsync(log.append(ZONE, 12, ahead))));
    t.deepEqual(await collect(log.read(ZONE, 0)), whole);
  });

  test('of writers racing to seal and to write, and then behind the seal, exactly one wins', async (t) => {
    const harness = await makeLog(t);
    const logs = [harness.log, await harness.another()];
    let head = (await appendMany(harness.log, ZONE, 1))[0] ?? null;
    for (let round = 0; round < 6; round += 1) {
      const commits = Array.from({ length: 12 }, (_, writer) =>
        writer % 3 === 0 ? sealingCommit(head, round + 1) : someCommit(head, `r${round}-w${writer}`),
      );
      const outcomes = await Promise.allSettled(
        commits.map(async (commit, writer) => {
          const hash = await decided(logs[writer % 2] ?? harness.log, ZONE, commit.version - 1, commit);
          return { commit, hash };
        }),
      );
      const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
      const losers = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
      // The sealing commits of one round are one and the same commit, so all of them win or none does.
      t.is(new Set(hashesOf(winners)).size, 1);
      t.true(losers.every(isVersionConflict), losers.map(String).join('\n'));
      head = winners[0] ?? null;
      t.deepEqual(await last(harness.log, ZONE), head);
    }
  });

  test('followers cross seams without gap or duplicate, wherever they begin', async (t) => {
    const { log, another } = await makeLog(t);
    const before = await appendMany(log, ZONE, 2);
    const early = startFollowing(await another(), ZONE, 0);
    const whole = await sealed(log, before);
    const atTheSeam = startFollowing(await another(), ZONE, 3);
    const waiting = startFollowing(await another(), ZONE, 4);
    const ahead = startFollowing(await another(), ZONE, 7);
    const next = await grown(log, await sealed(log, await grown(log, whole, 2), 2), 3);
    for (const follower of [early, atTheSeam, waiting, ahead]) {
      await follower.reached(9);
      await follower.stop();
    }
    t.deepEqual(early.seen, next);
    t.deepEqual(atTheSeam.seen, next.slice(3));
    t.deepEqual(waiting.seen, next.slice(4));
    t.deepEqual(ahead.seen, next.slice(7));
  });

  test('a writer that dies right behind its seal is relieved by the next one, and nobody notices', async (t) => {
    const { log, another, appendRaw } = await makeLog(t);
    const written = await appendMany(log, ZONE, 2);
    const seal = sealingCommit(written.at(-1) ?? null);
    const follower = startFollowing(await another(), ZONE, 0);
    await follower.reached(2);
    await appendRaw(ZONE, encodeCommit(seal).bytes);
    written.push({ commit: seal, hash: encodeCommit(seal).hash });
    t.deepEqual(await collect(log.read(ZONE, 0)), written);
    const stale = someCommit(written[1] ?? null, 'stale');
    t.true(isVersionConflict(await t.throwsAsync(decided(log, ZONE, 2, stale))));
    const whole = await grown(await another(), written, 2);
    await follower.reached(5);
    await follower.stop();
    t.deepEqual(follower.seen, whole);
    t.deepEqual(await collect(log.read(ZONE, 0)), whole);
  });

  test('what came in behind a seal before its epoch was ended is part of the log', async (t) => {
    const { log, another, appendRaw } = await makeLog(t);
    const written = await appendMany(log, ZONE, 2);
    const seal = sealingCommit(written.at(-1) ?? null);
    written.push({ commit: seal, hash: encodeCommit(seal).hash });
    const late = someCommit(written.at(-1) ?? null, 'late');
    written.push({ commit: late, hash: encodeCommit(late).hash });
    for (const commit of [seal, late]) await appendRaw(ZONE, encodeCommit(commit).bytes);
    const follower = startFollowing(await another(), ZONE, 0);
    const whole = await grown(log, await sealed(log, written, 2), 1);
    await follower.reached(6);
    await follower.stop();
    t.deepEqual(follower.seen, whole);
    t.deepEqual(await collect((await another()).read(ZONE, 0)), whole);
  });

  test('an epoch that was moved offline is named to whoever needs it, and behind it all goes on', async (t) => {
    const { log, another, moveOffline } = await makeLog(t);
    const old = await sealed(log, await appendMany(log, ZONE, 2));
    const older = await sealed(log, await grown(log, old, 2), 2);
    await moveOffline(ZONE);
    const other = await another();
    for (const after of [0, 2, 3, 5]) {
      const error = await t.throwsAsync(collect(other.read(ZONE, after)), { code: 'HISTORY_OFFLINE' });
      t.true(isHistoryOffline(error) && error.readableAfter === 6);
      t.regex(String(error), new RegExp(`zone-default:${after + 1} .*zone-default:7`));
      await t.throwsAsync(startFollowing(other, ZONE, after).ended, { code: 'HISTORY_OFFLINE' });
    }
    t.deepEqual(await versions(other, ZONE, 6), []);
    await t.throwsAsync(collect(log.read(ZONE, 0)), { code: 'HISTORY_OFFLINE' });
    const follower = startFollowing(other, ZONE, 6);
    const whole = await grown(log, older, 3);
    await follower.reached(9);
    await follower.stop();
    t.deepEqual(follower.seen, whole.slice(6));
    t.deepEqual(await collect(log.read(ZONE, 7)), whole.slice(7));
    const lost = await t.throwsAsync(log.append(ZONE, 1, someCommit(whole[0] ?? null, 'late')));
    t.true(isVersionConflict(lost));
  });
}

/** What there is by now, and a seal behind it. */
async function sealed(log: EventLog, written: readonly StoredCommit[], epoch = 1): Promise<StoredCommit[]> {
  const commit = sealingCommit(written.at(-1) ?? null, epoch);
  return [...written, { commit, hash: await decided(log, ZONE, written.length, commit) }];
}

/** What there is by now, and so many commits behind it. */
async function grown(log: EventLog, written: readonly StoredCommit[], count: number): Promise<StoredCommit[]> {
  const all = [...written];
  for (let step = 0; step < count; step += 1) {
    const commit = someCommit(all.at(-1) ?? null, `grown-${all.length}`);
    all.push({ commit, hash: await decided(log, ZONE, all.length, commit) });
  }
  return all;
}
