import { namesIn } from './certificate.ts';

/**
 * Why a certificate was not trusted, in a clause such as `its authority is not known here`; null when an error is about
 * something else. Looks at the causes too, since fetch hides what happened there.
 */
export function whyUntrusted(error: unknown): string | null {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const code = 'code' in each ? String(each.code) : '';
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return wrongName(each);
    const known = REASONS[code];
    if (known !== undefined) return known;
  }
  return null;
}

/** Node's codes, which are OpenSSL's. */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  CERT_REVOKED: 'it was revoked',
  CERT_SIGNATURE_FAILURE: 'it was not signed by the authority that it names',
  CERT_UNTRUSTED: 'its authority is not trusted here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself, and is not known here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not known here',
  INVALID_CA: 'its authority may not sign certificates',
};

/** Node's error carries the host that was asked for and the certificate. */
function wrongName(error: Error): string {
  const { host, cert } = error as { readonly host?: unknown; readonly cert?: { readonly subjectaltname?: string } };
  const names = namesIn(cert?.subjectaltname ?? '').slice(0, 10);
  return `it is for ${names.length === 0 ? 'no name' : names.join(', ')}, not for ${String(host)}`;
}
