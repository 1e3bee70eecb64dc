import { access, constants, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { runCommand } from './command.ts';
import { fetchDebian } from './debian.ts';

export type DockerPrograms = {
  /** The search path that the engine is started with. */
  readonly path: string;
  readonly version: string;
  readonly knowsCdi: boolean;
};

/** The first major version that reads `cdi-spec-dirs`. */
const FIRST_WITH_CDI = 25;
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const IPTABLES_NAMES = [
  'iptables',
  'ip6tables',
  'iptables-save',
  'iptables-restore',
  'ip6tables-save',
  'ip6tables-restore',
];

/**
 * Finds dockerd, containerd, runc and iptables: what the machine has, else unpacked privately. The engine itself comes
 * from the newer suite because it knows CDI; runc and iptables need this machine's own libc, so they come from its own.
 * With a version such as `20.10` it is the first of them of that version, and an error where none is.
 */
export async function findDockerPrograms(
  root: string,
  nvidia: boolean,
  version: string | undefined,
  onProgress: (step: string) => void,
): Promise<DockerPrograms> {
  const bin = join(root, 'bin');
  await mkdir(bin, { recursive: true });
  const own = [...new Set([...(process.env['PATH'] ?? '').split(':'), ...SYSTEM_FOLDERS])].filter((f) => f !== '');
  await provideHelpers(bin, own, onProgress);
  if (nvidia) await writeScript(join(bin, 'nvidia-container-runtime-hook'), 'exit 0');
  const seen: string[] = [];
  for await (const folders of engines(own, onProgress)) {
    const found = await programsOn([bin, ...folders, ...own].join(':')).catch(() => undefined);
    if (found !== undefined && isOfVersion(found, version)) return found;
    seen.push(found?.version ?? 'one that does not run on this system');
  }
  throw new Error(`there is no Docker engine${version === undefined ? '' : ` ${version}`}, only ${seen.join(', ')}`);
}

/** The folders with dockerd and containerd to put before those of the machine: none at first when it has both itself. */
async function* engines(own: readonly string[], onProgress: (step: string) => void): AsyncGenerator<readonly string[]> {
  if ((await isOnPath('dockerd', own)) && (await isOnPath('containerd', own))) yield [];
  yield programFolders(await unpacked('forky', ['docker.io', 'containerd'], false, onProgress));
  onProgress('taking the Docker engine of this release');
  yield programFolders(await unpacked('system', ['docker.io', 'containerd'], true, onProgress));
}

function programFolders(tree: string): readonly string[] {
  return [join(tree, 'usr/sbin'), join(tree, 'usr/bin')];
}

function isOfVersion(found: DockerPrograms, version: string | undefined): boolean {
  return version === undefined || found.version === version || found.version.startsWith(`${version}.`);
}

/** Puts runc and iptables into `bin` when the machine lacks one of them. */
async function provideHelpers(bin: string, own: readonly string[], onProgress: (step: string) => void): Promise<void> {
  if ((await isOnPath('runc', own)) && (await isOnPath('iptables', own))) return;
  const tree = await unpacked('system', ['runc', 'iptables'], true, onProgress);
  const libraries = await libraryFolder(tree);
  const environment = `LD_LIBRARY_PATH='${libraries}' XTABLES_LIBDIR='${libraries}/xtables'`;
  for (const name of IPTABLES_NAMES) {
    await writeScript(join(bin, name), `${environment} exec '${tree}/usr/sbin/xtables-nft-multi' ${name} "$@"`);
  }
  await writeScript(join(bin, 'runc'), `${environment} exec '${tree}/usr/sbin/runc' "$@"`);
}

async function programsOn(path: string): Promise<DockerPrograms> {
  const said = await runCommand('dockerd', ['--version'], {
    env: { PATH: path },
    timeoutMs: 10_000,
  });
  const version = /version (\d+)(\.[\w.+~-]+)/.exec(said.stdout);
  if (said.code !== 0 || version === null) {
    throw new Error(`dockerd --version ended with ${said.code}: ${said.stderr.trim()}`);
  }
  return {
    path,
    version: `${version[1]}${version[2]}`,
    knowsCdi: Number(version[1]) >= FIRST_WITH_CDI,
  };
}

async function unpacked(
  suite: 'forky' | 'system',
  packages: readonly string[],
  withDependencies: boolean,
  onProgress: (step: string) => void,
): Promise<string> {
  const into = join(cacheFolder(), `debian-${suite}-${packages.join('-')}`);
  return (await fetchDebian({ suite, packages, into, withDependencies, onProgress })).root;
}

async function libraryFolder(tree: string): Promise<string> {
  const library = join(tree, 'usr/lib');
  const triplet = (await readdir(library)).find((name) => name.endsWith('-linux-gnu'));
  if (triplet === undefined) throw new Error(`${library} holds no libraries for iptables`);
  return join(library, triplet);
}

async function writeScript(file: string, body: string): Promise<void> {
  await writeFile(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

async function isOnPath(program: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const usable = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return true;
  }
  return false;
}
