/** A seeded source of chance: mulberry32, 32 bits of state, good enough to pick faults and always the same. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  chance(probability: number): boolean;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** One of the items, null when there is none. */
  any<T>(items: readonly T[]): T | null;
  /** A source of its own, so that more draws in one place change nothing in another. */
  fork(): Random;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    int,
    chance: (probability) => next() < probability,
    pick: (items) => items[int(0, items.length - 1)] ?? items[0],
    any: (items) => (items.length === 0 ? null : (items[int(0, items.length - 1)] ?? null)),
    fork: () => seededRandom(int(0, 2 ** 32 - 1)),
  };
}
