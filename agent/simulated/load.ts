const DAY_MS = 86_400_000;

/** A repeatable sequence of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A number from a text, for a seed (FNV-1a). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/**
 * A load between 0 and 1 that follows the day, low at night and high in the afternoon, with slower and faster waves of
 * its own on top. The same seed and time give the same load, so that a day of history joins the present without a step.
 */
export function dailyLoad(seed: number): (nowMs: number) => number {
  const random = seededRandom(seed);
  const waves = [37, 11, 3.3].map((minutes, index) => ({
    period: minutes * 60_000 * (0.8 + 0.4 * random()),
    phase: 2 * Math.PI * random(),
    height: 0.12 / (index + 1),
  }));
  const shift = random() * 2 * 3_600_000;
  return (nowMs) => {
    const day = 0.5 - 0.4 * Math.cos((2 * Math.PI * (nowMs - 3 * 3_600_000 - shift)) / DAY_MS);
    const ripple = waves.reduce(
      (sum, { period, phase, height }) => sum + height * Math.sin((2 * Math.PI * nowMs) / period + phase),
      0,
    );
    return Math.min(1, Math.max(0, day + ripple));
  };
}
