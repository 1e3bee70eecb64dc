// Installs what package-lock.json names, once, however many launches run at the same time.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withInstallLock } from './lock.mjs';

export class InstallFailed extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'InstallFailed';
    this.exitCode = exitCode;
  }
}

/** Installs the packages when the lock file changed since the last whole installation. Quiet and fast otherwise. */
export async function bringUpToDate(root) {
  if (isUpToDate(root)) return;
  try {
    await withInstallLock(root, say, async (recordNpm) => {
      // The launch that held the lock before may have done it.
      if (!isUpToDate(root)) await install(root, recordNpm);
    });
  } catch (error) {
    const sentence = sentenceFor(error, root);
    if (sentence === undefined) throw error;
    throw new InstallFailed(sentence);
  }
}

const stampPath = (root) => join(root, 'node_modules', '.muster-installed');

/** The lock file's hash; the platform is part of it because binaries differ. */
function fingerprint(root) {
  const lock = join(root, 'package-lock.json');
  if (!existsSync(lock)) throw new InstallFailed(`${lock} is missing: this is not a whole clone.`);
  return createHash('sha256').update(readFileSync(lock)).update(`${process.platform}-${process.arch}`).digest('hex');
}

function isUpToDate(root) {
  const stamp = stampPath(root);
  return existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === fingerprint(root);
}

async function install(root, recordNpm) {
  refuseWhenLockIsBehind(root);
  const before = fingerprint(root);
  const why = reason(root);
  // npm takes a package that is half there for whole, so what an interrupted installation left goes away first.
  if (!existsSync(stampPath(root))) rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  rmSync(stampPath(root), { force: true });
  say(`installing the packages named in package-lock.json into node_modules (${why})`);
  const started = process.hrtime.bigint();
  const seconds = () => Math.round(Number((process.hrtime.bigint() - started) / 1_000_000_000n));
  const ticker = setInterval(() => say(`still installing, ${seconds()} s`), 5000);
  try {
    await runNpm(root, recordNpm);
  } finally {
    clearInterval(ticker);
  }
  linkCommand(root);
  // Written last: a node_modules without it is not whole.
  writeFileSync(stampPath(root), `${before}\n`);
  say(`installed in ${seconds()} s`);
}

function reason(root) {
  if (existsSync(stampPath(root))) return 'package-lock.json changed';
  return existsSync(join(root, 'node_modules')) ? 'the last installation is not whole' : 'nothing is installed yet';
}

/** npm would quietly choose versions itself for what package.json names and package-lock.json does not. */
function refuseWhenLockIsBehind(root) {
  const read = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));
  const manifest = read('package.json');
  const locked = read('package-lock.json').packages?.[''] ?? {};
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
      if (locked[kind]?.[name] === version) continue;
      throw new InstallFailed(
        `package.json names ${name} ${version}, package-lock.json ${locked[kind]?.[name] ?? 'does not'}. ` +
          'Bring the lock file up to date with npm install, then start again.',
      );
    }
  }
}

/**
 * `npm install --no-save` takes exactly what the lock file names, as `npm ci` does. It is used because `npm ci` refuses
 * a lock file that lacks the optional binaries of some other platform, which a partial package mirror brings about.
 */
function runNpm(root, recordNpm) {
  const args = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--engine-strict=false',
    '--no-audit',
    '--no-fund',
    '--progress=false',
    '--loglevel=error',
  ];
  const script = process.env.npm_execpath ?? '';
  const [program, first] = /npm-cli\.c?js$/.test(script) ? [process.execPath, [script]] : ['npm', []];
  return new Promise((resolve, reject) => {
    // Standard output belongs to the entry that runs afterwards (it may print JSON), so npm speaks on standard error.
    const npm = spawn(program, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2] });
    const stop = (signal) => npm.kill(signal);
    process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
    const done = () => {
      process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop).removeListener('SIGHUP', stop);
    };
    npm.once('spawn', () => recordNpm(npm.pid));
    npm.once('error', (error) => {
      done();
      reject(new InstallFailed(`npm could not be started (${error.message}). Install npm, or put it on PATH.`));
    });
    npm.once('exit', (code, signal) => {
      done();
      if (code === 0) return resolve();
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
      return reject(
        new InstallFailed(
          `the packages could not be installed (npm ended with ${how}; what it said is above). ` +
            'Check the network, the proxy and the free disk space, then run the same command again.',
          code ?? 1,
        ),
      );
    });
  });
}

/** npm does not link a package's own command; with this link `npx muster` runs at once and without network. */
function linkCommand(root) {
  const folder = join(root, 'node_modules', '.bin');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, 'muster'))) symlinkSync('../../infra/muster.mjs', join(folder, 'muster'));
}

function sentenceFor(error, root) {
  switch (error?.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${root} cannot be written by this user, so nothing can be installed there (${error.message}).`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space left on the file system of ${root}; the installation needs about 1 GB.`;
    default:
      return undefined;
  }
}

function say(text) {
  process.stderr.write(`muster: ${text}\n`);
}
