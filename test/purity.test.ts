import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { importedFrom, withoutComment } from './support/imports.ts';

/** Time, ids and randomness are arguments, in the rules and in every file that the simulation runs. */
const IMPURE =
  /\b(?:Date\.now|Math\.random|setTimeout|setInterval|setImmediate|randomUUID|performance\.now)\b|\bnew Date\(\)/;

const FOLDERS = ['domain', 'projections', 'gateway/controller', 'gateway/core', 'agent/simulated'];
const FILES = ['codec', 'chain', 'memory', 'eventId', 'errors', 'guards', 'upcasters', 'strict'].map(
  (name) => `infra/log/${name}.ts`,
);

/** The adapters that a simulated agent is given others for, and the one real clock. */
const INJECTED = new Set(['infra/clock.ts', 'agent/simulated/main.ts']);

test('the rules, the read models and all that the simulation runs know no clock, timer or chance of their own', (t) => {
  const files = new Set([
    ...FOLDERS.flatMap(filesIn),
    ...FILES,
    ...importedFrom('agent/loop.ts'),
    ...importedFrom('gateway/core/core.ts'),
  ]);
  t.true(files.size > 80, `only ${files.size} files were looked at`);
  for (const file of files) {
    if (INJECTED.has(file)) continue;
    for (const [index, line] of read(file).split('\n').entries()) {
      t.notRegex(withoutComment(line), IMPURE, `${file}:${index + 1}`);
    }
  }
});

test('the look for impurity finds each of its forms', (t) => {
  for (const line of [
    'Date.now()',
    'new Date()',
    'Math.random()',
    'setTimeout(f, 1)',
    'setInterval(f)',
    'randomUUID()',
  ]) {
    t.regex(line, IMPURE);
  }
  t.notRegex('new Date(ms)', IMPURE);
});

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function read(file: string): string {
  return readFileSync(file, 'utf8');
}
