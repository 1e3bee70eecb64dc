import { emptyLedger, type Ledger } from './ledger.ts';
import type { LedgerStore } from './ledgerFile.ts';

/**
 * Holds the current ledger and writes it. Changes are made in memory at once; `synced` resolves when every change made
 * before the call is on disk. One write runs at a time and carries everything that gathered during the one before.
 */
export class LedgerKeeper {
  readonly #store: LedgerStore;
  #ledger: Ledger = emptyLedger;
  #written: Ledger = emptyLedger;
  #writing: Promise<void> | null = null;

  constructor(store: LedgerStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    this.#ledger = await this.#store.load();
    this.#written = this.#ledger;
  }

  get current(): Ledger {
    return this.#ledger;
  }

  /** As it is on disk: what the agent knows again after a crash. */
  get written(): Ledger {
    return this.#written;
  }

  change(step: (ledger: Ledger) => Ledger): void {
    this.#ledger = step(this.#ledger);
  }

  async synced(): Promise<void> {
    const wanted = this.#ledger;
    // The write under way may have begun before the latest change; the one after it cannot have.
    for (let round = 0; round < 2 && this.#written !== wanted; round++) {
      this.#writing ??= this.#write();
      await this.#writing;
    }
  }

  async #write(): Promise<void> {
    const ledger = this.#ledger;
    try {
      await this.#store.save(ledger);
      this.#written = ledger;
    } finally {
      this.#writing = null;
    }
  }
}
