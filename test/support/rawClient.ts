import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** What is shown to a nats-server. */
export interface Shown {
  readonly user?: string;
  readonly pass?: string;
  readonly name?: string;
  readonly auth_token?: string;
  readonly jwt?: string;
}

/**
 * A client that speaks the protocol of NATS by hand, so that it can ask for what no library would, and learns of every
 * refusal.
 */
export interface RawClient {
  /** Whether the server took it: the errors that came before the answer to a PING. */
  publish(subject: string, options?: { readonly reply?: string; readonly body?: string }): Promise<readonly string[]>;
  subscribe(subject: string, queue?: string): Promise<readonly string[]>;
  /** Everything that arrived for its subscriptions, as `<subject> <body>`. */
  readonly received: readonly string[];
  /** Resolves when the server has closed the connection, with the last thing that it said. */
  readonly ended: Promise<string>;
  readonly isOpen: () => boolean;
  end(): void;
}

const LIMIT_MS = 10_000;

/** Null: the server did not let it in. */
export async function rawClient(t: ExecutionContext, url: string, shown: Shown): Promise<RawClient | null> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  t.teardown(() => socket.destroy());
  const received: string[] = [];
  let errors: string[] = [];
  let last = '';
  let waiting: (() => void) | null = null;
  let subscriptions = 0;
  const ended = Promise.withResolvers<string>();
  socket.on('error', () => undefined);
  socket.once('close', () => {
    waiting?.();
    ended.resolve(last);
  });
  readLines(socket, (line, body) => {
    if (line.startsWith('-ERR')) errors.push((last = line));
    if (line.startsWith('PING')) socket.write('PONG\r\n');
    if (line.startsWith('PONG')) waiting?.();
    if (line.startsWith('MSG') || line.startsWith('HMSG')) received.push(`${line.split(' ')[1]} ${body}`);
  });
  await once(socket, 'connect');

  /** Sends, and resolves with what the server had to object by the time it has worked it off. */
  async function ask(command: string): Promise<readonly string[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = resolve;
    errors = [];
    socket.write(`${command}PING\r\n`);
    const late = setTimeout(resolve, LIMIT_MS);
    await promise;
    clearTimeout(late);
    return errors;
  }

  const options = { verbose: false, pedantic: true, tls_required: false, lang: 'test', version: '1', headers: true };
  const refused = await ask(`CONNECT ${JSON.stringify({ ...options, ...shown })}\r\n`);
  if (refused.length > 0 || socket.closed) return null;
  return {
    publish: (subject, { reply = '', body = '' } = {}) =>
      ask(`PUB ${subject}${reply === '' ? '' : ` ${reply}`} ${Buffer.byteLength(body)}\r\n${body}\r\n`),
    subscribe(subject, queue) {
      subscriptions += 1;
      return ask(`SUB ${subject}${queue === undefined ? '' : ` ${queue}`} ${subscriptions}\r\n`);
    },
    received,
    ended: ended.promise,
    isOpen: () => !socket.closed && !socket.destroyed,
    end: () => socket.destroy(),
  };
}

function readLines(socket: Socket, onLine: (line: string, body: string) => void): void {
  let buffered = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    for (;;) {
      const end = buffered.indexOf('\r\n');
      if (end < 0) return;
      const line = buffered.subarray(0, end).toString('utf8');
      const size = /^H?MSG /.test(line) ? Number(line.split(' ').at(-1)) + 2 : 0;
      if (buffered.length < end + 2 + size) return;
      onLine(line, buffered.subarray(end + 2, end + 2 + Math.max(0, size - 2)).toString('utf8'));
      buffered = buffered.subarray(end + 2 + size);
    }
  });
}
