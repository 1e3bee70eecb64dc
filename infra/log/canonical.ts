/**
 * Canonical JSON (RFC 8785): the one text of a value, so that its bytes and their hash do not depend on who wrote it.
 * Names stand in the order of their UTF-16 code units; strings and numbers are written as JSON.stringify writes them; a
 * field that is `undefined` counts as absent.
 *
 * Throws TypeError at what JSON cannot hold without changing it: half a character, NaN, an infinity, `undefined` in an
 * array, a function, and every object that is not plain, such as a Map or a Date. RangeError at a value within itself.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON`);
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? arrayJson(value) : objectJson(value);
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      throw new TypeError(`a value of the type ${typeof value} has no JSON`);
  }
}

function arrayJson(items: readonly unknown[]): string {
  let text = '';
  // By index, because the other ways of walking an array pass over its holes.
  for (let index = 0; index < items.length; index += 1) {
    text += index === 0 ? canonicalJson(items[index]) : `,${canonicalJson(items[index])}`;
  }
  return `[${text}]`;
}

function objectJson(object: object): string {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('only plain objects have JSON');
  const fields = object as Readonly<Record<string, unknown>>;
  let text = '';
  for (const name of sortedNames(object)) {
    const value = fields[name];
    if (value === undefined) continue;
    const { first, later } = namePrefix(name);
    text += `${text === '' ? first : later}${canonicalJson(value)}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

const FEW_NAMES = 32;

/** The built-in sort allocates 5 KB for an event; with the few names of a schema, insertion allocates nothing. */
function sortedNames(object: object): string[] {
  const names = Object.keys(object);
  if (names.length > FEW_NAMES) return names.sort();
  for (let index = 1; index < names.length; index += 1) {
    const name = names[index] ?? '';
    let place = index;
    for (; place > 0; place -= 1) {
      const before = names[place - 1] ?? '';
      if (before < name) break;
      names[place] = before;
    }
    if (place < index) names[place] = name;
  }
  return names;
}

interface NamePrefix {
  readonly first: string;
  readonly later: string;
}

/** The names of the schemas come again and again, those that people choose do not: so only so many are kept. */
const PREFIXES_KEPT = 1000;
const prefixes = new Map<string, NamePrefix>();

function namePrefix(name: string): NamePrefix {
  const known = prefixes.get(name);
  if (known !== undefined) return known;
  const quoted = quote(name);
  const prefix = { first: `{${quoted}:`, later: `,${quoted}:` };
  if (prefixes.size < PREFIXES_KEPT) prefixes.set(name, prefix);
  return prefix;
}

/** Printable ASCII without the quotation mark and the backslash: it stands in JSON as it is. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  if (PLAIN_TEXT.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError('half a character (a lone surrogate) has no JSON');
  return JSON.stringify(text);
}
