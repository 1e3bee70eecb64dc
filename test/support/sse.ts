import { ADMIN_KEY } from './gateway.ts';

export interface ServerSentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** A live stream as a test reads it: one event after another. */
export interface TestStream {
  readonly status: number;
  next(): Promise<ServerSentEvent>;
  /** The next event for which the condition holds; those before it are let go. */
  until(wanted: (event: ServerSentEvent) => boolean): Promise<ServerSentEvent>;
  /** True once the gateway has ended the stream. */
  ended(): Promise<boolean>;
  close(): Promise<void>;
}

/** With the machine's key, or as the cookie in the headers says. */
export async function openStream(url: string, headers: Readonly<Record<string, string>> = {}): Promise<TestStream> {
  const key = headers['cookie'] === undefined ? { authorization: `Bearer ${ADMIN_KEY}` } : {};
  const response = await fetch(url, { headers: { ...key, ...headers } });
  const reader = (response.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>())
    .pipeThrough(new TextDecoderStream())
    .getReader();
  let text = '';

  async function next(): Promise<ServerSentEvent> {
    for (;;) {
      const end = text.indexOf('\n\n');
      if (end >= 0) {
        const block = text.slice(0, end);
        text = text.slice(end + 2);
        if (!block.startsWith(':')) return parse(block);
        continue;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream has ended');
      text += value;
    }
  }

  return {
    status: response.status,
    next,
    async until(wanted) {
      for (;;) {
        const event = await next();
        if (wanted(event)) return event;
      }
    },
    async ended() {
      for (;;) if ((await reader.read()).done) return true;
    },
    close: () => reader.cancel(),
  };
}

function parse(block: string): ServerSentEvent {
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  return { id: field('id'), event: field('event'), data: JSON.parse(field('data')) };
}
