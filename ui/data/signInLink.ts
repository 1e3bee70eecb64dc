/** A sign-in link carries its token in the fragment, which browsers never send to a server. */
const PREFIX = '#sign-in=';

export function signInToken(hash: string): string | null {
  return hash.startsWith(PREFIX) && hash.length > PREFIX.length ? decodeURIComponent(hash.slice(PREFIX.length)) : null;
}
