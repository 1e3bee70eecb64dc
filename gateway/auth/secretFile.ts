import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * A secret of this gateway, made at the first start and kept in a file that only its owner can read. Written beside and
 * renamed, so that a crash leaves the old one or the new one, never half of one.
 */
export async function secretFromFile(path: string): Promise<string> {
  const present = await readSecret(path);
  if (present !== null) return present;
  const made = randomBytes(32).toString('base64url');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.new`;
  {
    await using file = await open(unfinished, 'w', 0o600);
    await file.writeFile(`${made}\n`);
    await file.sync();
  }
  await rename(unfinished, path);
  return made;
}

async function readSecret(path: string): Promise<string | null> {
  try {
    const text = (await readFile(path, 'utf8')).trim();
    return text === '' ? null : text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
