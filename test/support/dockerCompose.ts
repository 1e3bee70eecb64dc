import { join } from 'node:path';
import { cacheFolder } from '../../infra/tools/cache.ts';
import { CommandNotStarted, runCommand, type CommandResult } from '../../infra/tools/command.ts';
import { fetchDebian } from '../../infra/tools/debian.ts';

/** Before it, `include` is not known. */
const LEAST = [2, 20] as const;

/** Runs the machine's `docker compose`, else Debian's, unpacked privately. Only what touches containers needs an engine. */
export async function dockerCompose(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  const [program, ...first] = await findCompose();
  return await runCommand(program, [...first, ...args], { env: { COMPOSE_ANSI: 'never', ...env } });
}

let found: Promise<readonly [string, ...string[]]> | undefined;

async function findCompose(): Promise<readonly [string, ...string[]]> {
  found ??= look();
  return await found;
}

async function look(): Promise<readonly [string, ...string[]]> {
  if (await isThere('docker', 'compose')) return ['docker', 'compose'];
  const into = join(cacheFolder(), 'debian-forky-docker-compose');
  const { root } = await fetchDebian({
    packages: ['docker-compose'],
    into,
    withDependencies: false,
    onProgress: () => {},
  });
  const program = join(root, 'usr/libexec/docker/cli-plugins/docker-compose');
  if (await isThere(program)) return [program];
  throw new Error(`the docker-compose of Debian in ${into} does not run here, or is too old`);
}

async function isThere(program: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const { stdout } = await runCommand(program, [...args, 'version', '--short']);
    const [major = 0, minor = 0] = stdout.split('.').map((part) => Number.parseInt(part, 10));
    return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1]);
  } catch (error) {
    if (error instanceof CommandNotStarted) return false;
    throw error;
  }
}
