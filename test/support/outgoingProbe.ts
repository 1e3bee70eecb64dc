import { Socket as DatagramSocket } from 'node:dgram';
import { appendFileSync } from 'node:fs';
import { Socket } from 'node:net';

/**
 * Loaded before a program (`node --import`), also into its threads: writes down every address that it asks the system to
 * connect or send to, one a line, before that is done. TLS, HTTP and fetch all come by `Socket.connect`.
 */
const file = process.env['MUSTER_TEST_OUTGOING'] ?? '/dev/stderr';

function note(address: unknown): void {
  appendFileSync(file, `${JSON.stringify(address)}\n`);
}

for (const [prototype, method] of [
  [Socket.prototype, 'connect'],
  [DatagramSocket.prototype, 'connect'],
  [DatagramSocket.prototype, 'send'],
] as const) {
  const original: (...words: unknown[]) => unknown = Reflect.get(prototype, method);
  Reflect.set(prototype, method, function noted(this: unknown, ...words: unknown[]): unknown {
    note(prototype === Socket.prototype ? addressOf(words) : method);
    return original.apply(this, words);
  });
}

/** Node itself gives what it has put in order: the options are the first of a list. */
function addressOf(words: readonly unknown[]): unknown {
  const [first, second] = [words].flat(2);
  if (typeof first !== 'object' || first === null)
    return typeof second === 'string' ? `${second}:${String(first)}` : first;
  const { host = 'localhost', port, path } = first as { readonly host?: string; port?: number; path?: string };
  return path ?? `${host}:${port}`;
}
