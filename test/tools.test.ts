import { execFile } from 'node:child_process';
import { access, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { cacheFolder } from '../infra/tools/cache.ts';
import { chromiumArgs, findChromium } from '../infra/tools/chromium.ts';
import { fetchDebian, type FetchDebian } from '../infra/tools/debian.ts';
import { classifyFailure, type DebianFailure } from '../infra/tools/debianErrors.ts';
import { parseArchiveBase, parseOsRelease } from '../infra/tools/debianSources.ts';
import { findNatsServer, isNewEnough, parseNatsVersion } from '../infra/tools/natsServer.ts';
import { temporaryFolder } from './support/folder.ts';

const run = promisify(execFile);
const request = (into: string, steps: string[] = []): FetchDebian => ({
  packages: ['hello'],
  into,
  withDependencies: false,
  onProgress: (step) => steps.push(step),
});

test.serial('two callers at once get one unpacked folder, and a later one gets it without asking apt', async (t) => {
  const parent = await temporaryFolder(t);
  const into = join(parent, 'hello');
  await mkdir(join(into, 'of other packages'), { recursive: true });
  const [one, two] = await Promise.all([fetchDebian(request(into)), fetchDebian(request(into))]);
  t.deepEqual(one.files, two.files);
  await access(join(into, 'usr/bin/hello'));
  t.false((await readdir(into)).includes('of other packages'), 'what was there for other packages is replaced');
  const steps: string[] = [];
  t.deepEqual(await fetchDebian(request(into, steps)), { root: into, files: one.files, fetched: false });
  t.deepEqual(steps, []);
  t.deepEqual(await readdir(parent), ['hello'], 'no work folder stays behind');
});

test.serial('an unknown package is named', async (t) => {
  const into = join(await temporaryFolder(t), 'none');
  const packages = ['no-such-package-of-debian'];
  const error = await t.throwsAsync(fetchDebian({ ...request(into), packages }), { code: 'UNKNOWN_PACKAGE' });
  t.regex(error.message, /no-such-package-of-debian is not in the Debian archive/);
});

test.serial('without network the message says what to check', async (t) => {
  const into = join(await temporaryFolder(t), 'hello');
  const before = process.env['http_proxy'];
  process.env['http_proxy'] = 'http://127.0.0.1:1';
  try {
    await t.throwsAsync(fetchDebian(request(into)), { code: 'NO_NETWORK', message: /Check the network and the proxy/ });
  } finally {
    if (before === undefined) delete process.env['http_proxy'];
    else process.env['http_proxy'] = before;
  }
});

test.serial('without apt the message says what to install', async (t) => {
  const into = join(await temporaryFolder(t), 'hello');
  const before = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    await t.throwsAsync(fetchDebian(request(into)), { code: 'NO_APT', message: /no apt-get and dpkg/ });
  } finally {
    process.env['PATH'] = before;
  }
});

if (process.getuid?.() === 0) {
  test.serial('a full disk is told', async (t) => {
    const folder = await temporaryFolder(t);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]);
    t.teardown(() => run('umount', ['--lazy', folder]));
    await t.throwsAsync(fetchDebian(request(join(folder, 'hello'))), { code: 'DISK_FULL', message: /MUSTER_CACHE/ });
  });
} else {
  test.skip('a full disk is told: only root can mount a small file system', () => undefined);
}

const SAID: readonly (readonly [string, DebianFailure])[] = [
  [
    'W: GPG error: http://x forky InRelease: The following signatures couldn’t be verified: NO_PUBKEY 0123',
    'SIGNATURE',
  ],
  ["E: The repository 'http://x forky InRelease' is not signed.", 'SIGNATURE'],
  ['E: Unable to locate package nats-serve', 'UNKNOWN_PACKAGE'],
  ["Err:1 http://x forky InRelease\n  Temporary failure resolving 'x'", 'NO_NETWORK'],
  ['E: You don’t have enough free space in /x/archives/.\nE: Failed to fetch http://x', 'DISK_FULL'],
  ['dpkg-deb: error: paste subprocess was killed', 'FAILED'],
];
for (const [said, code] of SAID) {
  test(`what apt says is understood: ${said.slice(0, 40)}`, (t) => t.is(classifyFailure(said), code));
}

test('the archive of this release is found among what apt would download', (t) => {
  const printed = [
    "'http://mirror.test/security/dists/bookworm-security/InRelease' a 0 ",
    "'http://mirror.test/debian/dists/bookworm-updates/InRelease' b 0 ",
    "'http://mirror.test/debian/dists/bookworm/InRelease' c 0 ",
  ].join('\n');
  t.is(parseArchiveBase(printed, 'bookworm'), 'http://mirror.test/debian');
  t.is(parseArchiveBase(printed, 'trixie'), undefined);
  t.is(parseOsRelease('ID=debian\nVERSION_CODENAME="bookworm"\n').get('VERSION_CODENAME'), 'bookworm');
});

test('a nats-server is new enough from 2.12', (t) => {
  t.is(parseNatsVersion('nats-server: v2.15.1\n'), '2.15.1');
  t.is(parseNatsVersion('bash: not found'), undefined);
  t.deepEqual(['2.9.10', '2.11.99', '2.12.0', '2.15.1', '3.0.0'].map(isNewEnough), [false, false, true, true, true]);
});

test('a nats-server that is new enough is found', async (t) => {
  const server = await findNatsServer();
  t.true(isNewEnough(server.version));
  t.regex((await run(server.path, ['--version'])).stdout, /nats-server/);
});

test('a browser is found, starts without a screen and renders a page', async (t) => {
  const { executablePath, env, args } = await findChromium();
  const profile = await temporaryFolder(t);
  const page = 'data:text/html,<p>rendered</p>';
  const flags = [...args, '--headless', '--disable-gpu', `--user-data-dir=${profile}`, '--dump-dom', page];
  const { stdout } = await run(executablePath, flags, { env });
  t.regex(stdout, /<p>rendered<\/p>/);
});

test('the sandbox is given up for root only', (t) => {
  t.true(chromiumArgs(true).includes('--no-sandbox'));
  t.false(chromiumArgs(false).includes('--no-sandbox'));
});

test('the cache is where the operator says, else in the user’s cache folder', (t) => {
  t.is(cacheFolder({ MUSTER_CACHE: '/c' }), '/c');
  t.is(cacheFolder({ XDG_CACHE_HOME: '/x' }), '/x/muster');
  t.regex(cacheFolder({}), /\.cache\/muster$/);
});
