import { open, unlink, type FileHandle } from 'node:fs/promises';
import type { ManagerTokenRow } from '../http/schemas/managerTokens.ts';
import { openClient } from './client.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { aboutAgo, age, print, printJson, table, withReason, type JsonOption, type ReasonOption } from './output.ts';

export async function listTokens({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const answer = await client.call<{ readonly managerTokens: readonly ManagerTokenRow[] }>('/manager-tokens');
  if (json === true) return printJson(answer);
  if (answer.managerTokens.length === 0) {
    return print('No manager token is live. `npx muster manager-token issue` issues one.');
  }
  const now = Date.now();
  const rows = answer.managerTokens.map(({ tokenId, fingerprint, issuedAt, lastUsedAt }) => [
    tokenId,
    `${age(issuedAt, now)} ago`,
    aboutAgo(lastUsedAt, now),
    fingerprint,
  ]);
  print(table(['TOKEN', 'ISSUED', 'USED', 'FINGERPRINT'], rows));
}

export interface IssueTokenOptions extends JsonOption, ReasonOption {
  readonly out?: string;
}

interface Issued {
  readonly managerToken: ManagerTokenRow;
  readonly text: string;
}

/** The token alone on standard output, or in a new file that only its owner may read; it is nowhere else. */
export async function issueToken(options: IssueTokenOptions): Promise<void> {
  const { out, json } = options;
  const client = await openClient();
  const ask = (): Promise<Issued> => client.call('/manager-tokens', { method: 'POST', body: withReason(options) });
  const { managerToken, text } = out === undefined ? await ask() : await issuedInto(out, ask);
  if (json === true) return printJson(out === undefined ? { managerToken, text } : { managerToken });
  const where = out === undefined ? 'This is the token; it is shown this once:' : `The token is in ${out}.`;
  process.stderr.write(`${managerToken.tokenId}: admits agents until it is revoked. ${where}\n`);
  if (out === undefined) print(text);
  process.stderr.write(`On a host: npx muster agent --join <bus url> --token-file ${out ?? '<file>'}\n`);
}

export interface RevokeTokenOptions extends JsonOption, ReasonOption {
  readonly force?: boolean;
}

export async function revokeToken(tokenId: string, options: RevokeTokenOptions): Promise<void> {
  const client = await openClient();
  const query = options.force === true ? '?force=true' : '';
  const path = `/manager-tokens/${encodeURIComponent(tokenId)}${query}`;
  await client.call(path, { method: 'DELETE', body: withReason(options) });
  if (options.json === true) return printJson({ tokenId });
  print(`${tokenId}: revoked`);
}

/** The file is there before the token is asked for: one that could not be kept would be lost. */
async function issuedInto(path: string, ask: () => Promise<Issued>): Promise<Issued> {
  await using file = await newFile(path);
  let issued: Issued | null = null;
  try {
    issued = await ask();
    await file.writeFile(`${issued.text}\n`);
    await file.sync();
    return issued;
  } catch (error) {
    await unlink(path);
    if (issued === null) throw error;
    const { tokenId } = issued.managerToken;
    throw new CliError(
      ExitCode.failure,
      `the token ${tokenId} was issued, but ${path} could not be written: ${reasonOf(error)}`,
      [`Revoke it: npx muster manager-token revoke ${tokenId} --reason <text>`],
      error,
    );
  }
}

async function newFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const message = `${path} cannot be made, so no token was issued: ${reasonOf(error)}`;
    throw new CliError(ExitCode.usage, message, ['--out takes a file that is not there yet.'], error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
