import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { isPrivateFileError, readPrivateFile } from '../privateFile.ts';
import { hasErrno } from '../start/errors.ts';

/** Where a server's certificate is: two PEM files. */
export interface CertificateFiles {
  /** The certificate, and behind it those that lead to its authority. */
  readonly cert: string;
  /** Its private key, without a password and for its owner alone. */
  readonly key: string;
}

/** A certificate and its key, which belong together. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

/** A certificate cannot be used. The message says which file, why, and what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code = 'CERTIFICATE';
}

export function isCertificateError(error: unknown): error is CertificateError {
  return error instanceof CertificateError;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const MOST_BYTES = 256 * 1024;
const DAY_MS = 86_400_000;
/** A certificate is told to be at its end for the last fifth of its life, and not earlier than these days before. */
const LAST_PART = 0.2;
const MOST_DAYS_BEFORE = 14;

/** Reads both files. Throws CertificateError when they cannot be read, are not what they should be, or do not belong together. */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readText(files.cert), readKey(files.key)]);
  const leaf = attempt(`${files.cert} holds no certificate in PEM`, () => new X509Certificate(cert));
  const privateKey = attempt(`${files.key} holds no private key in PEM without a password`, () =>
    createPrivateKey(key),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new CertificateError(`the key in ${files.key} does not belong to the certificate in ${files.cert}`);
  }
  attempt(`${files.cert} and ${files.key} cannot be used`, () => createSecureContext({ cert, key }));
  return { cert, key, leaf };
}

/** The certificates of authorities in a file, each PEM. Throws CertificateError when it cannot be read or holds none. */
export async function readAuthorities(path: string): Promise<readonly string[]> {
  const found = (await readText(path)).match(PEM_CERTIFICATE) ?? [];
  attempt(`${path} holds no certificate in PEM`, () => {
    if (found.length === 0) throw new RangeError('there is no BEGIN CERTIFICATE in it');
    for (const one of found) void new X509Certificate(one);
  });
  return found;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) throw new CertificateError(`${path} is not there`, { cause: error });
    if (hasErrno(error, 'EACCES', 'EISDIR', 'EPERM')) {
      throw new CertificateError(`${path} cannot be read (${error.message})`, { cause: error });
    }
    throw error;
  }
}

async function readKey(path: string): Promise<string> {
  try {
    const text = await readPrivateFile(path, MOST_BYTES);
    if (text !== null) return text;
  } catch (error) {
    if (isPrivateFileError(error)) throw new CertificateError(error.message, { cause: error });
    throw error;
  }
  throw new CertificateError(`${path} is not there`);
}

function attempt<Value>(sentence: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    throw new CertificateError(sentence, { cause: error });
  }
}

/** The host names and addresses that a certificate is for, as it has them: `*.example.org` among them. */
export function namesOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return namesIn(subjectAltName);
}

/** Those in `DNS:bus.test, IP Address:10.0.0.1`, as Node writes them. */
export function namesIn(alternativeNames: string): readonly string[] {
  return [...alternativeNames.matchAll(/(?:^|, )(?:DNS|IP Address):([^,\s]+)/g)].map(([, name = '']) => name);
}

/** Whether it is for a host name or an address. */
export function isFor(leaf: X509Certificate, host: string): boolean {
  if (host === '') return false;
  return (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) !== undefined;
}

/** A sentence when the certificate is not valid yet, not any more, or not for long; null otherwise. */
export function expiryWarning(leaf: X509Certificate, path: string, nowMs: number): string | null {
  const [from, to] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  const until = leaf.validToDate.toISOString();
  if (nowMs < from) return `the certificate in ${path} is not valid before ${leaf.validFromDate.toISOString()}`;
  if (nowMs >= to) return `the certificate in ${path} expired at ${until}: nobody trusts it any more, replace it`;
  const warnFrom = Math.max(to - (to - from) * LAST_PART, to - MOST_DAYS_BEFORE * DAY_MS);
  return nowMs < warnFrom ? null : `the certificate in ${path} expires at ${until}: replace it before`;
}
