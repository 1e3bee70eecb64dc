import { execFile } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { temporaryFolder } from './folder.ts';

const BLOCK_BYTES = 4096;
const execute = promisify(execFile);

/** A file system in memory, gone with the test. Only root may mount it. */
export async function smallDisk(t: ExecutionContext, megabytes: number): Promise<string> {
  const folder = join(await temporaryFolder(t), 'disk');
  await mkdir(folder);
  await execute('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'muster-test', folder]);
  t.teardown(() => execute('umount', ['--lazy', folder]));
  return folder;
}

/** Takes all the room that is left on a disk. Gives it back when it is removed. */
export async function fill(disk: string): Promise<string> {
  const path = join(disk, 'filler');
  const file = await open(path, 'w');
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    return path;
  } finally {
    await file.close();
  }
}
