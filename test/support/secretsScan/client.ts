import type { Text } from './places.ts';

export interface Shown {
  /** As `Authorization: Bearer …`. */
  readonly key?: string;
  readonly cookie?: string;
  readonly body?: unknown;
  /** Names of the secrets that this answer was asked to show, once. */
  readonly shows?: readonly string[];
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
  /** What is sent back by a browser, `muster=…`; empty when none was set. */
  readonly cookie: string;
}

/** Asks gateways and keeps every answer whole, with its headers. */
export class ScanClient {
  readonly heard: Text[] = [];
  readonly #onAnswer: () => Promise<unknown>;
  readonly #streams: AbortController[] = [];
  readonly #reading: Promise<void>[] = [];

  /** `onAnswer` is waited for after each answer. */
  constructor(onAnswer: () => Promise<unknown>) {
    this.#onAnswer = onAnswer;
  }

  async ask(method: string, url: string, { key, cookie, body, shows = [] }: Shown = {}): Promise<Answered> {
    const response = await fetch(url, {
      method,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        // A change by cookie must come from the gateway's own page.
        ...(cookie === undefined ? {} : { cookie, origin: new URL(url).origin }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    this.#keep(`${method} ${new URL(url).pathname}`, `${headText(response)}\n${text}`, shows);
    await this.#onAnswer();
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
    const [set = ''] = (response.headers.get('set-cookie') ?? '').split(';');
    return { status: response.status, body: isJson ? JSON.parse(text) : text, cookie: set };
  }

  /** Reads a live stream until `endStreams`. */
  async follow(url: string, key: string): Promise<void> {
    const end = new AbortController();
    this.#streams.push(end);
    const response = await fetch(url, { headers: { authorization: `Bearer ${key}` }, signal: end.signal });
    if (!response.ok || response.body === null) throw new Error(`${url}: ${response.status}`);
    const place = `live stream ${new URL(url).search}`;
    this.#reading.push(this.#read(place, headText(response), response.body, end.signal));
  }

  async endStreams(): Promise<void> {
    for (const stream of this.#streams) stream.abort();
    await Promise.all(this.#reading);
  }

  /** Kept as one, since a secret may come in two pieces. */
  async #read(place: string, head: string, body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<void> {
    const pieces: Uint8Array[] = [Buffer.from(head)];
    try {
      for await (const bytes of body) pieces.push(bytes);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    this.#keep(place, Buffer.concat(pieces), []);
  }

  #keep(place: string, text: string | Uint8Array, shows: readonly string[]): void {
    this.heard.push({ place, bytes: Buffer.from(text), shows });
  }
}

function headText(response: Response): string {
  return [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
}
