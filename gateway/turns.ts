/**
 * Lets so much expensive work run at a time and so much of it wait; what comes on top is refused at once, so that nothing
 * collects. `busy` makes the error that it is refused with.
 */
export class Turns {
  readonly #limits: { readonly atOnce: number; readonly mostWaiting: number };
  readonly #busy: () => Error;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: { readonly atOnce: number; readonly mostWaiting: number }, busy: () => Error) {
    this.#limits = limits;
    this.#busy = busy;
  }

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#begin();
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  async #begin(): Promise<void> {
    if (this.#running < this.#limits.atOnce) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#limits.mostWaiting) throw this.#busy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  /** Whoever waits takes the place over, so that nobody slips in between. */
  #end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
