/** So many lines of what a failure says are repeated at the end, where whoever sees only the end of a log finds them. */
const DETAILS_REPEATED = 40;

interface Failure {
  readonly title: string;
  readonly details: string[];
}

/**
 * Reads AVA's TAP lines, shows them shorter as they come, and counts. AVA's own trailer counts a todo as a failure, so
 * the lines are counted instead.
 */
export class TapReport {
  passed = 0;
  failed = 0;
  skipped = 0;
  readonly #show: (line: string) => void;
  readonly #failures: Failure[] = [];
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
    if (this.#inDetail && line.startsWith('  ')) this.#detail(line);
    else if (line.startsWith('# NOT TESTED')) this.#show(line);
  }

  addPass(title: string): void {
    this.passed += 1;
    this.#show(`✔ ${title}`);
  }

  addFailure(title: string): void {
    this.failed += 1;
    this.#failures.push({ title, details: [] });
    this.#show(`✘ ${title}`);
  }

  /** The failures again, and the closing line. */
  summary(): string {
    const again = this.#failures.flatMap(({ title, details }) => [`✘ ${title}`, ...details]);
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : '';
    return ['', ...again, `${this.passed} passed, ${this.failed} failed${skipped}`].join('\n');
  }

  #detail(line: string): void {
    this.#show(line);
    const details = this.#failures.at(-1)?.details;
    if (details !== undefined && details.length < DETAILS_REPEATED) details.push(line);
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
