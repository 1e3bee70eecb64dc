import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Loaded into an agent before it starts (`--import`): tells the process that asks how long its event loop was blocked. */

export interface BlockTold {
  readonly type: 'block';
  /** The longest delay of a timer since it was asked to watch, beyond the timer's own interval. */
  readonly longestMs: number;
}

const EVERY_MS = 5;
/** Off until asked for: to watch wakes the process 200 times a second, which is more than all it observes. */
const delays = monitorEventLoopDelay({ resolution: EVERY_MS });

process.on('message', (message: unknown) => {
  if (message === 'watch') {
    delays.reset();
    delays.enable();
  }
  if (message !== 'block') return;
  delays.disable();
  process.send?.({ type: 'block', longestMs: Math.max(0, delays.max / 1e6 - EVERY_MS) } satisfies BlockTold);
});
