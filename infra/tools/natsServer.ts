import { join } from 'node:path';
import { cacheFolder } from './cache.ts';
import { CommandNotStarted, runCommand } from './command.ts';
import { fetchDebian } from './debian.ts';

/** The first release with the key-value limits and persist modes that are used here. */
const LEAST_MAJOR = 2;
const LEAST_MINOR = 12;

export type NatsServer = { readonly path: string; readonly version: string };

export type FindNatsServer = {
  readonly env?: NodeJS.ProcessEnv;
  readonly onProgress?: (step: string) => void;
  readonly signal?: AbortSignal;
};

export class NatsServerMissing extends Error {
  readonly code = 'NATS_SERVER_MISSING';
  constructor(why: string, cause: unknown) {
    super(
      `No nats-server ${LEAST_MAJOR}.${LEAST_MINOR} or newer. ${why}\n` +
        'Three ways to get one:\n' +
        '  1. put a nats-server of that release on PATH;\n' +
        '  2. set MUSTER_NATS_URL to a bus that already runs;\n' +
        '  3. on Debian with network: make "apt-get update" work and start again (it is fetched without root),\n' +
        '     or, as root, where the release has it: apt-get install nats-server',
      { cause },
    );
    this.name = 'NatsServerMissing';
  }
}

/** `nats-server: v2.15.1` gives `2.15.1`; undefined when it is not that program. */
export function parseNatsVersion(output: string): string | undefined {
  return /nats-server:? v?(\d+\.\d+\.\d+\S*)/.exec(output)?.[1];
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > LEAST_MAJOR || (major === LEAST_MAJOR && minor >= LEAST_MINOR);
}

/** A nats-server that is new enough: from PATH, from the cache, or fetched from Debian into the cache. */
export async function findNatsServer(options: FindNatsServer = {}): Promise<NatsServer> {
  const env = options.env ?? process.env;
  const onPath = await versionOf('nats-server', env);
  if (onPath !== undefined && isNewEnough(onPath)) return { path: 'nats-server', version: onPath };
  const older = onPath === undefined ? '' : `The one on PATH is ${onPath}. `;
  const into = join(cacheFolder(env), 'nats-server');
  try {
    await fetchDebian({
      packages: ['nats-server'],
      into,
      withDependencies: false,
      onProgress: options.onProgress ?? (() => undefined),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    throw new NatsServerMissing(`${older}${error instanceof Error ? error.message : String(error)}`, error);
  }
  for (const folder of ['usr/sbin', 'usr/bin']) {
    const path = join(into, folder, 'nats-server');
    const version = await versionOf(path, env);
    if (version !== undefined && isNewEnough(version)) return { path, version };
  }
  throw new NatsServerMissing(`${older}The one fetched into ${into} does not run on this machine.`, undefined);
}

async function versionOf(program: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const answer = await runCommand(program, ['--version'], { env, timeoutMs: 10_000 });
    return answer.code === 0 ? parseNatsVersion(answer.stdout + answer.stderr) : undefined;
  } catch (error) {
    if (error instanceof CommandNotStarted) return undefined;
    throw error;
  }
}
