import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../infra/tools/cache.ts';
import { CommandNotStarted, runCommand, type CommandResult } from '../../infra/tools/command.ts';
import { fetchDebian } from '../../infra/tools/debian.ts';

/** Runs the machine's systemd-analyze, else Debian's, unpacked privately. It needs no running systemd. */
export async function systemdAnalyze(args: readonly string[]): Promise<CommandResult> {
  try {
    return await runCommand('systemd-analyze', args);
  } catch (error) {
    if (!(error instanceof CommandNotStarted)) throw error;
    return await unpackedSystemdAnalyze(args);
  }
}

async function unpackedSystemdAnalyze(args: readonly string[]): Promise<CommandResult> {
  const into = join(cacheFolder(), 'debian-system-systemd');
  const options = { suite: 'system', packages: ['systemd'], withDependencies: true, onProgress: () => {} };
  const { root } = await fetchDebian({ ...options, into });
  const folders = ['lib', 'usr/lib'].map((folder) => join(root, folder));
  const libraries = (await Promise.all(folders.map(libraryFolders))).flat();
  return await runCommand(join(root, 'usr/bin/systemd-analyze'), args, {
    env: { LD_LIBRARY_PATH: libraries.join(':') },
  });
}

async function libraryFolders(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  const triplets = names.filter((name) => name.endsWith('-linux-gnu')).map((name) => join(folder, name));
  return [...triplets, ...triplets.map((triplet) => join(triplet, 'systemd'))];
}
