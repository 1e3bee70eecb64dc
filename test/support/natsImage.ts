import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type Docker from 'dockerode';
import { runCommand } from '../../infra/tools/command.ts';
import { findNatsServer } from '../../infra/tools/natsServer.ts';
import { busyboxTar } from './engineImages.ts';
import { temporaryFolder } from './folder.ts';

/**
 * Makes an image of this name, which goes away with the test, out of busybox and the nats-server that the tests run on: what
 * a compose file needs of the alpine variant of the real one, a `nats-server` and a `wget`.
 */
export async function importNatsImage(t: ExecutionContext, docker: Docker, reference: string): Promise<void> {
  const folder = await temporaryFolder(t);
  await packInto(folder);
  const file = join(folder, 'image.tar');
  const [repo, tag] = reference.split(':');
  t.teardown(async () => await docker.getImage(reference).remove({ force: true }));
  for await (const line of await docker.importImage(file, { repo, tag, changes: ['ENV PATH=/bin'] })) {
    if (String(line).includes('"error"')) throw new Error(String(line));
  }
}

async function packInto(folder: string): Promise<void> {
  const { path } = await findNatsServer();
  const server = path.includes('/') ? path : (await said('which', [path])).trim();
  const libraries = [...(await said('ldd', [server])).matchAll(/(\/\S+) \(0x/g)].map(([, library = '']) => library);
  const root = join(folder, 'root');
  // Only the files, so that no folder is in the image twice.
  const files = [
    ['bin/nats-server', server],
    ...libraries.map((library) => [library.slice(1), library] as const),
  ] as const;
  for (const [name, file] of files) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await copyFile(file, join(root, name));
  }
  await copyFile(await busyboxTar(), join(folder, 'image.tar'));
  await said('tar', ['-rf', join(folder, 'image.tar'), '-C', root, ...files.map(([name]) => name)]);
}

async function said(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(program, args);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr}`);
  return stdout;
}
