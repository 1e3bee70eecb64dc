import { readFileSync, statSync } from 'node:fs';
import { parseEnvironmentFile } from '../environmentFile.ts';
import { hasErrno } from '../start/errors.ts';

/** The variable that names the file. */
export const CONFIG_FILE_VARIABLE = 'MUSTER_CONFIG';

export type Environment = Readonly<Record<string, string | undefined>>;

export type ConfigProblem = { readonly name: string; readonly message: string };

export type MergedEnvironment = {
  /** What the file says, under what the environment says. An empty variable of the environment is none. */
  readonly env: Environment;
  /** For each name that the file sets and the environment does not: ` (line 3 of /etc/muster/agent.env)`. */
  readonly places: ReadonlyMap<string, string>;
  /** What is wrong with the file itself. */
  readonly problems: readonly ConfigProblem[];
};

const OTHERS_MAY_ACT = 0o077;

/**
 * The environment with the configuration file beneath it, which wins. The file may hold a password, so one that others than
 * its owner may read is a problem; its lines are read all the same, so that everything wrong is named at once.
 */
export function withConfigFile(env: Environment): MergedEnvironment {
  const path = env[CONFIG_FILE_VARIABLE];
  if (path === undefined || path === '') return { env, places: new Map(), problems: [] };
  const { text, problems } = readGuarded(path);
  const { entries, faults } = parseEnvironmentFile(text);
  const own = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const from = entries.filter(({ name, value }) => !(name in own) && value !== '');
  return {
    env: { ...Object.fromEntries(from.map(({ name, value }) => [name, value])), ...own },
    places: new Map(from.map(({ name, line }) => [name, ` (line ${line} of ${path})`])),
    problems: [
      ...problems,
      ...faults.map(({ line, message }) => ({ name: path, message: `line ${line} ${message}` })),
      ...entries
        .filter(({ name }) => name === CONFIG_FILE_VARIABLE)
        .map(({ line }) => ({ name: path, message: `line ${line} names a file: one file cannot name another` })),
      ...twice(entries.map(({ name }) => name)).map((name) => ({ name, message: `stands twice in ${path}` })),
    ],
  };
}

function readGuarded(path: string): { readonly text: string; readonly problems: readonly ConfigProblem[] } {
  const problem = (message: string) => ({ name: path, message });
  try {
    const { mode } = statSync(path);
    const text = readFileSync(path, 'utf8');
    if ((mode & OTHERS_MAY_ACT) === 0) return { text, problems: [] };
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    const message = `is open to others than its owner (mode ${octal}), and it may hold a password: chmod 600 ${path}`;
    return { text, problems: [problem(message)] };
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR')) throw error;
    return { text: '', problems: [problem(whyUnread(error, path))] };
  }
}

function whyUnread(error: Error, path: string): string {
  if (hasErrno(error, 'EACCES')) return `cannot be read by this user: chown it to the user of the agent`;
  if (hasErrno(error, 'EISDIR')) return `is a folder, and ${CONFIG_FILE_VARIABLE} must name a file`;
  return `is not there: make it (mode 0600), or unset ${CONFIG_FILE_VARIABLE}; ${example(path)}`;
}

function example(path: string): string {
  return `install -m 600 infra/deploy/agent.env ${path} makes one from the example`;
}

function twice(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
