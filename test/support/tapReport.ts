/**
 * Reads AVA's TAP lines, shows them shorter as they come, and counts. AVA's own trailer counts a todo as a failure, so
 * the lines are counted instead.
 */
export class TapReport {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #show: (line: string) => void;
  readonly #failures: string[] = [];
  #inDetail = false;

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  line(line: string): void {
    const result = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)\b.*)?$/.exec(line);
    if (result !== null) {
      this.#result(result[1] !== undefined, result[2] ?? '', result[3] !== undefined);
      return;
    }
    // The details of a failure follow it, indented; those of passed tests are their own log lines.
    if (this.#inDetail && line.startsWith('  ')) this.#show(line);
    else if (line.startsWith('# NOT TESTED')) this.#show(line);
  }

  addPass(title: string): void {
    this.passed += 1;
    this.#show(`✔ ${title}`);
  }

  addFailure(title: string): void {
    this.failed += 1;
    this.#failures.push(title);
    this.#show(`✘ ${title}`);
  }

  /** The failed titles again, and the closing line. */
  summary(): string {
    const again = this.#failures.map((title) => `✘ ${title}`);
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : '';
    return ['', ...again, `${this.passed} passed, ${this.failed} failed${skipped}`].join('\n');
  }

  #result(isFailure: boolean, title: string, isSkipped: boolean): void {
    this.#inDetail = isFailure && !isSkipped;
    if (isSkipped) {
      this.skipped += 1;
      this.#show(`- skipped: ${title}`);
    } else if (isFailure) this.addFailure(title);
    else this.addPass(title);
  }
}
