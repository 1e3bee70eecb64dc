import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A log as each release wrote it, kept for ever: what was recorded once is read, verified and understood by every later build. */
export const RELEASES = join(import.meta.dirname, '../fixtures/logs');

/** One commit a line, in order. */
export async function recordedLines(release: string, log: string): Promise<readonly string[]> {
  return gunzipSync(await readFile(join(RELEASES, release, `${log}.ndjson.gz`)))
    .toString('utf8')
    .trimEnd()
    .split('\n');
}
