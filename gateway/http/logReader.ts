import type { Explanation } from '../../domain/placement/explanation.ts';
import { formatPosition } from '../../domain/commit.ts';
import { isLogUnreadable, LogError } from '../../infra/log/errors.ts';
import { readOnline } from '../../infra/log/online.ts';
import { zoneLog, type EventLog } from '../../infra/log/port.ts';
import { explainAt } from '../../projections/explainAt.ts';
import type { Caller } from '../auth/caller.ts';
import { UnderWay } from '../underWay.ts';
import { Turns } from '../turns.ts';
import { HttpProblem, notFound } from './problem.ts';

/** Each takes one of the thousand readers that a stream of the bus has room for, and gateways need some themselves. */
const PAGES = { all: 128, perCaller: 16 };
const PAGES_RETRY_SECONDS = 1;
/** Each one reads a whole log, so few at a time, and not many in line for it. */
const LIMITS = { atOnce: 2, mostWaiting: 20 };
const BUSY_RETRY_SECONDS = 5;

/** What reading a whole log found. `head` is the last position that could be read and trusted. */
export interface Verification {
  readonly log: string;
  readonly intact: boolean;
  readonly commits: number;
  readonly events: number;
  /** The first position that is there: what comes before it was moved offline. */
  readonly first: string;
  readonly head: string;
  /** SHA-256 of the commit at the head, which chains all before it; '' while the log is empty. */
  readonly hash: string;
  /** What is wrong, and where; null when nothing is. */
  readonly problem: string | null;
}

/** Answers that take reading a log: a whole one at most two at a time, some pages of one for each caller. */
export class LogReader {
  readonly #eventLog: EventLog;
  readonly #pages = new UnderWay(PAGES);
  readonly #turns = new Turns(LIMITS, () => {
    const detail = 'many logs are being read; ask again shortly';
    return new HttpProblem(503, 'BUSY', detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
  });

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** Reads a few commits for somebody. Throws HttpProblem 429 when as much is being read for him already. */
  async page<Result>({ actor: { kind, id } }: Pick<Caller, 'actor'>, read: () => Promise<Result>): Promise<Result> {
    const end = this.#pages.begin(`${kind} ${id}`);
    if (end === null) throw tooManyPages();
    try {
      return await read();
    } finally {
      end();
    }
  }

  /** Why a session went where it went, computed again. */
  async explain(zone: string, sessionId: string): Promise<Explanation> {
    const found = await this.#turns.run(() => explainAt(this.#commits(zoneLog(zone)), sessionId));
    if (found === null) throw notFound('SESSION_UNKNOWN', `the log has no placement of a session "${sessionId}"`);
    return found;
  }

  /** Reads every commit; the reading itself verifies the chain of hashes. */
  verify(log: string): Promise<Verification> {
    return this.#turns.run(async () => {
      let [commits, events, version, hash] = [0, 0, 0, ''];
      const found = () => {
        const [first, head] = [formatPosition(log, version - commits + 1), formatPosition(log, version)];
        return { log, commits, events, first, head, hash };
      };
      try {
        for await (const stored of readOnline(this.#eventLog, log, 0)) {
          commits += 1;
          version = stored.commit.version;
          events += stored.commit.events.length;
          hash = stored.hash;
        }
        return { ...found(), intact: true, problem: null };
      } catch (error) {
        if (!(error instanceof LogError) || !isLogUnreadable(error)) throw error;
        return { ...found(), intact: false, problem: error.message };
      }
    });
  }

  async *#commits(log: string) {
    for await (const { commit } of this.#eventLog.read(log, 0)) yield commit;
  }
}

function tooManyPages(): HttpProblem {
  const detail = `more than ${PAGES.perCaller} readings of logs for one caller, or ${PAGES.all} for all, are under way here`;
  return new HttpProblem(429, 'TOO_MANY_UNDER_WAY', detail, {
    retryAfterSeconds: PAGES_RETRY_SECONDS,
    numbers: PAGES,
  });
}
