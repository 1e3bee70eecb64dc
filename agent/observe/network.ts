import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Usage } from '../../domain/checkIn.ts';

/** Bytes that the host's own network devices have moved since it booted. */
export interface NetworkCounters {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What engines and virtual machines make for themselves: what passes there passes a device of the host as well, or stays inside. */
const MADE_INSIDE = /^(lo|docker\d*|br-.*|veth.*|virbr.*|vnet.*|tap.*|tun.*|cni.*|flannel.*|cali.*|dummy.*)$/;

/** `/proc/net/dev`, by name, without what containers and loopback have of their own. */
export function parseNetworkDevices(text: string): ReadonlyMap<string, NetworkCounters> {
  const devices = new Map<string, NetworkCounters>();
  for (const line of text.split('\n')) {
    const [, name, figures] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || figures === undefined || MADE_INSIDE.test(name)) continue;
    const columns = figures.trim().split(/\s+/).map(Number);
    const [receivedBytes, sentBytes] = [columns[0], columns[8]];
    if (!Number.isSafeInteger(receivedBytes) || !Number.isSafeInteger(sentBytes)) continue;
    devices.set(name, { receivedBytes: receivedBytes ?? 0, sentBytes: sentBytes ?? 0 });
  }
  return devices;
}

/**
 * The sum over the devices that are hardware, so that a bond or a VLAN does not count its traffic twice; over all of them
 * where none is, as in a container. Null when there is no device at all.
 */
export function hostCounters(
  devices: ReadonlyMap<string, NetworkCounters>,
  isHardware: (name: string) => boolean,
): NetworkCounters | null {
  const hardware = [...devices].filter(([name]) => isHardware(name));
  const counted = (hardware.length > 0 ? hardware : [...devices]).map(([, counters]) => counters);
  if (counted.length === 0) return null;
  return {
    receivedBytes: counted.reduce((sum, each) => sum + each.receivedBytes, 0),
    sentBytes: counted.reduce((sum, each) => sum + each.sentBytes, 0),
  };
}

/** Averages between two moments; null when they cannot be told: no time passed, or a device went and took its count along. */
export function networkUse(
  before: NetworkCounters | null,
  after: NetworkCounters | null,
  milliseconds: number,
): NonNullable<Usage['network']> | null {
  if (before === null || after === null || milliseconds <= 0) return null;
  const received = after.receivedBytes - before.receivedBytes;
  const sent = after.sentBytes - before.sentBytes;
  if (received < 0 || sent < 0) return null;
  return {
    receivedBytesPerSecond: Math.round((received * 1000) / milliseconds),
    sentBytesPerSecond: Math.round((sent * 1000) / milliseconds),
  };
}

/** Null where the system has no such counters. */
export async function readNetwork(): Promise<NetworkCounters | null> {
  try {
    const devices = parseNetworkDevices(await readFile('/proc/net/dev', 'utf8'));
    const hardware = new Set<string>();
    await Promise.all(
      [...devices.keys()].map(async (name) => {
        if (await exists(join('/sys/class/net', name, 'device'))) hardware.add(name);
      }),
    );
    return hostCounters(devices, (name) => hardware.has(name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
