import type { Commit } from '../../domain/commit.ts';
import type { Clock } from '../../infra/clock.ts';
import { isVersionConflict, LogError, LogErrorCode } from '../../infra/log/errors.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import type { Faults } from './faults.ts';
import type { Random } from './random.ts';

export interface NetworkOptions {
  /** The store at the other end. */
  readonly inner: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  readonly isAway: () => boolean;
}

const SLOW_APPENDS = 0.25;
const OUTAGE_LOOK_MS = 100;

/** An event log over a network: it takes time, is away, and loses questions and answers. What it tells is always true. */
export function networkLog({ inner, clock, random, faults, isAway }: NetworkOptions): EventLog {
  function assertThere(): void {
    if (isAway()) throw new LogError(LogErrorCode.LogUnavailable, 'the log is away');
  }

  function appendMs(): number {
    const slow = faults['slow disk'] > 0 && random.chance(SLOW_APPENDS);
    return slow ? random.int(100, faults['slow disk']) : random.int(1, 5);
  }

  async function append(log: LogName, expected: number, commit: Commit) {
    if (random.chance(faults['lost message'])) throw unknown('the append never arrived');
    if (random.chance(faults['late append'])) {
      void late(log, expected, commit);
      throw unknown('the append is on its way');
    }
    const lost = random.chance(faults['lost ack']);
    await clock.sleep(appendMs());
    const answer = await inner.append(log, expected, commit);
    // The disk has it, and the connection broke before the answer.
    if (lost || isAway()) throw unknown('the answer was lost');
    return answer;
  }

  async function late(log: LogName, expected: number, commit: Commit): Promise<void> {
    await clock.sleep(random.int(20, 4000));
    try {
      await inner.append(log, expected, commit);
    } catch (error) {
      if (!isVersionConflict(error)) throw error;
    }
  }

  return {
    ...inner,
    async append(log, expected, commit) {
      await clock.sleep(random.int(1, 5));
      assertThere();
      return await append(log, expected, commit);
    },
    async *read(log, after) {
      await clock.sleep(1);
      assertThere();
      for await (const stored of inner.read(log, after)) {
        if (random.chance(faults['broken read'])) throw new LogError(LogErrorCode.LogUnavailable, 'the log went away');
        yield stored;
      }
    },
    async *follow(log, after, signal) {
      for await (const stored of inner.follow(log, after, signal)) {
        await clock.sleep(random.int(1, Math.max(5, faults.delay)));
        while (isAway() && !signal.aborted) await clock.sleep(OUTAGE_LOOK_MS, signal);
        if (random.chance(faults['broken read'])) throw new LogError(LogErrorCode.LogUnavailable, 'the log went away');
        yield stored;
      }
    },
  };
}

function unknown(what: string): LogError {
  return new LogError(LogErrorCode.OutcomeUnknown, what);
}
