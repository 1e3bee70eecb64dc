import { planPrune, type ImagePlan, type PrunableImage, type PruneSituation } from '../../domain/pruning/plan.ts';
import type { PruneMode } from '../../domain/pruneMode.ts';
import type { ActivePruneMode, PruneAsker, PruneReport, PruneRow } from '../../domain/pruning/record.ts';
import { isoTime } from '../../infra/clock.ts';
import { imageReference, shortened } from '../containerSpec.ts';
import { isEngineError, isTransient } from '../engine/errors.ts';
import type { ImageStock } from '../engine/port.ts';
import type { ImageLane } from './imageLane.ts';
import type { LedgerKeeper } from '../ledgerKeeper.ts';
import type { AgentPorts, AgentSettings } from '../ports.ts';
import { beginRemoval, endRemoval, forgetImages, noteMet, noteSkipped, RECORDS_LIMIT, type Account } from './ledger.ts';

export interface PruneWish {
  readonly mode: ActivePruneMode;
  /** Everything but the removals. */
  readonly dryRun: boolean;
  /** Null: it comes by itself. */
  readonly asker: PruneAsker | null;
}

export interface PrunerPorts extends Pick<AgentPorts, 'clock' | 'engine' | 'log'> {
  /** References of all image definitions; rejects while no gateway answers. */
  readonly askDefinitions: () => Promise<Definitions>;
  readonly lane: ImageLane;
  /** Something is to be told to the log. */
  readonly onRecord: () => void;
}

/** A message of the bus holds as many. */
const ROWS_LIMIT = 512;
const REFERENCES_SHOWN = 4;
const REFERENCE_LENGTH = 255;

/**
 * Removes images that this agent pulled and nobody needs any more, as `domain/pruning` plans it: one prune at a time, one image at a
 * time, each looked at again right before. What it is about to do is on disk before the engine is asked, so that every removal is
 * told once, whenever the agent is killed.
 */
export class Pruner {
  readonly #ports: PrunerPorts;
  readonly #settings: Pick<AgentSettings, 'agentId' | 'bootId' | 'pruneGraceMs'>;
  readonly #keeper: LedgerKeeper;
  readonly #ended: AbortSignal;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    ports: PrunerPorts,
    settings: Pick<AgentSettings, 'agentId' | 'bootId' | 'pruneGraceMs'>,
    keeper: LedgerKeeper,
    ended: AbortSignal,
  ) {
    this.#ports = ports;
    this.#settings = settings;
    this.#keeper = keeper;
    this.#ended = ended;
  }

  /** Resolves when nothing is being removed. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** What the mode of the document brings. In mode off it only looks since when a rule is met, for a prune by hand. */
  async byItself(mode: PruneMode): Promise<void> {
    if (mode !== 'off') await this.prune({ mode, dryRun: false, asker: null });
    else await this.#inTurn(() => this.#look('off'));
  }

  /** A preview and a prune are one. Rejects with an EngineError or a LedgerError; what was removed until then is told. */
  async prune(wish: PruneWish): Promise<PruneReport> {
    return await this.#inTurn(() => this.#prune(wish));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    const over = (): void => undefined;
    // Whoever waits for this one hears how it ended; the next one only has to know that it did.
    this.#last = run.then(over, over);
    return await run;
  }

  async #prune(wish: PruneWish): Promise<PruneReport> {
    const { agentId } = this.#settings;
    const at = isoTime(this.#ports.clock.now());
    const { plans, defined } = await this.#look(wish.mode);
    const removals = plans
      .filter(({ removal }) => removal !== null)
      .toSorted((a, b) => b.image.sizeBytes - a.image.sizeBytes);
    const images: PruneRow[] = [];
    let bytes = 0;
    for (const plan of removals) {
      const row = this.#row(plan);
      const { freedBytes, ...tried } = wish.dryRun ? wouldRemove(plan) : await this.#remove(plan, wish, defined);
      bytes += freedBytes;
      images.push({ ...row, ...tried });
    }
    for (const plan of plans) if (plan.removal === null) images.push(this.#row(plan));
    return { agentId, mode: wish.mode, at, images: images.slice(0, ROWS_LIMIT), bytes };
  }

  /** Everything is looked at and nothing removed; since when the rules are met is noted. */
  async #look(mode: PruneMode): Promise<{ readonly plans: readonly ImagePlan[]; readonly defined: Definitions }> {
    // What was pulled meanwhile is in neither list.
    const known = [...this.#keeper.current.images.keys()];
    const stock = await this.#ports.engine.imageStock();
    this.#settle(stock.images);
    const defined = await this.#definitions();
    const plans = planPrune(this.#situation(mode, stock, defined));
    const here = new Set(stock.images.map(({ imageId }) => imageId));
    const met = plans.flatMap(({ image, metSince }) => (metSince === null ? [] : [[image.imageId, metSince] as const]));
    this.#keeper.change((ledger) =>
      forgetImages(
        noteMet(ledger, new Map(met)),
        known.filter((imageId) => !here.has(imageId)),
      ),
    );
    return { plans, defined };
  }

  #situation(mode: PruneMode, stock: ImageStock, defined: Definitions): PruneSituation {
    const { images: pulled, document } = this.#keeper.current;
    const toStart = (document?.sessions ?? []).filter(({ mayCreate }) => mayCreate);
    return {
      ...stock,
      mode,
      pulled,
      awaited: [...this.#ports.lane.used, ...toStart.map(({ image }) => imageReference(image))],
      defined,
      graceMs: this.#settings.pruneGraceMs,
      now: this.#ports.clock.now(),
    };
  }

  async #definitions(): Promise<Definitions> {
    try {
      return await this.#ports.askDefinitions();
    } catch (error) {
      this.#ports.log.info({ err: error }, 'no gateway told the image definitions; what has a name is kept meanwhile');
      return null;
    }
  }

  /** A removal whose end is not known, of a crash or an engine that was away: what is there tells. */
  #settle(images: readonly PrunableImage[]): void {
    const { underWay } = this.#keeper.current.prunes;
    if (underWay === null) return;
    const { record, tags, whole } = underWay;
    const left = images.find(({ imageId }) => imageId === record.imageId);
    const gone = tags.filter((tag) => left?.tags.includes(tag) !== true);
    const change = left === undefined && whole ? {} : gone.length === 0 ? null : { references: gone, freedBytes: 0 };
    this.#keeper.change((ledger) => endRemoval(ledger, change));
    if (change !== null) this.#ports.onRecord();
  }

  async #remove(plan: ImagePlan, wish: PruneWish, defined: Definitions): Promise<Tried> {
    if (this.#ended.aborted) return leftOut('the agent is stopping');
    if (this.#keeper.current.prunes.records.length >= RECORDS_LIMIT) return leftOut(RECORDS_FULL);
    const { lane, onRecord } = this.#ports;
    const tried = await lane.remove(plan.image, () => this.#removeNow(plan.image, wish, defined));
    await this.#keeper.synced();
    onRecord();
    return tried;
  }

  /** Nobody can begin to use the image meanwhile. */
  async #removeNow({ imageId }: PrunableImage, wish: PruneWish, defined: Definitions): Promise<Tried> {
    const { engine, log } = this.#ports;
    const stock = await engine.imageStock();
    const plans = planPrune(this.#situation(wish.mode, stock, defined));
    const plan = plans.find(({ image }) => image.imageId === imageId);
    if (plan === undefined) return leftOut('somebody else removed it meanwhile');
    const account = this.#account(plan, wish);
    const { removal } = plan;
    if (removal === null) return this.#skip({ ...account, why: plan.why });
    this.#keeper.change((ledger) => beginRemoval(ledger, this.#settings.bootId, removal, account));
    try {
      await this.#keeper.synced();
    } catch (error) {
      this.#keeper.change((ledger) => endRemoval(ledger, null));
      throw error;
    }
    try {
      const gone = await engine.removeImage({ imageId, ...removal });
      const freedBytes = gone ? plan.image.sizeBytes : 0;
      this.#keeper.change((ledger) => {
        const ended = endRemoval(ledger, { freedBytes });
        return gone ? forgetImages(ended, [imageId]) : ended;
      });
      log.info({ imageId, references: account.references, freedBytes, mode: wish.mode }, 'image removed');
      return { outcome: 'removed', why: plan.why, freedBytes };
    } catch (error) {
      // Whether it was removed all the same, the next look tells.
      if (!isEngineError(error) || isTransient(error)) throw error;
      log.info({ imageId, err: error }, 'image could not be removed');
      this.#keeper.change((ledger) => endRemoval(ledger, null));
      return this.#skip({ ...account, why: shortened(error.message) });
    }
  }

  #skip(account: Account): Tried {
    this.#keeper.change((ledger) =>
      noteSkipped(ledger, this.#settings.bootId, { ...account, outcome: 'skipped', freedBytes: 0 }),
    );
    return leftOut(account.why);
  }

  #account(plan: ImagePlan, { mode, asker }: PruneWish): Account {
    const { imageId } = plan.image;
    const { removal } = plan;
    const references = removal?.whole === false ? removal.tags : this.#row(plan).references;
    const freedBytes = removal?.whole === true ? plan.image.sizeBytes : 0;
    const at = isoTime(this.#ports.clock.now());
    const shown = { imageId, references: shownReferences(references), why: shortened(plan.why) };
    return { ...shown, outcome: 'removed', freedBytes, mode, asker, at };
  }

  /** What has no name left is shown by what it was pulled as. */
  #row({ image, removal, why }: ImagePlan): PruneRow {
    const { imageId, tags, digests, sizeBytes } = image;
    const pulled = this.#keeper.current.images.get(imageId)?.references ?? [];
    const names = [tags, pulled, digests].find(({ length }) => length > 0) ?? [];
    return {
      imageId,
      references: shownReferences(names),
      sizeBytes,
      verdict: removal === null ? 'keep' : 'remove',
      outcome: null,
      why: shortened(why),
    };
  }
}

type Definitions = readonly string[] | null;

type Tried = Pick<PruneRow, 'outcome' | 'why'> & { readonly freedBytes: number };

const RECORDS_FULL = 'the log has not taken what was removed before; it goes on once a gateway has';

function wouldRemove({ image, removal, why }: ImagePlan): Tried {
  return { outcome: null, why: shortened(why), freedBytes: removal?.whole === true ? image.sizeBytes : 0 };
}

function leftOut(why: string): Tried {
  return { outcome: 'skipped', why, freedBytes: 0 };
}

function shownReferences(references: readonly string[]): string[] {
  return references.filter(({ length }) => length <= REFERENCE_LENGTH).slice(0, REFERENCES_SHOWN);
}
