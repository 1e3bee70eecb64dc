import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { DebianError, DebianFailure, failureSentence } from './debianErrors.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The base of the Debian archive that this machine's own apt uses, out of `apt-get update --print-uris`.
 * Every line of it starts with a quoted address that ends in `/dists/<suite>/InRelease`.
 */
export function parseArchiveBase(printedUris: string, codename: string): string | undefined {
  for (const line of printedUris.split('\n')) {
    const base = /^'([^']+)\/dists\/([^/']+)\/(?:In)?Release'/.exec(line);
    if (base?.[1] !== undefined && base[2] === codename) return base[1];
  }
  return undefined;
}

/** `KEY=value` of os-release. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').map((line) => /^([A-Z_]+)="?([^"]*)"?$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair?.[1] === undefined ? [] : [[pair[1], pair[2] ?? '']])));
}

async function archiveBase(packages: readonly string[], into: string): Promise<string> {
  const release = parseOsRelease(await readFile('/etc/os-release', 'utf8'));
  const codename = release.get('VERSION_CODENAME') ?? '';
  const printed = await runCommand('apt-get', ['update', '--print-uris']);
  const base = parseArchiveBase(printed.stdout, codename);
  if (release.get('ID') !== 'debian' || base === undefined) {
    throw new DebianError(
      DebianFailure.noApt,
      `${failureSentence(DebianFailure.noApt, packages, into)} (Only Debian with its main archive configured is supported.)`,
      printed.stderr,
    );
  }
  return base;
}

/**
 * Writes an apt configuration whose every changeable file lies in `state`, and returns its path, for `apt-get -c`.
 * With `-c` it is read after the machine's own configuration, so a proxy set there still counts and what is set here
 * wins. (APT_CONFIG is read before it and would lose.) The hooks are cleared: images of Debian have one that deletes
 * the system's package cache. The dpkg status is the system's and is only read.
 */
export async function writeAptConfiguration(
  state: string,
  suite: string,
  packages: readonly string[],
): Promise<string> {
  const ownSources = suite === 'system';
  const lines = [
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear DPkg::Pre-Invoke;',
    '#clear DPkg::Post-Invoke;',
    '#clear DPkg::Pre-Install-Pkgs;',
    `Dir::State "${state}/state";`,
    `Dir::State::Lists "${state}/lists";`,
    'Dir::State::Status "/var/lib/dpkg/status";',
    `Dir::Cache "${state}/cache";`,
    `Dir::Cache::Archives "${state}/archives";`,
    `Dir::Log "${state}/log";`,
    'APT::Sandbox::User "";',
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
    'Debug::NoLocking "true";',
    'quiet "1";',
    'quiet::NoUpdate "true";',
  ];
  if (!ownSources) {
    const base = await archiveBase(packages, state);
    await writeFile(
      join(state, 'sources', 'muster.sources'),
      `Types: deb\nURIs: ${base}\nSuites: ${suite}\nComponents: main\nSigned-By: ${KEYRING}\n`,
    );
    // The machine's pins name its own releases and would hide another suite's packages.
    lines.push('Dir::Etc::SourceList "/dev/null";', `Dir::Etc::SourceParts "${state}/sources";`);
    lines.push('Dir::Etc::Preferences "/dev/null";', 'Dir::Etc::PreferencesParts "/dev/null";');
  }
  const path = join(state, 'apt.conf');
  await writeFile(path, `${lines.join('\n')}\n`);
  return path;
}
