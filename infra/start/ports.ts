import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { HttpAddress } from '../httpAddress.ts';
import { hasErrno, StartError, StartFailure } from './errors.ts';

/** Refuses with a sentence that names the variable when nothing could listen there. */
export async function requireFreePort(
  address: HttpAddress,
  variable: 'MUSTER_HTTP' | 'MUSTER_NATS_PORT',
): Promise<void> {
  try {
    await listenOnce(address.host, address.port);
  } catch (error) {
    const where = `${address.host} port ${address.port}`;
    if (hasErrno(error, 'EADDRINUSE')) {
      const next = address.port === 65_535 ? 8081 : address.port + 1;
      const other = variable === 'MUSTER_HTTP' ? `127.0.0.1:${next}` : String(next);
      throw new StartError(
        StartFailure.portInUse,
        `${where} is in use by another program. Choose another, such as ${variable}=${other}.`,
        error,
      );
    }
    if (hasErrno(error, 'EACCES', 'EADDRNOTAVAIL', 'ENOTFOUND')) {
      throw new StartError(
        StartFailure.portNotAllowed,
        `This user may not listen on ${where}, or this machine has no such address. Choose another with ${variable}.`,
        error,
      );
    }
    throw error;
  }
}

/**
 * Ports below those that the kernel gives to outgoing connections and to `port 0` (32768 and up), so that nothing takes
 * one by chance between the choice and its use, or while a server restarts on it.
 */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const TRIES = 100;

/** One after the other from a place of its own, so that two processes do not choose one that neither listens on yet. */
let next = randomInt(LOWEST, HIGHEST);

/** A loopback port that nobody listens on now, another one at each call. */
export async function freeLoopbackPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = next;
    next = port + 1 < HIGHEST ? port + 1 : LOWEST;
    try {
      return await listenOnce('127.0.0.1', port);
    } catch (error) {
      if (!hasErrno(error, 'EADDRINUSE')) throw error;
    }
  }
  return listenOnce('127.0.0.1', 0);
}

async function listenOnce(host: string, port: number): Promise<number> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : port;
}
