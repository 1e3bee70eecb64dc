import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWhenUnread } from './start/unread.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** One tool of the project; `script` is its command in node_modules/.bin. */
type Check = { readonly what: string; readonly script: string; readonly args: readonly string[] };

const CHECKS: readonly Check[] = [
  { what: 'types', script: 'tsc', args: ['-p', '.'] },
  { what: 'lint', script: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { what: 'format', script: 'oxfmt', args: ['--check'] },
  { what: 'unused', script: 'knip', args: ['--no-progress'] },
];

type Outcome = { readonly what: string; readonly passed: boolean; readonly seconds: number; readonly output: string };

async function run(check: Check): Promise<Outcome> {
  const startedAt = performance.now();
  const tool = spawn(join(ROOT, 'node_modules', '.bin', check.script), [...check.args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env,
  });
  const output: string[] = [];
  for (const stream of [tool.stdout, tool.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
  }
  const [code]: unknown[] = await once(tool, 'close');
  const seconds = (performance.now() - startedAt) / 1000;
  return { what: check.what, passed: code === 0, seconds, output: output.join('') };
}

/** All at once: each prints what it found, and then one line per check. */
async function main(): Promise<number> {
  const outcomes = await Promise.all(CHECKS.map(run));
  for (const outcome of outcomes) {
    if (!outcome.passed) process.stdout.write(`\n--- ${outcome.what}\n${outcome.output.trimEnd()}\n`);
  }
  process.stdout.write('\n');
  for (const outcome of outcomes) {
    const result = outcome.passed ? 'passed' : 'FAILED';
    process.stdout.write(`${outcome.what.padEnd(8)} ${result}  ${outcome.seconds.toFixed(1)} s\n`);
  }
  return outcomes.every((outcome) => outcome.passed) ? 0 : 1;
}

endWhenUnread();
process.exitCode = await main();
