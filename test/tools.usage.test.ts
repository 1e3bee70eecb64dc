import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';

const ROOT = join(import.meta.dirname, '..');

async function run(...words: readonly string[]) {
  const child = spawn(process.execPath, [...words], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, error] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  const [code]: unknown[] = await once(child, 'close');
  return { code, out, error };
}

for (const [tool, words, why] of [
  ['test/simulation/main.ts', ['--seed', 'x'], '--seed takes a whole number, not "x"'],
  ['test/simulation/soak.ts', ['--minutes', 'x'], '--minutes takes a number above 0, not "x"'],
  ['bench/main.ts', ['--bogus'], "Unknown option '--bogus'"],
] as const) {
  test(`wrong use of a tool is told with a sentence and how it is used: ${tool}`, async (t) => {
    const { code, out, error } = await run(tool, ...words);
    t.is(code, 2);
    t.is(out, '');
    t.true(error.startsWith(`${why}\n\nnpm run `), error);
  });
}

test('a tool tells how it is used', async (t) => {
  const { code, out } = await run('test/simulation/main.ts', '--help');
  t.is(code, 0);
  t.regex(out, /^npm run sim -- --seed N /);
});
