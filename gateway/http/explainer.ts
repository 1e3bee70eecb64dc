import type { Explanation } from '../../domain/placement/explanation.ts';
import { zoneLog, type EventLog } from '../../infra/log/port.ts';
import { explainAt } from '../../projections/explainAt.ts';
import { HttpProblem, notFound } from './problem.ts';

/** Each one reads a whole log, so few at a time, and not many in line for it. */
const AT_ONCE = 2;
const MOST_WAITING = 20;
const BUSY_RETRY_SECONDS = 5;

/** Explains past placements from the log, at most two at a time. */
export class Explainer {
  readonly #eventLog: EventLog;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  async explain(zone: string, sessionId: string): Promise<Explanation> {
    await this.#turn();
    try {
      const found = await explainAt(this.#commits(zoneLog(zone)), sessionId);
      if (found === null) throw notFound('SESSION_UNKNOWN', `the log has no placement of a session "${sessionId}"`);
      return found;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING) {
        const detail = 'many explanations are being computed; ask again shortly';
        throw new HttpProblem(503, 'BUSY', detail, { retryAfterSeconds: BUSY_RETRY_SECONDS });
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    }
    this.#running += 1;
  }

  async *#commits(log: string) {
    for await (const { commit } of this.#eventLog.read(log, 0)) yield commit;
  }
}
