/** So many bits; more would be no whole numbers that `&` and `|` take as they are. */
const BITS = 31;

/**
 * What an agent's labels meet, as a set of bits: each key and each `key=value` has one, which others may share. So an agent
 * that meets a selector has its bit, and one that has the bit may meet it.
 */
export function labelBits(labels: ReadonlyMap<string, string>): number {
  let bits = 0;
  for (const [key, value] of labels) bits |= bitOf(key) | bitOf(`${key}=${value}`);
  return bits;
}

/** The bits that an agent has which meets all of the selectors. */
export function selectorBits(selectors: readonly string[]): number {
  let bits = 0;
  for (const selector of selectors) bits |= bitOf(selector);
  return bits;
}

/** FNV-1a: alike labels, as `rack=1` and `rack=2`, are to have different bits. */
function bitOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return 1 << ((hash >>> 0) % BITS);
}
