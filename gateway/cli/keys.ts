import type { KeyRow } from '../http/schemas/keys.ts';
import { openClient } from './client.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { aboutAgo, print, printJson, table, withReason, type JsonOption, type ReasonOption } from './output.ts';

export async function listKeys({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const answer = await client.call<{ readonly keys: readonly KeyRow[] }>('/keys');
  if (json === true) return printJson(answer);
  if (answer.keys.length === 0) return print('No key was issued. `npx muster keys issue <name>` issues one.');
  const now = Date.now();
  const rows = answer.keys.map((key) => [
    key.keyId,
    key.name,
    key.role,
    key.expiresAt === null ? 'never' : `${key.expiresAt}${key.expired ? ' (expired)' : ''}`,
    aboutAgo(key.lastUsedAt, now),
    key.fingerprint,
  ]);
  print(table(['KEY', 'NAME', 'ROLE', 'EXPIRES', 'USED', 'FINGERPRINT'], rows));
}

export interface IssueOptions extends JsonOption, ReasonOption {
  readonly role: string;
  readonly days?: string;
}

/** The secret alone on standard output, so that a script can keep it; it is nowhere else. */
export async function issueKey(name: string, options: IssueOptions): Promise<void> {
  const client = await openClient();
  const expiresAt = options.days === undefined ? null : inDays(options.days);
  const body = withReason(options, { name, role: options.role, expiresAt });
  const answer = await client.call<{ readonly key: KeyRow; readonly secret: string }>('/keys', {
    method: 'POST',
    body,
  });
  if (options.json === true) return printJson(answer);
  const { keyId, role } = answer.key;
  const until = expiresAt === null ? 'until it is revoked' : `until ${expiresAt}`;
  process.stderr.write(`${keyId}: ${role}, ${until}. This is the key; it is shown this once:\n`);
  print(answer.secret);
}

export async function revokeKey(keyId: string, options: JsonOption & ReasonOption): Promise<void> {
  const client = await openClient();
  await client.call(`/keys/${encodeURIComponent(keyId)}`, { method: 'DELETE', body: withReason(options) });
  if (options.json === true) return printJson({ keyId });
  print(`${keyId}: revoked`);
}

function inDays(text: string): string {
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < 1) {
    throw new CliError(ExitCode.usage, `--days takes a whole number from 1 on, not "${text}"`);
  }
  return new Date(Date.now() + days * 86_400_000).toISOString();
}
