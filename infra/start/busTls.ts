import { realClock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../httpAddress.ts';
import {
  isCertificateError,
  isFor,
  namesOf,
  readCertificate,
  type Certificate,
  type CertificateFiles,
} from '../tls/certificate.ts';
import { followCertificate } from '../tls/follow.ts';
import { nearHost } from './bus.ts';
import type { BusListening } from './busConfiguration.ts';
import { StartError, StartFailure } from './errors.ts';
import type { Part } from './keeper.ts';

type Words = { readonly say: (line: string) => void };

/** The certificate of this machine, or null when none is configured. Refuses with a sentence one that cannot be used. */
export async function certificateOf({ tls }: Pick<Config, 'tls'>): Promise<Certificate | null> {
  try {
    return tls === null ? null : await readCertificate(tls);
  } catch (error) {
    if (!isCertificateError(error)) throw error;
    const message = `The certificate of MUSTER_TLS_CERT and MUSTER_TLS_KEY cannot be used: ${error.message}.`;
    throw new StartError(StartFailure.certificateUnusable, message, error);
  }
}

/** Beyond loopback the bus speaks TLS with the certificate of this machine; on loopback nobody could listen in. */
export function listeningOf({ natsHost, tls }: Pick<Config, 'natsHost' | 'tls'>): BusListening {
  return { host: natsHost, certificate: isLoopback(natsHost) ? null : tls };
}

/**
 * Where the parts on this machine find the bus that was started. They reach it on an address of their own and hold it to a
 * name that is in its certificate.
 */
export function busVariables(
  config: Pick<Config, 'natsHost' | 'natsTls'>,
  port: number,
  certificate: Certificate | null,
): Readonly<Record<string, string>> {
  const host = nearHost(config.natsHost);
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  // It is for whoever starts the bus; empty it counts as not set.
  if (certificate === null || isLoopback(config.natsHost)) {
    return { MUSTER_NATS_HOST: '', MUSTER_NATS_URL: `nats://${place}` };
  }
  return {
    MUSTER_NATS_HOST: '',
    MUSTER_NATS_URL: `tls://${place}`,
    MUSTER_NATS_TLS_NAME: config.natsTls.serverName ?? nameIn(certificate, host),
  };
}

/** The host itself when the certificate is for it, otherwise the first name that it has; of `*.example.org` any. */
function nameIn({ leaf }: Certificate, host: string): string {
  return isFor(leaf, host) ? host : (namesOf(leaf)[0] ?? host).replace('*', 'bus');
}

/** Has the bus read its certificate again whenever that has changed. The result ends it. */
export function keepBusCertificate(
  files: CertificateFiles,
  current: Certificate,
  bus: Pick<Part<void>, 'hangUp'>,
  { say }: Words,
): () => void {
  const end = new AbortController();
  const onNew = (): void => {
    say('the certificate has changed: nats-server reads it again');
    bus.hangUp();
  };
  // The gateway warns of its end, since it has the same.
  const onWarning = (): void => undefined;
  void followCertificate({ files, current, clock: realClock, onNew, onWarning }, end.signal);
  return () => end.abort();
}
