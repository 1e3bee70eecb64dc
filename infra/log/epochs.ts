import { formatPosition } from '../../domain/commit.ts';
import { getMessage } from '../bus/api.ts';
import type { Bus } from '../bus/connect.ts';
import { ServerCode, hasServerCode } from '../bus/errors.ts';
import { listEpochs, makeEpoch, sealEpoch, untilEpochAnswers, type Epoch } from '../bus/logStreams.ts';
import { HistoryOffline, LogError, LogErrorCode } from './errors.ts';
import type { LogName } from './port.ts';
import { bytesHoldSeal } from './seal.ts';

/** A commit of which is known whether it ends its epoch. */
interface Tail {
  readonly version: number;
  readonly seals: boolean;
}

/**
 * The epochs of every log, as last looked up. They only change by being sealed, continued or moved offline; whoever finds
 * that what is remembered is out of date calls `forget` and asks again. All throw BusError while the bus does not answer.
 */
export class Epochs {
  readonly #bus: Bus;
  readonly #replicas: number;
  readonly #known = new Map<LogName, Promise<readonly Epoch[]>>();
  readonly #tails = new Map<LogName, Tail>();
  readonly #answering = new Map<string, Promise<void>>();

  constructor(bus: Bus, replicas: number) {
    this.#bus = bus;
    this.#replicas = replicas;
  }

  /** Those that follow one another up to the newest, the oldest first. Empty for a log that nobody has written to. */
  async all(log: LogName): Promise<readonly Epoch[]> {
    const looking = once(this.#known, log, async () => unbroken(log, await listEpochs(this.#place(log))));
    const epochs = await looking;
    // Only an open epoch tells by itself, when it is written to, that it is not the newest any more.
    if (epochs.at(-1)?.end !== null && this.#known.get(log) === looking) this.forget(log);
    return epochs;
  }

  /** The epoch in which a version stands. Throws HistoryOffline when that one is not there any more. */
  async holding(log: LogName, version: number): Promise<Epoch> {
    const epochs = await this.all(log);
    const found = epochs.findLast(({ base }) => base < version);
    if (found !== undefined) return found;
    const first = epochs[0];
    if (first === undefined) throw new LogError(LogErrorCode.LogUnavailable, `${log} is not in the store any more`);
    throw new HistoryOffline(log, version, first.base);
  }

  /**
   * The epoch in which the commit behind `version` stands or will stand; null when the log does not reach so far. Behind a
   * seal the log is continued, should nobody have done that yet.
   */
  async after(log: LogName, version: number): Promise<Epoch | null> {
    for (let fresh = false; ;) {
      const newest = await this.#open(log);
      if (version < newest.base) return await this.holding(log, version + 1);
      if (version === newest.base) return newest;
      const tail = await this.#tailAt(log, newest, version);
      if (tail?.seals === false) return newest;
      if (tail === null && fresh) return null;
      if (tail === null) {
        // The newest epoch that is remembered does not reach so far; there may be a newer one.
        this.forget(log);
        fresh = true;
      } else {
        await this.#continueAfter(log, newest);
      }
    }
  }

  /** Ends an epoch and begins the next. Whoever crashes on the way is relieved by whoever comes next. */
  async #continueAfter(log: LogName, epoch: Epoch): Promise<void> {
    await sealEpoch(this.#place(log), epoch);
    this.forget(log);
    await this.#open(log);
  }

  /** Resolves once appends to an epoch reach its stream. */
  answers(log: LogName, epoch: Epoch): Promise<void> {
    return once(this.#answering, epoch.stream, () => untilEpochAnswers(this.#place(log), epoch));
  }

  /** Remembers the commit that the next one will follow, which saves a look at it. */
  noteTail(log: LogName, tail: Tail): void {
    this.#tails.set(log, tail);
  }

  forget(log: LogName): void {
    this.#known.delete(log);
  }

  /** The epoch that is written to. Makes the first one of a new log, and the one that follows a sealed one. */
  async #open(log: LogName): Promise<Epoch> {
    for (;;) {
      const newest = (await this.all(log)).at(-1);
      if (newest !== undefined && newest.end === null) return newest;
      await makeEpoch(this.#place(log), (newest?.number ?? 0) + 1, newest?.end ?? 0);
    }
  }

  async #tailAt(log: LogName, { stream, base }: Epoch, version: number): Promise<Tail | null> {
    const known = this.#tails.get(log);
    if (known?.version === version) return known;
    try {
      const stored = await getMessage(this.#bus, stream, { seq: version - base });
      return stored === null ? null : { version, seals: bytesHoldSeal(stored.data) };
    } catch (error) {
      if (hasServerCode(error, ServerCode.streamNotFound)) return null;
      throw error;
    }
  }

  #place(log: LogName) {
    return { bus: this.#bus, log, replicas: this.#replicas };
  }
}

/** Makes it once for all who ask; a failure is not remembered. */
function once<Value>(known: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const underWay = known.get(key);
  if (underWay !== undefined) return underWay;
  const making = make();
  known.set(key, making);
  making.catch(() => {
    if (known.get(key) === making) known.delete(key);
  });
  return making;
}

/** The epochs up to the newest without a gap: what is before a gap was moved offline in part, and cannot be read through. */
function unbroken(log: LogName, epochs: readonly Epoch[]): readonly Epoch[] {
  let first = epochs.length - 1;
  for (; first > 0; first -= 1) {
    const [before, after] = [epochs[first - 1], epochs[first]];
    if (before === undefined || after === undefined || before.number !== after.number - 1) break;
    if (before.end === after.base) continue;
    const message = `epoch ${before.number} ends at version ${before.end}, but the next begins behind ${after.base}`;
    throw new LogError(LogErrorCode.LogCorrupt, `${formatPosition(log, after.base + 1)}: ${message}`);
  }
  return epochs.slice(Math.max(first, 0));
}
