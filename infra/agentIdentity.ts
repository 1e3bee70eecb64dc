import { hash, randomBytes } from 'node:crypto';

/**
 * How an agent shows the bus who it is: the manager token admits it, a secret of its own tells it from every other. Both
 * sides of the wire are here.
 */
const SECRET_BYTES = 32;
/** Neither part has a dot in it. */
const PASSWORD = /^(mt_[a-z2-7]{12}_[A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
const TOKEN = /^mt_[a-z2-7]{12}_[A-Za-z0-9_-]{43}$/;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const CLIENT_NAME = /^muster-agent(-simulated)? ([\x21-\x7e]{1,255})$/;

export function newAgentSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function isAgentSecret(text: string): boolean {
  return SECRET.test(text);
}

export function looksLikeManagerToken(text: string): boolean {
  return TOKEN.test(text);
}

/** With which an agent connects, its id being the user. */
export function agentPassword(managerToken: string, agentSecret: string): string {
  return `${managerToken}.${agentSecret}`;
}

/** Null: it is not an agent's. */
export function partsOfAgentPassword(password: string): { readonly token: string; readonly secret: string } | null {
  const [, token, secret] = PASSWORD.exec(password) ?? [];
  return token === undefined || secret === undefined ? null : { token, secret };
}

/**
 * Shows which secret an agent has and gives nothing of it away, since that has 256 random bits. Written as ssh writes those of
 * its keys, so that people compare it in the way they know.
 */
export function fingerprintOf(agentSecret: string): string {
  return `SHA256:${hash('sha256', agentSecret, 'base64url')}`;
}

/** How an agent calls itself to the bus: what it tells of its host before it was ever heard. */
export function agentClientName({ hostname, simulated }: AgentHost): string {
  return `muster-agent${simulated ? '-simulated' : ''} ${hostname}`;
}

export interface AgentHost {
  readonly hostname: string;
  readonly simulated: boolean;
}

/** Null: it does not call itself as agents do. */
export function hostOfClientName(name: string): AgentHost | null {
  const [, simulated, hostname] = CLIENT_NAME.exec(name) ?? [];
  return hostname === undefined ? null : { hostname, simulated: simulated !== undefined };
}
