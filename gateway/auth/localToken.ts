import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Rejection } from '../../domain/decision.ts';
import type { AnyEvent } from '../../domain/events.ts';
import type { FleetState } from '../../domain/fleet/state.ts';
import type { ManagerTokenCommand } from '../../domain/managerTokens/commands.ts';
import { isPrivateFileError, readPrivateFile } from '../../infra/privateFile.ts';
import type { ManagerTokens } from './managerTokens.ts';

/** Longer than any token. */
const MOST_BYTES = 1024;

export interface LocalTokenPorts {
  /** Where the agent on this machine finds it. */
  readonly path: string;
  readonly tokens: Pick<ManagerTokens, 'verify' | 'textOf' | 'make' | 'forget'>;
  readonly fleet: () => Pick<FleetState, 'managerTokens'>;
  /** Null: it is recorded. Throws while the log is away. */
  readonly record: (command: ManagerTokenCommand) => Promise<Rejection | null>;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

export interface LocalToken {
  /** Rejects while log or secrets are away. */
  ensure(): Promise<void>;
  /** To be told of everything that the fleet's log says: a token that was revoked is replaced. */
  note(events: readonly Pick<AnyEvent, 'type'>[]): void;
}

export function localToken(ports: LocalTokenPorts): LocalToken {
  // One after another: each looks at what the one before has left.
  let last: Promise<void> = Promise.resolve();
  const ensure = (): Promise<void> => (last = last.catch(() => undefined).then(() => ensureLocalToken(ports)));
  return {
    ensure,
    note(events) {
      if (!events.some(({ type }) => type === 'ManagerTokenRevoked')) return;
      const trouble = 'the agent on this machine may be without a manager token until the gateway is started again';
      ensure().catch((error: unknown) => ports.onTrouble(trouble, error));
    },
  };
}

/**
 * Sees to it that the agent which is started along with this gateway has a live manager token in its file, mode 0600: the one that is
 * there, else the newest live one, else a new one, which is the first that the fleet has.
 */
async function ensureLocalToken(ports: LocalTokenPorts): Promise<void> {
  const { path, tokens, fleet } = ports;
  const present = await presentIn(path);
  if (present !== null && tokens.verify(present.trim()) !== null) return;
  const newest = [...fleet().managerTokens.keys()].toReversed();
  const live = newest.map((tokenId) => tokens.textOf(tokenId)).find((text) => text !== null);
  await writePrivate(path, `${live ?? (await newToken(ports))}\n`);
}

/** What is open to others than its owner is no secret any more, and is replaced. */
async function presentIn(path: string): Promise<string | null> {
  try {
    return await readPrivateFile(path, MOST_BYTES);
  } catch (error) {
    if (isPrivateFileError(error)) return null;
    throw error;
  }
}

async function newToken({ tokens, record }: LocalTokenPorts): Promise<string> {
  const { tokenId, text, fingerprint } = await tokens.make();
  const rejected = await record({ type: 'IssueManagerToken', tokenId, fingerprint });
  if (rejected === null) return text;
  await tokens.forget(tokenId);
  throw new Error(`the first manager token could not be issued: ${rejected.message}`);
}

async function writePrivate(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    {
      await using file = await open(unfinished, 'wx', 0o600);
      await file.writeFile(text);
      await file.sync();
    }
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
