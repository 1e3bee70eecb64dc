import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** A secret was found where it must not be, in one of the forms in which it may be written. */
export interface Finding {
  readonly place: string;
  readonly secret: string;
  readonly form: string;
}

interface Needle {
  readonly secret: string;
  readonly form: string;
  readonly bytes: Buffer;
}

/** Anything shorter would be found by chance. */
const SHORTEST = 8;
/** Of a long secret also a part gives it away: so much of its beginning and of its end is looked for. */
const PART = 16;

/** Looks for secrets in bytes from anywhere. Secrets are given as they come to be known, and looked for in the end. */
export class Finder {
  readonly #needles: Needle[] = [];
  readonly #names = new Set<string>();

  /** Without what everybody may know of it, such as the id in a key. Texts and bytes alike. */
  add(secret: string, value: string | Uint8Array): void {
    const bytes = Buffer.from(value);
    if (bytes.length < SHORTEST) throw new RangeError(`${secret} is too short to be looked for`);
    this.#names.add(secret);
    for (const [form, needle] of formsOf(bytes)) this.#needles.push({ secret, form, bytes: needle });
    if (bytes.length < 2 * PART) return;
    this.#needles.push({ secret, form: 'its beginning', bytes: bytes.subarray(0, PART) });
    this.#needles.push({ secret, form: 'its end', bytes: bytes.subarray(-PART) });
  }

  get secrets(): readonly string[] {
    return [...this.#names];
  }

  /** At most one finding for each secret. What is packed is looked at both ways. */
  find(place: string, bytes: Uint8Array): readonly Finding[] {
    const texts = [Buffer.from(bytes), ...unpacked(bytes)];
    const found = new Map<string, Finding>();
    for (const { secret, form, bytes: needle } of this.#needles) {
      if (found.has(secret) || !texts.some((text) => text.includes(needle))) continue;
      found.set(secret, { place, secret, form });
    }
    return [...found.values()];
  }
}

function formsOf(bytes: Buffer): readonly (readonly [string, Buffer])[] {
  const text = bytes.toString('utf8');
  const isText = Buffer.from(text).equals(bytes);
  const forms: (readonly [string, string | Buffer])[] = [
    ['as it is', bytes],
    ...([0, 1, 2] as const).map((before) => ['base64', base64Inside(bytes, before)] as const),
    ...([0, 1, 2] as const).map((before) => ['base64url', urlSafe(base64Inside(bytes, before))] as const),
    ['hexadecimal', bytes.toString('hex')],
    ['hexadecimal', bytes.toString('hex').toUpperCase()],
    ['URL-encoded', bytes.toString('latin1').replaceAll(/[^A-Za-z0-9_.~-]/g, percent)],
    ['URL-encoded', [...bytes].map((byte) => percent(String.fromCharCode(byte))).join('')],
  ];
  if (isText) {
    const json = JSON.stringify(text).slice(1, -1);
    forms.push(
      ['JSON', json],
      ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
      ['URL-encoded', encodeURIComponent(text)],
      ['URL-encoded', new URLSearchParams({ a: text }).toString().slice(2)],
      ['UTF-16', Buffer.from(text, 'utf16le')],
      ['Latin-1', Buffer.from(text, 'latin1')],
    );
  }
  return forms.map(([form, value]) => [form, Buffer.from(value)]);
}

/** What surely stands in the base64 of a longer text, with so many bytes before it. */
function base64Inside(bytes: Buffer, before: 0 | 1 | 2): string {
  const whole = Buffer.concat([Buffer.alloc(before), bytes]);
  return whole.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
}

function urlSafe(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`;
}

/** By their first bytes: zstd, gzip, zlib. */
function unpacked(bytes: Uint8Array): readonly Buffer[] {
  const head = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  if (head === '28b52ffd') return [zstdDecompressSync(bytes)];
  if (head.startsWith('1f8b')) return [gunzipSync(bytes)];
  if (/^78(?:01|5e|9c|da)/.test(head)) return [inflateSync(bytes)];
  return [];
}
