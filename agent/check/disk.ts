import { statfs } from 'node:fs/promises';
import { formatBytes } from '../../domain/units.ts';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { whyNot, type Look } from './probe.ts';

const CHECK = 'disk';
const WARN_SHARE = 0.1;
const WARN_BYTES = 10 * 1024 ** 3;
const WRONG_SHARE = 0.02;

export type DiskSpace = { readonly freeBytes: number; readonly totalBytes: number };

/** Of the file system that holds `path`, as a user who is not root may use it. */
export async function diskSpaceAt(path: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Whether images and containers have room. `path` is the engine's data root; null: the engine did not answer. */
export function judgeDisk(path: string | null, look: Look<DiskSpace> | null): Finding {
  if (path === null || look === null) return warning(CHECK, 'not looked at, because the engine does not answer');
  if (look.kind !== 'seen') return warning(CHECK, `the room of ${path} could not be read: ${whyNot(look)}`);
  const { freeBytes, totalBytes } = look.facts;
  const share = totalBytes === 0 ? 0 : freeBytes / totalBytes;
  const said = `${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} (${(share * 100).toFixed(0)} %) are free for ${path}`;
  const mend = 'docker system df shows what takes it; docker image prune -a removes the images that no container uses';
  if (share < WRONG_SHARE) return wrong(CHECK, `only ${said}: images and sessions have no room`, mend);
  if (share < WARN_SHARE || freeBytes < WARN_BYTES) return warning(CHECK, `only ${said}`, mend);
  return ok(CHECK, said);
}
