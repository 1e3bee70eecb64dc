import { randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readPrivateFile } from '../../infra/privateFile.ts';

/** Longer than any secret that is made here. */
const MOST_BYTES = 1024;

/**
 * A secret of this gateway, made at the first start and kept in a file that only its owner can read. Written beside and
 * renamed, so that a crash leaves the old one or the new one, never half of one. Throws PrivateFileError when others can read it.
 */
export async function secretFromFile(path: string): Promise<string> {
  const present = (await readPrivateFile(path, MOST_BYTES))?.trim() ?? '';
  if (present !== '') return present;
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
