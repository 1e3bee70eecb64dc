import type { DesiredDocument } from '../../domain/desired.ts';
import type { Clock } from '../../infra/clock.ts';

export interface DesiredWriterOptions {
  /** The newest document of an agent, or null when it has none. */
  readonly documentOf: (agentId: string) => DesiredDocument | null;
  /** Writes by compare-and-set, never with a lower version. `look`: read first what stands there, whatever was written. */
  readonly put: (document: DesiredDocument, look: boolean) => Promise<unknown>;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

const AT_ONCE = 64;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Brings the agents' desired documents to the bus. Level-triggered: it remembers only which agents changed, always writes
 * the newest document, and keeps trying while the bus is away, so nothing can be lost and nothing piles up.
 */
export class DesiredWriter {
  readonly #options: DesiredWriterOptions;
  readonly #changed = new Set<string>();
  readonly #doubted = new Set<string>();
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: DesiredWriterOptions) {
    this.#options = options;
  }

  /** To be called for every agent at the start, and after each commit for those whose document it changed. */
  changed(agentId: string): void {
    this.#changed.add(agentId);
    this.#running ??= this.#write().finally(() => this.#afterWriting());
  }

  /** To be called for every agent now and then: what was written may have been lost with the bus's disk. */
  lookAfter(agentId: string): void {
    this.#doubted.add(agentId);
    this.changed(agentId);
  }

  /** Resolves when everything that was changed so far is written, or given up because the writer stops. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.settled();
  }

  /** One that changed after the last look at the list, and before this, found a writer that was still there. */
  #afterWriting(): void {
    this.#running = null;
    const [missed] = this.#changed;
    if (missed !== undefined && !this.#stop.signal.aborted) this.changed(missed);
  }

  async #write(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (this.#changed.size > 0 && !this.#stop.signal.aborted) {
      await this.#options.clock.afterOthers();
      const batch = [...this.#changed].slice(0, AT_ONCE);
      for (const agentId of batch) this.#changed.delete(agentId);
      const failed = (await Promise.all(batch.map((agentId) => this.#writeOne(agentId)))).includes(false);
      if (!failed) {
        pause = FIRST_PAUSE_MS;
        continue;
      }
      await this.#options.clock.sleep(pause, this.#stop.signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  async #writeOne(agentId: string): Promise<boolean> {
    const document = this.#options.documentOf(agentId);
    const look = this.#doubted.delete(agentId);
    if (document === null) return true;
    try {
      await this.#options.put(document, look);
      return true;
    } catch (error) {
      this.#options.onTrouble(`the desired document of ${agentId} could not be written; trying again`, error);
      this.#changed.add(agentId);
      if (look) this.#doubted.add(agentId);
      return false;
    }
  }
}
