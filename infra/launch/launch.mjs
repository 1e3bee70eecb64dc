// Brings the dependencies up to date, picks the Node that runs TypeScript, and becomes its shadow: same standard
// streams, same signals, same exit code.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bringUpToDate, InstallFailed } from './install.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The first release whose type stripping and APIs are the ones this code is written for. */
const LEAST_NODE = [24, 12];

/** What Node says of itself: of TypeScript, and of the names in TLS that EventStoreDB's client gives where there is an address. */
const SILENCED = ['ExperimentalWarning', 'DEP0123'].map((warning) => `--disable-warning=${warning}`);

/**
 * Runs an entry of the repository to its end; ends this process as the entry ended.
 *
 * @param {string} entry path below the repository's top folder
 * @param {readonly string[]} args
 */
export async function launch(entry, args) {
  try {
    await bringUpToDate(ROOT);
  } catch (error) {
    if (!(error instanceof InstallFailed)) throw error;
    process.stderr.write(`muster: ${error.message}\n`);
    process.exit(error.exitCode);
  }
  const candidates = nodeCandidates(ROOT);
  await runWith(candidates, [...SILENCED, join(ROOT, entry), ...args]);
}

/**
 * Node programs that could run the entry, best first: the one from the lock file, then the one that runs now if it is
 * new enough.
 */
function nodeCandidates(root) {
  const locked = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const found = existsSync(locked) ? [locked] : [];
  return isNewEnough(process.versions.node) ? [...found, process.execPath] : found;
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
}

async function runWith(candidates, args) {
  for (const node of candidates) {
    // A binary for another C library cannot be started at all; then the next one gets its chance.
    const ended = await run(node, args);
    if (ended !== undefined) return endAs(ended);
  }
  process.stderr.write(
    `muster: no Node ${LEAST_NODE.join('.')} or newer for ${process.platform}-${process.arch}. ` +
      `This is Node ${process.versions.node}, and node_modules brings one for linux-x64 and linux-arm64 only. ` +
      `Install Node ${LEAST_NODE[0]} and start again.\n`,
  );
  process.exit(1);
}

function run(node, args) {
  return new Promise((resolveRun, reject) => {
    const child = spawn(node, args, { stdio: 'inherit', env: childEnvironment(node) });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const done = () => {
      for (const signal of signals) process.removeListener(signal, forward);
    };
    child.once('error', (error) => {
      done();
      if (error.code === 'ENOENT' || error.code === 'EACCES' || error.code === 'ENOEXEC') resolveRun(undefined);
      else reject(error);
    });
    child.once('exit', (code, signal) => {
      done();
      resolveRun({ code, signal });
    });
  });
}

function childEnvironment(node) {
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH ?? ''].join(delimiter) };
  // Coverage is not precise with the compile cache.
  if (env.NODE_COMPILE_CACHE === undefined && env.NODE_V8_COVERAGE === undefined) {
    env.NODE_COMPILE_CACHE = join(ROOT, 'node_modules', '.cache', 'node-compile');
  }
  return env;
}

function endAs({ code, signal }) {
  if (signal === null) process.exit(code ?? 1);
  process.exitCode = 128 + (constants.signals[signal] ?? 0);
  process.kill(process.pid, signal);
}
