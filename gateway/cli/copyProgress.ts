import type { CopyProgress } from '../../infra/log/copy.ts';

const REWRITTEN_EVERY_MS = 200;
const LINE_EVERY_MS = 5000;
const BEGINNING_OF_LINE = '\r\u001B[K';

/** Where progress is told. On a terminal one line is written over and over; elsewhere there is a line now and then. */
export interface ProgressLine {
  progress(log: string, progress: CopyProgress): void;
  /** A line of its own that stays. */
  say(line: string): void;
  /** Takes away what is not to stay. */
  clear(): void;
}

export interface Screen {
  readonly isTerminal: boolean;
  /** Of a terminal, in characters. */
  readonly columns: number;
  write(text: string): void;
  /** Milliseconds since any fixed moment. */
  now(): number;
}

export function progressLine(screen: Screen): ProgressLine {
  const everyMs = screen.isTerminal ? REWRITTEN_EVERY_MS : LINE_EVERY_MS;
  let phase = '';
  let since = 0;
  let toldAt = 0;
  let isShown = false;

  function clear(): void {
    if (isShown) screen.write(BEGINNING_OF_LINE);
    isShown = false;
  }

  return {
    progress(log, progress) {
      const now = screen.now();
      if (phase !== `${log} ${progress.phase}`) {
        phase = `${log} ${progress.phase}`;
        since = now;
        toldAt = now;
      }
      if (now - toldAt < everyMs) return;
      toldAt = now;
      const text = progressText(log, progress, now - since);
      if (!screen.isTerminal) return screen.write(`${text}\n`);
      screen.write(`${BEGINNING_OF_LINE}${text.slice(0, Math.max(1, screen.columns - 1))}`);
      isShown = true;
    },
    say(line) {
      clear();
      screen.write(`${line}\n`);
    },
    clear,
  };
}

/** `zone-default: copying, 45 % (4,512 of 10,031 commits), 12,345 events/s, 12 s left`; the time is that of its phase. */
export function progressText(log: string, progress: CopyProgress, elapsedMs: number): string {
  const { phase, commits, allCommits, events } = progress;
  const rate = `${count((events / Math.max(1, elapsedMs)) * 1000)} events/s`;
  if (allCommits === null) return `${log}: ${phase}, ${count(commits)} commits, ${rate}`;
  const percent = Math.floor((commits / allCommits) * 100);
  const leftMs = (elapsedMs / Math.max(1, commits)) * (allCommits - commits);
  return `${log}: ${phase}, ${percent} % (${count(commits)} of ${count(allCommits)} commits), ${rate}, ${duration(leftMs)} left`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** `12 s`, `3 min`, `2.5 h`. */
function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
