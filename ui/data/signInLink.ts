/** What a link was made for: to sign in as the machine's administrator, or to set a password of one's own. */
export interface SecretLink {
  readonly kind: 'sign-in' | 'set-password';
  readonly token: string;
}

const KINDS = ['sign-in', 'set-password'] as const;

/** Such a link carries its token in the fragment, which browsers never send to a server. */
export function secretLink(hash: string): SecretLink | null {
  for (const kind of KINDS) {
    const prefix = `#${kind}=`;
    if (hash.startsWith(prefix) && hash.length > prefix.length)
      return { kind, token: decoded(hash.slice(prefix.length)) };
  }
  return null;
}

/** Whose password is set with it: the gateway writes the account before the dot. */
export function accountOfToken(token: string): string {
  return token.split('.')[0] ?? '';
}

/** What was copied by halves is no token; the gateway says so better than an exception here. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
