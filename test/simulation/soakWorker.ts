import { parentPort } from 'node:worker_threads';
import { liveBytes } from './liveBytes.ts';
import { SimulationFailed, runSimulation } from './run.ts';

/** A thread is asked for a world, or what it holds. */
export type SoakQuestion = number | 'memory';

/** What became of one seed. */
export interface SoakAnswer {
  readonly seed: number;
  /** In real milliseconds. */
  readonly ms: number;
  readonly fleetSeconds: number;
  /** What went wrong and how to see it again, or null. */
  readonly failure: string | null;
  /** It never ended, or took its thread with it. */
  readonly hangs: boolean;
}

async function answerTo(seed: number): Promise<SoakAnswer> {
  const began = performance.now();
  const taken = () => performance.now() - began;
  try {
    const { virtualSeconds } = await runSimulation({ seed });
    return { seed, ms: taken(), fleetSeconds: virtualSeconds, failure: null, hangs: false };
  } catch (error) {
    if (!(error instanceof SimulationFailed)) throw error;
    return { seed, ms: taken(), fleetSeconds: 0, failure: error.message, hangs: false };
  }
}

parentPort?.on('message', (question: SoakQuestion) => {
  const answer = question === 'memory' ? Promise.resolve(liveBytes()) : answerTo(question);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  void answer.then((told) => parentPort?.postMessage(told));
});
