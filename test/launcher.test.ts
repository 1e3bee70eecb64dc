import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryFolder } from './support/folder.ts';
import { startProgram, type Program } from './support/program.ts';

const REPOSITORY = dirname(import.meta.dirname);
const LOCKED_NODE = `node_modules/node-${process.platform}-${process.arch}/bin`;

/** Stands in for npm: notes each call, makes node_modules, and ends at once or when a file `go` appears. */
const FAKE_NPM = `
import fs from 'node:fs';
fs.appendFileSync('npm-calls', process.pid + ' ' + process.argv.slice(2).join(' ') + '\\n');
fs.mkdirSync('node_modules', { recursive: true });
if (fs.existsSync('npm-fails')) process.exit(3);
const done = () => process.exit(0);
const look = () => fs.existsSync('go') && done();
if (!fs.existsSync('npm-waits')) done();
fs.watch('.', look);
look();
`;

type Clone = {
  readonly root: string;
  readonly file: (name: string, content: string) => Promise<void>;
  readonly launch: (args?: readonly string[], node?: readonly string[]) => Program;
  readonly npmCalls: () => Promise<readonly string[]>;
};

async function cloneOf(t: ExecutionContext, entry: string): Promise<Clone> {
  const root = await temporaryFolder(t);
  await cp(join(REPOSITORY, 'infra/run.mjs'), join(root, 'infra/run.mjs'));
  await cp(join(REPOSITORY, 'infra/launch'), join(root, 'infra/launch'), { recursive: true });
  const file = (name: string, content: string): Promise<void> => writeFile(join(root, name), content);
  await file('package.json', '{"type":"module"}');
  await file('package-lock.json', '{"packages":{"":{}}}');
  await file('npm-cli.js', FAKE_NPM);
  await file('entry.ts', entry);
  return {
    root,
    file,
    launch: (args = [], node = []) =>
      startProgram(t, process.execPath, [...node, join(root, 'infra/run.mjs'), 'entry.ts', ...args], {
        env: { npm_execpath: join(root, 'npm-cli.js'), NODE_COMPILE_CACHE: undefined, NODE_V8_COVERAGE: undefined },
      }),
    npmCalls: async () => (await readFile(join(root, 'npm-calls'), 'utf8')).trim().split('\n'),
  };
}

test('the entry gets its arguments, and its exit code becomes the exit code', async (t) => {
  const clone = await cloneOf(t, 'const n: number = 7; console.log(process.argv.slice(2)); process.exitCode = n;');
  const program = clone.launch(['--json', 'a b']);
  t.deepEqual(await program.ended, { code: 7, signal: null });
  t.is(program.stdout().trim(), "[ '--json', 'a b' ]");
});

test('what Node says of itself is not said, in what the entry starts neither', async (t) => {
  const entry = `
    import { fork } from 'node:child_process';
    process.emitWarning('of TLS', 'DeprecationWarning', 'DEP0123');
    process.emitWarning('of the entry', 'Warning', 'OTHER');
    if (process.send === undefined) fork(import.meta.filename, ['child']);
  `;
  const clone = await cloneOf(t, entry);
  const program = clone.launch();
  t.is((await program.ended).code, 0);
  t.is([...program.output().matchAll(/of the entry/g)].length, 2);
  t.notRegex(program.output(), /of TLS|DEP0123/);
});

test('packages are installed when the lock file changed, and only then', async (t) => {
  const clone = await cloneOf(t, '');
  t.is((await clone.launch().ended).code, 0);
  const second = clone.launch();
  await second.ended;
  t.is(second.output(), '');
  t.is((await clone.npmCalls()).length, 1);
  await clone.file('package-lock.json', '{"packages":{"":{}},"changed":true}');
  const third = clone.launch();
  await third.ended;
  t.regex(third.output(), /installing the packages.*package-lock.json changed/);
  t.is((await clone.npmCalls()).length, 2);
});

test('two launches at once install once', async (t) => {
  const clone = await cloneOf(t, 'console.log("ran")');
  await clone.file('npm-waits', '');
  const first = clone.launch();
  await first.says(/installing the packages/);
  const second = clone.launch();
  await second.says(new RegExp(`another start is installing \\(process ${first.pid}\\)`));
  await clone.file('go', '');
  t.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0]);
  t.is((await clone.npmCalls()).length, 1);
});

test('after a launcher was killed its npm is waited for, and what it left is installed anew', async (t) => {
  const clone = await cloneOf(t, 'console.log("ran")');
  await clone.file('npm-waits', '');
  const killed = clone.launch();
  await killed.says(/installing the packages/);
  const second = clone.launch();
  await second.says(/another start is installing/);
  killed.kill('SIGKILL');
  await clone.file('go', '');
  t.is((await second.ended).code, 0);
  t.regex(second.output(), /the last installation is not whole|nothing is installed yet/);
  t.is((await clone.npmCalls()).length, 2);
});

test('a failed installation says so, keeps npm’s exit code, and is tried again by the next launch', async (t) => {
  const clone = await cloneOf(t, 'console.log("ran")');
  await clone.file('npm-fails', '');
  const failed = clone.launch();
  t.deepEqual(await failed.ended, { code: 3, signal: null });
  t.regex(failed.output(), /could not be installed \(npm ended with exit code 3/);
  await clone.launch().ended;
  t.is((await clone.npmCalls()).length, 2);
});

test('a package that the lock file does not name is refused before npm runs', async (t) => {
  const clone = await cloneOf(t, '');
  await clone.file('package.json', '{"type":"module","dependencies":{"left-pad":"1.0.0"}}');
  const program = clone.launch();
  t.is((await program.ended).code, 1);
  t.regex(program.output(), /package.json names left-pad 1.0.0, package-lock.json does not/);
  await t.throwsAsync(clone.npmCalls(), { code: 'ENOENT' });
});

const SAY_PATH = 'console.log(process.env["PATH"]?.split(":")[0], process.env["NODE_COMPILE_CACHE"]);';

test('the Node of the lock file runs the entry and comes first on PATH', async (t) => {
  const clone = await cloneOf(t, SAY_PATH);
  await clone.launch().ended;
  await mkdir(join(clone.root, LOCKED_NODE), { recursive: true });
  await symlink(process.execPath, join(clone.root, LOCKED_NODE, 'node'));
  const program = clone.launch();
  await program.ended;
  const cache = join(clone.root, 'node_modules/.cache/node-compile');
  t.is(program.stdout().trim(), `${join(clone.root, LOCKED_NODE)} ${cache}`);
});

test('a Node of the lock file that this machine cannot run is passed over for a system Node', async (t) => {
  const clone = await cloneOf(t, SAY_PATH);
  await clone.launch().ended;
  await mkdir(join(clone.root, LOCKED_NODE), { recursive: true });
  await writeFile(join(clone.root, LOCKED_NODE, 'node'), '', { mode: 0o644 });
  const program = clone.launch();
  t.is((await program.ended).code, 0);
  t.is(program.stdout().split(' ')[0], dirname(process.execPath));
});

test('without a Node that is new enough the message says what to install', async (t) => {
  const clone = await cloneOf(t, '');
  await clone.file('old.cjs', 'Object.defineProperty(process, "versions", { value: { node: "20.19.0" } });');
  const program = clone.launch([], ['--require', join(clone.root, 'old.cjs')]);
  t.is((await program.ended).code, 1);
  t.regex(program.output(), /no Node 24\.12 or newer.*This is Node 20\.19\.0.*Install Node 24/);
});

const WAIT = 'console.log("up"); setInterval(() => undefined, 60_000);';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} reaches the entry, which decides how it ends`, async (t) => {
    const clone = await cloneOf(t, `process.on('${signal}', () => process.exit(5)); ${WAIT}`);
    const program = clone.launch();
    await program.says(/up/);
    program.kill(signal);
    t.deepEqual(await program.ended, { code: 5, signal: null });
  });
}

test('an entry that a signal ended ends the launcher by the same signal', async (t) => {
  const clone = await cloneOf(t, WAIT);
  const program = clone.launch();
  await program.says(/up/);
  program.kill('SIGTERM');
  t.deepEqual(await program.ended, { code: null, signal: 'SIGTERM' });
});
