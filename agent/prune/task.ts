import type { Usage } from '../../domain/checkIn.ts';
import type { PruneRecords } from '../../domain/pruning/record.ts';
import type { PruneMode } from '../../domain/pruneMode.ts';
import type { PruneCall } from '../../infra/bus/pruneCalls.ts';
import { Wake } from '../../infra/wake.ts';
import { ImageLane } from './imageLane.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerKeeper } from '../ledgerKeeper.ts';
import type { AgentPorts, AgentSettings } from '../ports.ts';
import { PruneDesk } from './desk.ts';
import { Pruner } from './pruner.ts';

const EVERY_MS = 3_600_000;
/** When image definitions change, all agents hear it at once, and each asks a gateway. */
const SPREAD_MS = 2000;
/** The check-in holds as many records; the next one has the rest. */
const TOLD_AT_ONCE = 64;

/**
 * When images are pruned: every hour, when the engine is back, when the mode has changed, after a pull that moved a tag, before one
 * that a full disk may have no room for, when image definitions have changed, and when somebody asks.
 */
export class PruneTask {
  readonly lane = new ImageLane();
  readonly #ports: AgentPorts;
  readonly #keeper: LedgerKeeper;
  readonly #signal: AbortSignal;
  readonly #wake = new Wake();
  readonly #pruner: Pruner;
  readonly #desk: PruneDesk;
  readonly #diskLimitPercent: number;
  #mode: PruneMode;

  /** `onRecord`: there is more to tell the log. */
  constructor(
    settings: AgentSettings,
    ports: AgentPorts,
    { keeper, signal, onRecord }: { keeper: LedgerKeeper; signal: AbortSignal; onRecord: () => void },
  ) {
    const { clock, engine, log, bus } = ports;
    this.#ports = ports;
    this.#keeper = keeper;
    this.#signal = signal;
    this.#diskLimitPercent = settings.diskLimitPercent;
    this.#mode = keeper.current.document?.pruneMode ?? 'off';
    const askDefinitions = () => bus.askDefinitions();
    const { lane } = this;
    this.#pruner = new Pruner({ clock, engine, log, askDefinitions, lane, onRecord }, settings, keeper, signal);
    this.#desk = new PruneDesk({
      clock,
      log,
      logId: () => keeper.current.document?.logId ?? null,
      prune: (wish) => this.#pruner.prune(wish),
      answer: (callId, answer) => bus.answerPrune(callId, answer),
    });
  }

  /** The engine is back, or a tag has moved. */
  ring(): void {
    this.#wake.ring();
  }

  /** To be called when there may be another document. */
  heedMode(): void {
    const before = this.#mode;
    this.#mode = this.#keeper.current.document?.pruneMode ?? 'off';
    if (this.#mode !== before) this.#wake.ring();
  }

  take(call: PruneCall): void {
    switch (call.kind) {
      case 'prune':
        this.#desk.take(call);
        return;
      case 'definitions changed':
        if (this.#mode === 'aggressive') void this.#ringSoon();
    }
  }

  async #ringSoon(): Promise<void> {
    const { clock, random } = this.#ports;
    await clock.sleep(random() * SPREAD_MS, this.#signal);
    this.#wake.ring();
  }

  /** To be awaited before a pull: with a disk as full as that, what nobody needs goes first, where the mode says so. */
  async makeRoom(disk: Usage['disk']): Promise<void> {
    if (this.#mode === 'off' || disk === null) return;
    if (disk.usedBytes * 100 < disk.totalBytes * this.#diskLimitPercent) return;
    await this.#byItself();
  }

  /** Until the signal aborts. */
  async run(isEngineUp: () => boolean): Promise<void> {
    for (;;) {
      const why = await this.#wake.wait(this.#ports.clock, EVERY_MS, this.#signal);
      if (why === 'aborted') return;
      if (isEngineUp()) await this.#byItself();
    }
  }

  async #byItself(): Promise<void> {
    const mode = this.#mode;
    try {
      await this.#pruner.byItself(mode);
    } catch (error) {
      this.#ports.log.info({ err: error, mode }, 'images could not be looked through; tried again within an hour');
    }
  }

  /** The agent ends: whoever waits for a prune is told. */
  close(): void {
    this.#desk.close();
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await this.#pruner.idle();
  }
}

/** What the log is to be told. Only what is on disk, so that no number is ever told with another meaning. */
export function recordsToTell({ prunes: { series, records } }: Ledger): PruneRecords | null {
  return series === null || records.length === 0 ? null : { series, records: records.slice(0, TOLD_AT_ONCE) };
}
