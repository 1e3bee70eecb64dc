/** Structural equality of JSON values: objects by their keys, arrays by order. Runs for every check-in, so it allocates little. */
export function isDeepEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && areEqual(a, b);
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  for (const key of keys) {
    const [one, other] = [a[key], b[key]];
    // What is the same needs no closer look, and nearly everything is.
    if (one !== undefined && Object.is(one, other)) continue;
    if (!Object.hasOwn(b, key) || !isDeepEqual(one, other)) return false;
  }
  return true;
}

function areEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => isDeepEqual(value, b[index]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
