/** The requests that are being answered: so many at a time, and so many of one caller, so that none keeps out the others. */
export class UnderWay {
  readonly #limits: { readonly all: number; readonly perCaller: number };
  readonly #byCaller = new Map<string, number>();
  #all = 0;
  #onIdle: (() => void)[] = [];

  constructor(limits: { readonly all: number; readonly perCaller: number }) {
    this.#limits = limits;
  }

  /** What is to be called once it is answered; null: there are too many already. */
  begin(callerId: string): (() => void) | null {
    const own = this.#byCaller.get(callerId) ?? 0;
    if (this.#all >= this.#limits.all || own >= this.#limits.perCaller) return null;
    this.#all += 1;
    this.#byCaller.set(callerId, own + 1);
    return () => this.#end(callerId);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    if (this.#all === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle.push(resolve);
    await promise;
  }

  #end(callerId: string): void {
    this.#all -= 1;
    const left = (this.#byCaller.get(callerId) ?? 1) - 1;
    if (left === 0) this.#byCaller.delete(callerId);
    else this.#byCaller.set(callerId, left);
    if (this.#all > 0) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
