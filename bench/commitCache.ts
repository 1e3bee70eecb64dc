import { hash } from 'node:crypto';
import { glob, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';

/** Commits that took long to make, kept in the system's temporary folder for the next run. */

const FOLDER = join(tmpdir(), 'muster-bench');
const ROOT = join(import.meta.dirname, '..');
/** Whatever decides what the commits look like: with another line in one of these files they are made anew. */
const MAKERS = [
  'domain/**/*.ts',
  'gateway/controller/*.ts',
  'infra/log/*.ts',
  'bench/{fleetLife,hosts,referenceLog}.ts',
];
const LENGTH_BYTES = 4;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** The bytes of each commit, made now when nobody has made them before from the same code and `options`. */
export async function cachedCommits(
  name: string,
  options: object,
  make: () => Promise<readonly Uint8Array[]>,
): Promise<readonly Uint8Array[]> {
  const stem = `${name}-`;
  const file = `${stem}${await fingerprint(options)}.zst`;
  await mkdir(FOLDER, { recursive: true });
  const present = (await readdir(FOLDER)).filter((entry) => entry.startsWith(stem));
  if (present.includes(file)) return unpacked(await decompress(await readFile(join(FOLDER, file))));
  const commits = await make();
  const unfinished = join(FOLDER, `.${file}.${process.pid}`);
  await writeFile(unfinished, await compress(packed(commits)));
  await rename(unfinished, join(FOLDER, file));
  await Promise.all(present.map((outdated) => rm(join(FOLDER, outdated), { force: true })));
  return commits;
}

/** One after another, each behind its length as 32 bits. */
export function packed(commits: readonly Uint8Array[]): Buffer {
  const parts = commits.flatMap((bytes) => {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}

export function unpacked(bytes: Buffer): readonly Uint8Array[] {
  const commits: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + LENGTH_BYTES;
    at = from + bytes.readUInt32LE(at);
    commits.push(bytes.subarray(from, at));
  }
  return commits;
}

async function fingerprint(options: object): Promise<string> {
  const files: string[] = [];
  for await (const file of glob(MAKERS, { cwd: ROOT })) files.push(file);
  const contents = await Promise.all(files.toSorted().map((file) => readFile(join(ROOT, file), 'utf8')));
  return hash('sha256', JSON.stringify([options, contents]), 'hex').slice(0, 16);
}
