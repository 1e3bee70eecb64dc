import type { Edge } from './edge.ts';

/** Signs in as the machine's administrator. The token stands in the fragment, which browsers keep to themselves. */
export function newSignInLink(edge: Pick<Edge, 'access' | 'origin'>): { url: string; expiresAt: string } {
  const { token, expiresAt } = edge.access.tokens.make();
  return { url: `${edge.origin}/#sign-in=${token}`, expiresAt };
}

/** With which a person sets a password. */
export function passwordLink({ origin }: Pick<Edge, 'origin'>, token: string): string {
  return `${origin}/#set-password=${token}`;
}
