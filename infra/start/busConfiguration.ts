import { open, rename } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isLoopback } from '../httpAddress.ts';
import type { CertificateFiles } from '../tls/certificate.ts';

export type BusListening = {
  /** The address, `127.0.0.1` if nobody else is meant to reach it. */
  readonly host: string;
  /** Its certificate; null: it does not speak TLS, which only a loopback address may. */
  readonly certificate: CertificateFiles | null;
};

/**
 * The configuration file for the nats-server that is started: the repository's, and over it a small one in the data folder when
 * it listens elsewhere or speaks TLS. A file and no arguments, since only then does SIGHUP make it read its certificate again.
 */
export async function busConfiguration(base: string, dataDir: string, listening: BusListening): Promise<string> {
  const { host, certificate } = listening;
  if (certificate === null && !isLoopback(host)) throw new RangeError(`${host} would be reached without TLS`);
  if (certificate === null && host === '127.0.0.1') return base;
  const path = join(dataDir, 'nats-server.conf');
  const tls =
    certificate === null
      ? []
      : [`tls { cert_file: ${quoted(certificate.cert)}, key_file: ${quoted(certificate.key)}, timeout: 10 }`];
  // An include is looked for from the folder of the file that has it, and what stands below it wins.
  const lines = [`include ${quoted(relative(dataDir, base))}`, `host: ${quoted(host)}`, ...tls];
  const unfinished = `${path}.new`;
  {
    await using file = await open(unfinished, 'w', 0o600);
    await file.writeFile(`# Written at every start.\n${lines.join('\n')}\n`);
    await file.sync();
  }
  await rename(unfinished, path);
  return path;
}

/** nats-server parses a value like its configuration file, those of variables too; in quotes it stays a text. */
export function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
