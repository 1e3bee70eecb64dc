import { seedOf } from '../../agent/simulated/load.ts';

/** A seeded source of chance: mulberry32, 32 bits of state, good enough to pick faults and always the same. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  chance(probability: number): boolean;
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number;
  /** From `min` to `max`, each order of magnitude as likely as the next: small ones are tried as well as large ones. */
  magnitude(min: number, max: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
  /** One of the items, null when there is none. */
  any<T>(items: readonly T[]): T | null;
}

/**
 * Sources that are told apart by name, all from one seed: more draws from one, or a source that is new, change nothing in
 * the others, so that a seed keeps most of its meaning while the simulation grows.
 */
export type Sources = (name: string) => Random;

export function sourcesOf(seed: number): Sources {
  return (name) => seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ seedOf(name));
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
    chance: (probability) => probability > 0 && next() < probability,
    magnitude: (min, max) => min * (max / min) ** next(),
    pick: (items) => items[int(0, items.length - 1)] ?? items[0],
    any: (items) => (items.length === 0 ? null : (items[int(0, items.length - 1)] ?? null)),
  };
}
