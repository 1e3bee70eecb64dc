import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;
const LIMIT_MS = 30_000;

/** Asks again until the answer is as wanted; fails with the last answer when it does not become so in time. */
export async function until<Value>(
  what: string,
  ask: () => Promise<Value>,
  wanted: (value: Value) => boolean,
  limitMs = LIMIT_MS,
): Promise<Value> {
  const startedAt = performance.now();
  let last = await ask();
  while (!wanted(last)) {
    if (performance.now() - startedAt > limitMs) throw new Error(`${what} did not come about: ${JSON.stringify(last)}`);
    await pause(POLL_MS);
    last = await ask();
  }
  return last;
}
