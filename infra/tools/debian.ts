import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandNotStarted, runCommand, type CommandResult } from './command.ts';
import { classifyFailure, DebianError, DebianFailure, failureSentence } from './debianErrors.ts';
import { writeAptConfiguration } from './debianSources.ts';

export type FetchDebian = {
  /** A Debian suite such as `forky`, or `system` for the sources that this machine itself uses. Default: forky. */
  readonly suite?: string;
  readonly packages: readonly string[];
  /** Folder that will hold the unpacked file trees (`usr/bin/...`). It appears whole or not at all. */
  readonly into: string;
  /** Also fetch what the packages need and this machine's own packages do not already satisfy. */
  readonly withDependencies: boolean;
  /** Called with one short sentence per step. */
  readonly onProgress: (step: string) => void;
  readonly signal?: AbortSignal;
};

export type FetchedDebian = {
  readonly root: string;
  /** Package files in it, such as `nats-server_2.15.1-1_amd64.deb`. */
  readonly files: readonly string[];
  /** False when the folder was already there. */
  readonly fetched: boolean;
};

type Stamp = { readonly request: string; readonly files: readonly string[] };

const STAMP = '.muster-packages.json';

/**
 * Downloads Debian packages and unpacks them into a folder of their own: no root, nothing on the system changes.
 * apt verifies the archive's signature with the system's keyring. Safe when several processes ask at once: each works
 * in a folder of its own, the first to finish moves it into place, the others take that one.
 */
export async function fetchDebian(options: FetchDebian): Promise<FetchedDebian> {
  const request = JSON.stringify([
    options.suite ?? 'forky',
    [...options.packages].toSorted(),
    options.withDependencies,
  ]);
  const present = await readStamp(options.into, request);
  if (present !== undefined) return { root: options.into, files: present.files, fetched: false };
  try {
    return await fetchInto(options, request);
  } catch (error) {
    throw explain(error, options);
  }
}

async function fetchInto(options: FetchDebian, request: string): Promise<FetchedDebian> {
  const parent = dirname(options.into);
  const prefix = `.${basename(options.into)}.fetch-`;
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent, prefix);
  const work = join(parent, `${prefix}${process.pid}-${process.hrtime.bigint()}`);
  const root = join(work, 'root');
  for (const folder of ['state', 'lists/partial', 'cache', 'archives/partial', 'log', 'sources', 'root']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  try {
    const configuration = await writeAptConfiguration(work, options.suite ?? 'forky', options.packages);
    const files = await download(options, work, configuration);
    options.onProgress(`unpacking ${files.length} package${files.length === 1 ? '' : 's'}`);
    for (const file of files) {
      await checked(options, 'dpkg', ['-x', join(work, 'archives', file), root]);
    }
    await writeFile(join(root, STAMP), `${JSON.stringify({ request, files } satisfies Stamp)}\n`);
    const inPlace = await moveIntoPlace(root, options.into, request);
    return { root: options.into, files: inPlace.files, fetched: true };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(options: FetchDebian, work: string, configuration: string): Promise<readonly string[]> {
  const suite = options.suite ?? 'forky';
  options.onProgress(`reading the package list of Debian ${suite === 'system' ? 'for this release' : suite}`);
  await checked(options, 'apt-get', ['-c', configuration, 'update', '-o', 'APT::Update::Error-Mode=any']);
  options.onProgress(`downloading ${options.packages.join(', ')}`);
  const archives = join(work, 'archives');
  const want = options.withDependencies
    ? ['install', '--yes', '--download-only', '--no-install-recommends', '--reinstall', ...options.packages]
    : ['download', ...options.packages];
  await checked(options, 'apt-get', ['-c', configuration, ...want], archives);
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).toSorted();
}

async function checked(options: FetchDebian, program: string, args: readonly string[], cwd?: string): Promise<void> {
  const result: CommandResult = await runCommand(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onLine: (line) => {
      const got = /^Get:\d+ \S+ \S+ \S+ (\S+ \S+ \S+) (\[.*\])$/.exec(line);
      if (got !== null) options.onProgress(`downloading ${got[1]} ${got[2]}`);
    },
  });
  if (result.code === 0) return;
  const said = `${result.stderr}\n${result.stdout}`.trim();
  const failure = classifyFailure(said);
  const sentence = failureSentence(failure, options.packages, options.into);
  throw new DebianError(failure, `${sentence}\n${lastLines(said)}`, said);
}

/** A folder in place that was made for another request, or is broken, is moved aside first. */
async function moveIntoPlace(root: string, into: string, request: string): Promise<Stamp> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(root, into);
    } catch (error) {
      if (!hasCode(error, ['ENOTEMPTY', 'EEXIST']) || attempt > 3) throw error;
    }
    const stamp = await readStamp(into, request);
    if (stamp !== undefined) return stamp;
    await rename(into, join(dirname(root), `replaced-${attempt}`));
  }
}

async function readStamp(into: string, request: string): Promise<Stamp | undefined> {
  const text = await readFile(join(into, STAMP), 'utf8').catch((error: unknown) => {
    if (hasCode(error, ['ENOENT', 'ENOTDIR'])) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const stamp: unknown = JSON.parse(text);
  return isStamp(stamp) && stamp.request === request ? stamp : undefined;
}

function isStamp(value: unknown): value is Stamp {
  if (typeof value !== 'object' || value === null || !('request' in value) || !('files' in value)) return false;
  return typeof value.request === 'string' && Array.isArray(value.files);
}

/** Work folders of processes that were killed in the middle. The name holds the process id. */
async function removeAbandoned(parent: string, prefix: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    const alive = await access(`/proc/${pid}`).then(
      () => true,
      () => false,
    );
    if (!alive) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function explain(error: unknown, options: FetchDebian): unknown {
  const { packages, into } = options;
  const as = (failure: DebianFailure): DebianError =>
    new DebianError(failure, failureSentence(failure, packages, into), error);
  if (options.signal?.aborted === true) return error;
  if (error instanceof CommandNotStarted) return as(DebianFailure.noApt);
  if (hasCode(error, ['ENOSPC', 'EDQUOT'])) return as(DebianFailure.diskFull);
  if (hasCode(error, ['EACCES', 'EPERM', 'EROFS'])) return as(DebianFailure.notWritable);
  return error;
}

function lastLines(text: string): string {
  const errors = text.split('\n').filter((line) => /^(?:E|W|Err|dpkg)/.test(line));
  return (errors.length > 0 ? errors : text.split('\n')).slice(-6).join('\n');
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
