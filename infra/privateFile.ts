import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hasErrno } from './start/errors.ts';

/** A file that must be its owner's alone is not, or cannot be read. The message says which, and what to do. */
export class PrivateFileError extends Error {
  override readonly name = 'PrivateFileError';
  readonly code = 'PRIVATE_FILE';
}

export function isPrivateFileError(error: unknown): error is PrivateFileError {
  return error instanceof PrivateFileError;
}

const OTHERS_MAY_ACT = 0o077;

/**
 * The text of a file that nobody but its owner may read or write; null when it is not there. Throws PrivateFileError for one
 * that is open to others, is no file, cannot be read or has more than `mostBytes`.
 */
export async function readPrivateFile(path: string, mostBytes: number): Promise<string | null> {
  try {
    // Without waiting, since a pipe would keep whoever opens it until somebody writes.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // Asked of what was opened, so that what is read is what was judged.
    const found = await file.stat();
    const { mode, size } = found;
    if (!found.isFile()) throw new PrivateFileError(`${path} is no file`);
    if ((mode & OTHERS_MAY_ACT) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw new PrivateFileError(`${path} is open to others than its owner (mode ${octal}): chmod 600 ${path}`);
    }
    if (size > mostBytes) throw new PrivateFileError(`${path} has ${size} bytes, more than ${mostBytes}`);
    return await file.readFile('utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    if (hasErrno(error, 'EACCES', 'EISDIR', 'ENOTDIR', 'ELOOP', 'EPERM')) {
      throw new PrivateFileError(`${path} cannot be read (${error.message})`, { cause: error });
    }
    throw error;
  }
}
