import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let made: string | null = null;

/** The key file of all gateways that this process starts, so that those on one bus share it; removed with the process. */
export function sharedKeyFile(): string {
  if (made !== null) return made;
  const folder = mkdtempSync(join(tmpdir(), 'muster-key-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  made = join(folder, 'secrets.key');
  writeFileSync(made, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  return made;
}
