import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that are alive on this thread's heap and in buffers outside of it, after everything that could be collected was. */
export function liveBytes(): number {
  collect();
  // What the first one finds to be finalized, the second one collects.
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const collect = collector();

/** The flag is one of the process, but only contexts made after it have the function. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('gc');
  if (typeof found === 'function') return () => void found();
  throw new Error('this Node cannot be asked to collect');
}
