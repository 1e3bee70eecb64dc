import type { Commit } from '../../domain/commit.ts';
import type { Clock } from '../../infra/clock.ts';
import { encodeCommit } from '../../infra/log/codec.ts';
import { isVersionConflict, LogError, LogErrorCode } from '../../infra/log/errors.ts';
import { createMemoryLog, type MemoryStore } from '../../infra/log/memory.ts';
import type { EventLog, LogName } from '../../infra/log/port.ts';
import type { Random } from './random.ts';

/** What may go wrong just now. The calm phase sets everything to never. */
export interface Faults {
  logAway: boolean;
  lostAck: number;
  /** Per commit. */
  brokenRead: number;
  lostCheckIn: number;
  duplicateCheckIn: number;
  /** The longest a message takes, in milliseconds. */
  longestDelayMs: number;
  failedPut: number;
  failedStart: number;
  failedPull: number;
}

export function stormy(): Faults {
  return {
    logAway: false,
    lostAck: 0.05,
    brokenRead: 0.005,
    lostCheckIn: 0.05,
    duplicateCheckIn: 0.05,
    longestDelayMs: 400,
    failedPut: 0.05,
    failedStart: 0.05,
    failedPull: 0.05,
  };
}

export function calm(): Faults {
  return {
    logAway: false,
    lostAck: 0,
    brokenRead: 0,
    lostCheckIn: 0,
    duplicateCheckIn: 0,
    longestDelayMs: 20,
    failedPut: 0,
    failedStart: 0,
    failedPull: 0,
  };
}

export interface FaultyLogOptions {
  readonly store: MemoryStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly faults: Faults;
  /** A deliberate bug: whatever the log holds, the next commit is taken. */
  readonly ignoresExpected: boolean;
}

/** The log over a network: it takes time, is away, and loses answers, before or after (or long before) it has written. */
export function faultyLog({ store, clock, random, faults, ignoresExpected }: FaultyLogOptions): EventLog {
  const inner = createMemoryLog(store);
  const append = ignoresExpected
    ? carelessAppend(store)
    : (...call: Parameters<EventLog['append']>) => inner.append(...call);

  async function late(log: LogName, expected: number, commit: Commit): Promise<void> {
    await clock.sleep(random.int(20, 4000));
    try {
      await append(log, expected, commit);
    } catch (error) {
      if (!isVersionConflict(error)) throw error;
    }
  }

  return {
    ...inner,
    async append(log, expected, commit) {
      await clock.sleep(random.int(1, 5));
      if (faults.logAway) throw new LogError(LogErrorCode.LogUnavailable, 'the log is away');
      if (!random.chance(faults.lostAck)) return await append(log, expected, commit);
      const fate = random.pick(['written', 'lost', 'late']);
      if (fate === 'written') await append(log, expected, commit);
      if (fate === 'late') void late(log, expected, commit);
      throw new LogError(LogErrorCode.OutcomeUnknown, `the answer was lost (${fate})`);
    },
    async *read(log, after) {
      await clock.sleep(1);
      if (faults.logAway) throw new LogError(LogErrorCode.LogUnavailable, 'the log is away');
      for await (const stored of inner.read(log, after)) {
        if (random.chance(faults.brokenRead)) throw new LogError(LogErrorCode.LogUnavailable, 'the log went away');
        yield stored;
      }
    },
  };
}

function carelessAppend(store: MemoryStore): EventLog['append'] {
  return async (log, _expected, commit) => {
    const { bytes, hash } = encodeCommit(commit);
    store.set(log, [...(store.get(log) ?? []), bytes]);
    return { hash };
  };
}
