/** Loaded into a gateway before it starts (`--import`, with `--expose-gc`): tells its memory to the process that asks. */

/** Bytes, after everything that could be collected was. */
export interface MemoryTold {
  readonly type: 'memory';
  readonly resident: number;
  /** On the heap and in buffers outside of it. */
  readonly live: number;
}

process.on('message', (message: unknown) => {
  if (message !== 'memory') return;
  // Twice: what the first one finds to be finalized, the second one collects.
  globalThis.gc?.();
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ type: 'memory', resident: rss, live: heapUsed + external } satisfies MemoryTold);
});
