/**
 * The path of the first field in which `value` differs from what its schema made of it (`parsed`), or null. A schema drops
 * what it does not know and may normalise the rest; either would make the log differ from what was decided. A field that
 * is `undefined` counts as absent, as in JSON.
 */
export function firstDifference(value: unknown, parsed: unknown): string | null {
  if (value === parsed) return null;
  if (typeof value !== 'object' || value === null || typeof parsed !== 'object' || parsed === null) {
    return Number.isNaN(value) && Number.isNaN(parsed) ? null : '';
  }
  for (const key of Object.keys(value)) {
    const field: unknown = Reflect.get(value, key);
    if (field === undefined) continue;
    if (!Object.hasOwn(parsed, key)) return key;
    const made: unknown = Reflect.get(parsed, key);
    if (field === made) continue;
    const inner = firstDifference(field, made);
    if (inner !== null) return inner === '' ? key : `${key}.${inner}`;
  }
  return null;
}
