import { access, copyFile, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { cacheFolder } from '../../infra/tools/cache.ts';
import { runCommand } from '../../infra/tools/command.ts';
import { fetchDebian } from '../../infra/tools/debian.ts';

export const BUSYBOX_IMAGE = 'muster-test/busybox:1';
/** Sleeps until SIGTERM and ends at once then, with exit code 0. */
export const SLEEPER_IMAGE = 'muster-test/sleeper:1';

/** A file that `docker import` takes: /bin with busybox and a link for every one of its programs. */
export function busyboxTar(): Promise<string> {
  tar ??= makeTar();
  return tar;
}

let tar: Promise<string> | undefined;

/** Makes both images, with `docker import`, unless they are there. */
export async function importBusybox(docker: Docker): Promise<void> {
  await importTestImage(docker, BUSYBOX_IMAGE, ['CMD ["/bin/sh"]']);
  const sleep = "trap 'exit 0' TERM; sleep 2147483647 & wait";
  await importTestImage(docker, SLEEPER_IMAGE, [`CMD ${JSON.stringify(['/bin/sh', '-c', sleep])}`]);
}

/** `changes` are lines of a Dockerfile, such as `ENV A=b`. */
export async function importTestImage(docker: Docker, reference: string, changes: readonly string[]): Promise<void> {
  const present = await docker.listImages({ filters: { reference: [reference] } });
  if (present.length > 0) return;
  const [repo, tag] = reference.split(':');
  const answer = await docker.importImage(await busyboxTar(), { repo, tag, changes });
  for await (const line of answer) if (String(line).includes('"error"')) throw new Error(String(line));
}

/** Debian's statically linked busybox, fetched once. */
export async function busyboxProgram(): Promise<string> {
  const into = join(cacheFolder(), 'debian-system-busybox-static');
  const options = { suite: 'system', packages: ['busybox-static'], withDependencies: false, onProgress: () => {} };
  const { root } = await fetchDebian({ ...options, into });
  // Debian moved it from /bin to /usr/bin after release 12.
  const old = join(root, 'bin/busybox');
  return access(old).then(
    () => old,
    () => join(root, 'usr/bin/busybox'),
  );
}

async function makeTar(): Promise<string> {
  const file = join(cacheFolder(), 'busybox-image-1.tar');
  const made = await access(file).then(
    () => true,
    () => false,
  );
  if (made) return file;
  const program = await busyboxProgram();
  const work = await mkdtemp(join(tmpdir(), 'muster-busybox-'));
  const folder = join(work, 'image');
  for (const each of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev']) await mkdir(join(folder, each), { recursive: true });
  await copyFile(program, join(folder, 'bin/busybox'));
  const applets = await runCommand(program, ['--list']);
  for (const name of applets.stdout.split('\n').filter((each) => each !== '' && each !== 'busybox')) {
    await symlink('busybox', join(folder, 'bin', name));
  }
  const packed = await runCommand('tar', ['-cf', join(work, 'image.tar'), '-C', folder, '.']);
  if (packed.code !== 0) throw new Error(`tar ended with ${packed.code}: ${packed.stderr}`);
  // Several test files may make it at once; each renames its own whole file into place.
  const beside = `${file}.${process.pid}-${process.hrtime.bigint()}`;
  await copyFile(join(work, 'image.tar'), beside);
  await rename(beside, file);
  await rm(work, { recursive: true, force: true });
  return file;
}
