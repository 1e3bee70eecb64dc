import { hash } from 'node:crypto';

/**
 * The id of the event that a command caused as its `index`-th: a UUID of version 8 made from both, so that a command
 * decided again after an unknown outcome gives the same ids.
 */
export function eventId(commandKey: string, index: number): string {
  const digest = hash('sha256', `${commandKey}:${index}`, 'hex');
  // RFC 9562: the version is the 13th digit; the variant is the upper two bits of the 17th.
  const variant = '89ab'.charAt(Number.parseInt(digest.charAt(16), 16) % 4);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
