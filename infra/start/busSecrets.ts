import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { hasErrno } from './errors.ts';

const busSecrets = z.object({ logPassword: z.string().min(16), appPassword: z.string().min(16) });
export type BusSecrets = Readonly<z.output<typeof busSecrets>>;

/** The bus's two passwords, made once and kept in the data folder, readable by its owner alone. */
export async function busSecretsOf(dataDir: string): Promise<BusSecrets> {
  const path = join(dataDir, 'bus.json');
  try {
    return busSecrets.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  const made: BusSecrets = { logPassword: password(), appPassword: password() };
  const unfinished = `${path}.new`;
  {
    await using file = await open(unfinished, 'w', 0o600);
    await file.writeFile(`${JSON.stringify(made)}\n`);
    await file.sync();
  }
  await rename(unfinished, path);
  return made;
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
