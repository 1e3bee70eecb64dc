/**
 * What operators say of an agent in their own words: a label is a key with a value, which may be empty. Images name agents by
 * them with selectors: `key` is met by any value, `key=value` by this one.
 */
export type Labels = Readonly<Record<string, string>>;

const KEY = '[a-z0-9](?:[a-z0-9._/-]{0,61}[a-z0-9])?';
const VALUE = '[A-Za-z0-9._-]{0,63}';
export const LABEL_KEY_PATTERN = new RegExp(`^${KEY}$`);
export const LABEL_VALUE_PATTERN = new RegExp(`^${VALUE}$`);
export const LABELS_LIMIT = 32;

export const LABEL_KEY_RULE =
  'a key is 1 to 63 small letters, digits, ".", "_", "/" or "-", with a letter or a digit at both ends';
export const LABEL_VALUE_RULE = 'a value is at most 63 letters, digits, ".", "_" or "-"';

/** `gpu=l40`; the key alone where the value is empty. */
export function labelText(key: string, value: string): string {
  return value === '' ? key : `${key}=${value}`;
}

/** In the order of their keys, however they were given: what is shown twice is shown alike. */
export function labelTexts(labels: Labels): readonly string[] {
  return sortedLabels(labels).map(([key, value]) => labelText(key, value));
}

export function sortedLabels(labels: Labels): readonly (readonly [string, string])[] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Selectors of an image, in each of its two lists. */
export const SELECTORS_LIMIT = 16;
export const SELECTOR_PATTERN = new RegExp(`^${KEY}(?:=${VALUE})?$`);
export const SELECTOR_RULE = `a label is written key or key=value; ${LABEL_KEY_RULE}, and ${LABEL_VALUE_RULE}`;

export function meetsSelector(labels: ReadonlyMap<string, string>, selector: string): boolean {
  const at = selector.indexOf('=');
  if (at < 0) return labels.has(selector);
  return labels.get(selector.slice(0, at)) === selector.slice(at + 1);
}

/** `label gpu=l40`, `labels gpu=l40, rack`. */
export function selectorsText(selectors: readonly string[]): string {
  return `${selectors.length === 1 ? 'label' : 'labels'} ${selectors.join(', ')}`;
}
