import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isPrivateFileError, readPrivateFile } from '../privateFile.ts';
import { hasErrno } from '../start/errors.ts';
import { SecretError, SecretErrorCode } from './errors.ts';

/**
 * The key that the secrets of a bus are encrypted with: a file with 32 random bytes in base64url and a line end, which only
 * its owner may read. Every gateway of the bus has the same.
 */
const KEY_BYTES = 32;
const KEY_TEXT = /^[A-Za-z0-9_-]{43}$/;
/** Longer than any key. */
const MOST_BYTES = 1024;

/** The key in the file, null when there is none. Throws SecretError SECRETS_KEY_FILE when it may not be used or is no key. */
export async function readKeyFile(path: string): Promise<Uint8Array | null> {
  const text = (await readText(path))?.trimEnd();
  if (text === undefined) return null;
  if (KEY_TEXT.test(text)) return Buffer.from(text, 'base64url');
  throw unusable(`${path} holds no key of ${KEY_BYTES} bytes in base64url`);
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readPrivateFile(path, MOST_BYTES);
  } catch (error) {
    if (isPrivateFileError(error)) throw unusable(error.message, error);
    throw error;
  }
}

/**
 * Makes a new key and its file, all of it or nothing, and returns it. When another process has just made one there, that one
 * is returned.
 */
export async function makeKeyFile(path: string): Promise<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    try {
      await writeSynced(unfinished, `${key.toString('base64url')}\n`);
      // Fails when the name is taken, which renaming would not.
      await link(unfinished, path);
    } finally {
      await rm(unfinished, { force: true });
    }
    await syncFolder(dirname(path));
    return key;
  } catch (error) {
    const present = hasErrno(error, 'EEXIST') ? await readKeyFile(path) : null;
    if (present !== null) return present;
    const why = error instanceof Error ? error.message : String(error);
    throw unusable(`${path} cannot be made (${why})`, error);
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** A key that is used must still be there after a power cut: what is encrypted with it is lost otherwise. */
async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function unusable(why: string, cause?: unknown): SecretError {
  const message = `the key of the secrets cannot be used: ${why}; MUSTER_SECRETS_KEY names another file`;
  return new SecretError(SecretErrorCode.KeyFile, message, cause);
}
