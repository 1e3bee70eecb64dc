import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { ok, wrong, type Finding } from './finding.ts';

const CHECK = 'session address';
const EVERY = new Set(['0.0.0.0', '::']);

export function hostAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));
}

/** Whether the engine can publish ports on MUSTER_SESSION_ADDRESS. */
export function judgeSessionAddress(address: string, own: readonly string[]): Finding {
  const loopback = isIP(address) === 4 && address.startsWith('127.');
  if (loopback || EVERY.has(address) || own.includes(address)) return ok(CHECK, `ports are published on ${address}`);
  return wrong(
    CHECK,
    `MUSTER_SESSION_ADDRESS is ${address}, which no interface of this host has: sessions with ports start not`,
    `set it to one of ${own.filter((each) => isIP(each) === 4).join(', ')}`,
  );
}
