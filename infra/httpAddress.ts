import { isIP } from 'node:net';
import * as z from 'zod';

/** Where something listens. */
export type HttpAddress = { readonly host: string; readonly port: number };

/** `127.0.0.1:8080`, `[::1]:8080`. */
export function httpAuthority(address: HttpAddress): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Only this machine reaches it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** It stands for every address of this machine, so nobody can be told to go there. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** `host:port`, `[::1]:port` or a port alone, on loopback then. */
export function parseHttp(value: string, context: z.RefinementCtx): HttpAddress {
  const match = /^(?:\[([0-9A-Fa-f:]+)\]:|([^:[\]/@\s]+):)?(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2] ?? '127.0.0.1';
  if (match !== null && port >= 1 && port <= 65_535) return { host, port };
  context.addIssue({ code: 'custom', message: 'must be like 127.0.0.1:8080' });
  return z.NEVER;
}
