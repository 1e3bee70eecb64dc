import { createServer, type Server as TlsServer } from 'node:https';
import type { FastifyServerFactory } from 'fastify';
import type { Clock } from '../../infra/clock.ts';
import { isFor, namesOf, readCertificate, type CertificateFiles } from '../../infra/tls/certificate.ts';
import { followCertificate } from '../../infra/tls/follow.ts';
import { REQUEST_MS } from './rateLimits.ts';

/** HTTP over TLS, with a certificate that may be replaced at any time. */
export interface TlsListener {
  readonly serverFactory: FastifyServerFactory;
  /** Takes over each new certificate, for connections that begin then; those that are open go on. Until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface TlsListenerOptions {
  readonly files: CertificateFiles;
  /** The host that browsers ask for, without a port. */
  readonly host: string;
  readonly clock: Clock;
  readonly onNews: (sentence: string) => void;
  readonly onWarning: (sentence: string) => void;
}

/** Whoever connects and says nothing is let go. */
const HANDSHAKE_MS = 10_000;

/** Throws CertificateError when the certificate cannot be used. */
export async function openTls({ files, host, clock, onNews, onWarning }: TlsListenerOptions): Promise<TlsListener> {
  const first = await readCertificate(files);
  let current = first;
  let server: TlsServer | null = null;

  function warnOfName(): void {
    if (isFor(current.leaf, host)) return;
    const names = namesOf(current.leaf).join(', ');
    onWarning(
      `the certificate in ${files.cert} is for ${names}, not for ${host}: set MUSTER_PUBLIC_URL to where it is reached`,
    );
  }

  warnOfName();
  return {
    serverFactory(handler) {
      const { cert, key } = current;
      const limits = { handshakeTimeout: HANDSHAKE_MS, requestTimeout: REQUEST_MS };
      server = createServer({ cert, key, minVersion: 'TLSv1.2', ...limits }, handler);
      return server;
    },
    follow: (signal) =>
      followCertificate(
        {
          files,
          current: first,
          clock,
          onNew(certificate) {
            current = certificate;
            server?.setSecureContext({ cert: certificate.cert, key: certificate.key, minVersion: 'TLSv1.2' });
            onNews(`a new certificate is used, valid until ${certificate.leaf.validToDate.toISOString()}`);
            warnOfName();
          },
          onWarning,
        },
        signal,
      ),
  };
}
