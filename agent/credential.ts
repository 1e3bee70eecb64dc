import { readFileSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  agentPassword,
  fingerprintOf,
  isAgentSecret,
  looksLikeManagerToken,
  newAgentSecret,
} from '../infra/agentIdentity.ts';
import { isPrivateFileError, readPrivateFile } from '../infra/privateFile.ts';

/** Longer than any secret or token. */
const MOST_BYTES = 1024;

/** What an agent shows the bus. */
export interface Credential {
  /** Of its own secret: what an operator compares before approving it. */
  readonly fingerprint: string;
  /** As it is now: the file with the manager token is read with every connection, so a new token needs no restart. */
  password(): string;
}

/** There is no credential to show. The message says why, and what to do. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
  readonly code = 'AGENT_CREDENTIAL';
}

export function isCredentialError(error: unknown): error is CredentialError {
  return error instanceof CredentialError;
}

export interface CredentialFiles {
  /** Of the agent's own secret; it is made when there is none. */
  readonly secret: string;
  readonly managerToken: string;
}

/** Reads both files, which must be their owner's alone, and makes the secret when there is none. Throws CredentialError. */
export async function openCredential(files: CredentialFiles): Promise<Credential> {
  const token = await tokenIn(files.managerToken);
  return credentialOf(files, token, (await secretIn(files.secret)) ?? (await makeSecret(files.secret)));
}

/** The same, making nothing; null: this agent has no secret, since it never ran. Throws CredentialError. */
export async function presentCredential(files: CredentialFiles): Promise<Credential | null> {
  const token = await tokenIn(files.managerToken);
  const secret = await secretIn(files.secret);
  return secret === null ? null : credentialOf(files, token, secret);
}

function credentialOf(files: CredentialFiles, first: string, secret: string): Credential {
  let token = first;
  return {
    fingerprint: fingerprintOf(secret),
    password() {
      token = tokenNow(files.managerToken) ?? token;
      return agentPassword(token, secret);
    },
  };
}

async function tokenIn(path: string): Promise<string> {
  const text = (await textIn(path))?.trim();
  if (text === undefined) {
    const message =
      `there is no manager token in ${path}: on a gateway, npx muster manager-token issue --out FILE makes one; bring the file ` +
      'here and name it with --token-file or MUSTER_MANAGER_TOKEN_FILE';
    throw new CredentialError(message);
  }
  if (looksLikeManagerToken(text)) return text;
  throw new CredentialError(`what stands in ${path} is no manager token (mt_…)`);
}

/** Null: what stands there now is none, as while somebody replaces it. */
function tokenNow(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return looksLikeManagerToken(text) ? text : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

async function secretIn(path: string): Promise<string | null> {
  const present = (await textIn(path))?.trim();
  if (present === undefined) return null;
  if (isAgentSecret(present)) return present;
  throw new CredentialError(`what stands in ${path} is not the secret of an agent`);
}

/** Written beside and renamed: a crash leaves none, or a whole one. With a lost secret an agent would be another one. */
async function makeSecret(path: string): Promise<string> {
  const made = newAgentSecret();
  const unfinished = `${path}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  {
    await using file = await open(unfinished, 'w', 0o600);
    await file.writeFile(`${made}\n`);
    await file.sync();
  }
  await rename(unfinished, path);
  {
    await using folder = await open(dirname(path), 'r');
    await folder.sync();
  }
  return made;
}

async function textIn(path: string): Promise<string | undefined> {
  try {
    return (await readPrivateFile(path, MOST_BYTES)) ?? undefined;
  } catch (error) {
    if (isPrivateFileError(error)) throw new CredentialError(error.message, { cause: error });
    throw error;
  }
}
