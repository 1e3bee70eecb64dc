import type { Rejection } from '../../domain/decision.ts';
import type { RecordRejections } from '../../domain/fleet/commands.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';

const EVERY_MS = 60_000;

export interface RejectionPorts {
  readonly clock: Clock;
  /** Has a summary recorded; null: it was. Throws while the log is away. */
  readonly record: (summary: RecordRejections) => Promise<Rejection | null>;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/**
 * Counts whom the bus turned away, and once a minute has it recorded how many and why: a flood of them is one event. What
 * could not be recorded yet, since another gateway just has, is in the next summary.
 */
export class Rejections {
  readonly #ports: RejectionPorts;
  #since: number | null = null;
  #counts = new Map<string, number>();

  constructor(ports: RejectionPorts) {
    this.#ports = ports;
  }

  count(code: string): void {
    this.#since ??= this.#ports.clock.now();
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#ports.clock.sleep(EVERY_MS, signal);
      if (!signal.aborted) await this.#record();
    }
  }

  async #record(): Promise<void> {
    if (this.#since === null) return;
    const [since, counts] = [this.#since, this.#counts];
    const summary = {
      since: isoTime(since),
      until: isoTime(this.#ports.clock.now()),
      counts: Object.fromEntries(counts),
    };
    // What is turned away meanwhile begins a new summary.
    this.#since = null;
    this.#counts = new Map();
    let recorded = false;
    try {
      recorded = (await this.#ports.record({ type: 'RecordRejections', ...summary })) === null;
    } catch (error) {
      this.#ports.onTrouble('rejected connections could not be recorded yet; they are in the next summary', error);
    }
    if (recorded) return;
    this.#since = since;
    for (const [code, count] of counts) this.#counts.set(code, (this.#counts.get(code) ?? 0) + count);
  }
}
