import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file in test/fixtures/nvidia; `driver-mismatch.exit18.txt` goes with exit code 18. */
export function nvidiaFixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/nvidia/${name}`, import.meta.url));
}

/**
 * Writes a program `nvidia-smi` that prints a fixture and returns the folder that goes first on the PATH of an agent.
 * Null: a program that never answers.
 */
export async function stubNvidiaSmi(folder: string, fixture: string | null): Promise<string> {
  const exitCode = /\.exit(\d+)\./.exec(fixture ?? '')?.[1] ?? '0';
  const body = fixture === null ? 'exec sleep 1000000' : `cat '${nvidiaFixture(fixture)}'\nexit ${exitCode}`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'nvidia-smi'), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return folder;
}
