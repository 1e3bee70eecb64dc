import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { endWhenUnread } from '../../infra/start/unread.ts';
import { optionsOrUsage } from '../support/options.ts';
import { wholeNumber } from './arguments.ts';
import { liveBytes } from './liveBytes.ts';
import { replayCommand } from './run.ts';
import type { SoakAnswer, SoakQuestion } from './soakWorker.ts';

/**
 * New worlds on every processor until the time or the seeds are used up, whichever comes first; then the failures again, each with
 * the command that replays it. Without `--from` the seeds begin at the time of day in seconds, so that every soak sees other
 * worlds; the number is printed. Every line says what is held between two worlds, after a collection, and what the whole process
 * takes: neither may grow with the worlds.
 */
const USAGE = 'npm run soak -- [--minutes 120] [--seeds 2000] [--from N] [--threads N]';

const { minutes, from, most, threads } = optionsOrUsage(USAGE, () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '120' },
      seeds: { type: 'string' },
      from: { type: 'string' },
      threads: { type: 'string' },
    },
  });
  const asked = Number(values.minutes);
  if (!(asked > 0)) throw new RangeError(`--minutes takes a number above 0, not "${values.minutes}"`);
  return {
    minutes: asked,
    from: values.from === undefined ? Math.floor(Date.now() / 1000) : wholeNumber('from', values.from),
    most: values.seeds === undefined ? Infinity : wholeNumber('seeds', values.seeds),
    threads: values.threads === undefined ? availableParallelism() : wholeNumber('threads', values.threads),
  };
});

const PROGRESS_MS = 15_000;
/** After so many worlds of a thread all of the code has run, and what it holds then is its beginning. */
const WARM_UP_WORLDS = 20;
/** A world takes well under a second; one that takes this long hangs, and that is a failure too. */
const HANGS_MS = 120_000;

endWhenUnread();
const startedAt = performance.now();
const failures: string[] = [];
let given = 0;
let done = 0;
let fleetSeconds = 0;
let slowest: SoakAnswer | null = null;
/** By thread, bytes when it was last asked. */
const held = new Map<number, number>();
let heldFirst: string | null = null;

process.stdout.write(`seeds from ${from} on, ${threads} threads, ${minutes} minutes\n`);
const progress = setInterval(() => process.stdout.write(`${summary()}\n`), PROGRESS_MS);
await Promise.all(Array.from({ length: threads }, (_, thread) => work(thread)));
clearInterval(progress);
const grown = `in the beginning ${heldFirst ?? 'too short to tell'}; in the end ${memory()}`;
process.stdout.write(['', ...failures, summary(), grown, ''].join('\n'));
process.exitCode = failures.length > 0 || done === 0 ? 1 : 0;

/** One thread after another on one processor: a world that hangs takes only its own thread with it. */
async function work(thread: number): Promise<void> {
  while (nextSeed() !== null) {
    const worker = new Worker(new URL('soakWorker.ts', import.meta.url));
    await drive(worker, thread);
    await worker.terminate();
  }
}

/** Gives the thread one seed after another, until nothing is left to do or it hangs. */
async function drive(worker: Worker, thread: number): Promise<void> {
  held.delete(thread);
  let worlds = 0;
  let askedAt = -Infinity;
  for (let seed = takeSeed(); seed !== null; seed = takeSeed()) {
    const answer = await answerOf(worker, seed);
    done += 1;
    worlds += 1;
    fleetSeconds += answer.fleetSeconds;
    if (slowest === null || answer.ms > slowest.ms) slowest = answer;
    if (answer.failure !== null) {
      failures.push(answer.failure);
      process.stdout.write(`${answer.failure}\n`);
    }
    if (answer.hangs) return;
    if (worlds < WARM_UP_WORLDS || performance.now() - askedAt < PROGRESS_MS) continue;
    held.set(thread, await heldBy(worker));
    askedAt = performance.now();
    if (held.size === threads) heldFirst ??= memory();
  }
  held.set(thread, await heldBy(worker));
}

async function heldBy(worker: Worker): Promise<number> {
  ask(worker, 'memory');
  const [bytes] = (await once(worker, 'message')) as [number];
  return bytes;
}

function ask(worker: Worker, question: SoakQuestion): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage(question);
}

async function answerOf(worker: Worker, seed: number): Promise<SoakAnswer> {
  const patience = AbortSignal.timeout(HANGS_MS);
  const failed = (what: string, hangs: boolean): SoakAnswer => {
    const failure = `seed ${seed}: ${what}\nsee it again: ${replayCommand({ seed })}`;
    return { seed, ms: HANGS_MS, fleetSeconds: 0, failure, hangs };
  };
  ask(worker, seed);
  try {
    const [answer] = (await once(worker, 'message', { signal: patience })) as [SoakAnswer];
    return answer;
  } catch (error) {
    if (patience.aborted) return failed(`it hangs: no end after ${HANGS_MS / 1000} s`, true);
    return failed(`its thread ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, true);
  }
}

function nextSeed(): number | null {
  const isOver = performance.now() - startedAt >= minutes * 60_000 || given >= most;
  return isOver ? null : from + given;
}

function takeSeed(): number | null {
  const seed = nextSeed();
  if (seed !== null) given += 1;
  return seed;
}

function summary(): string {
  const elapsed = ((performance.now() - startedAt) / 1000).toFixed(0);
  const days = (fleetSeconds / 86_400).toFixed(1);
  const longest = slowest === null ? '' : `, the slowest ${slowest.seed} in ${(slowest.ms / 1000).toFixed(1)} s`;
  const told = held.size < threads ? '' : `; ${memory()}`;
  return `${elapsed} s: ${done} worlds, ${days} days of fleets${longest}; ${failures.length} failed${told}`;
}

/** What all threads hold, and how much of the machine's memory the process takes with it. */
function memory(): string {
  const bytes = [...held.values()].reduce((sum, each) => sum + each, liveBytes());
  return `${(bytes / 1e6).toFixed(0)} MB alive, ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB resident`;
}
