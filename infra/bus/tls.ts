import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { TlsOptions } from 'nats';
import { readAuthorities, readCertificate } from '../tls/certificate.ts';

/** How this side of a connection with TLS is set up. All are paths of PEM files but the name; undefined is none. */
export interface BusTls {
  /** Certificates of the authorities that are trusted, instead of those of this machine. */
  readonly ca?: string | undefined;
  /** A certificate of our own, for a bus that asks for one, and its key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name that the certificate of the bus must have, when it is another than in the URL. */
  readonly serverName?: string | undefined;
}

/**
 * What the client needs to speak TLS with the servers of `url`. The files are read again at every connection. Throws
 * CertificateError when one of them cannot be used.
 */
export async function clientTls(url: string, { ca, cert, key, serverName }: BusTls): Promise<TlsOptions> {
  if (ca !== undefined) await readAuthorities(ca);
  if (cert !== undefined && key !== undefined) await readCertificate({ cert, key });
  const names = serverName === undefined ? hostsOf(url) : [serverName];
  const options = {
    ...(ca === undefined ? {} : { caFile: ca }),
    ...(cert === undefined ? {} : { certFile: cert }),
    ...(key === undefined ? {} : { keyFile: key }),
    ...(serverName === undefined || isIP(serverName) !== 0 ? {} : { servername: serverName }),
    // The client knows no name for an address, and hands on what it does not know to Node. All servers that were named
    // are the same bus, and what a cluster tells of further servers are addresses that nobody named.
    checkServerIdentity(_host: string, found: PeerCertificate): Error | undefined {
      const refusals = names.map((name) => checkServerIdentity(name, found));
      return refusals.includes(undefined) ? undefined : refusals[0];
    },
  };
  return options;
}

/** The hosts of `tls://a:4222,tls://[::1]:4222`. */
function hostsOf(url: string): readonly string[] {
  return url.split(',').map((one) => new URL(one.trim()).hostname.replaceAll(/[[\]]/g, ''));
}
