import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readConfig } from '../infra/config/config.ts';
import { parseEnvironmentFile } from '../infra/environmentFile.ts';
import { signerOf } from '../infra/nkeys/nkey.ts';
import { runCommand } from '../infra/tools/command.ts';
import { temporaryFolder } from './support/folder.ts';

/** `muster bus-secrets`: what an operator needs who runs nats-server himself. */

const MAIN = join(import.meta.dirname, '../gateway/cli/main.ts');
const NATS_CONF = join(import.meta.dirname, '../nats.conf');

type Variables = Readonly<Record<string, string>>;

const run = (...words: string[]) => runCommand(process.execPath, [MAIN, 'bus-secrets', ...words]);

function variablesIn(text: string): Variables {
  const { entries, faults } = parseEnvironmentFile(text);
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]));
}

/** As a shell hands them to what it starts. */
async function inShell(t: ExecutionContext, text: string): Promise<Variables> {
  const file = join(await temporaryFolder(t), 'bus.env');
  await writeFile(file, text);
  const { stdout } = await runCommand('sh', ['-c', `set -a; . ${file}; env`]);
  const lines = stdout.split('\n').filter((line) => line.startsWith('MUSTER_NATS_'));
  return Object.fromEntries(lines.map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]));
}

/** They belong together, and are all that either side needs. */
async function assertPair(t: ExecutionContext, bus: Variables, gateway: Variables): Promise<void> {
  const conf = await readFile(NATS_CONF, 'utf8');
  const read = new Set([...conf.matchAll(/: \$(MUSTER_NATS_\w+)/g)].map(([, name]) => name ?? ''));
  t.deepEqual([...read].toSorted(), [...Object.keys(bus), 'MUSTER_NATS_PORT', 'MUSTER_NATS_STORE'].toSorted());
  t.notThrows(() => readConfig({ MUSTER_NATS_URL: 'nats://bus:4222', ...gateway }, { asGateway: true }));
  const { MUSTER_NATS_ISSUER_SEED: seed = '', ...passwords } = gateway;
  const { MUSTER_NATS_ISSUER: issuer, ...ofBus } = bus;
  t.is(issuer, `"${signerOf(seed).publicKey}"`);
  t.deepEqual(ofBus, Object.fromEntries(Object.entries(passwords).map(([name, value]) => [name, `"${value}"`])));
  t.is(new Set(Object.values(passwords)).size, 4);
  t.false(JSON.stringify(bus).includes(seed), 'of the key the bus knows the public half alone');
}

test('it prints a block for the bus and one for its gateways, made anew each time, and keeps none', async (t) => {
  const [one, other] = await Promise.all([run(), run()]);
  t.is(one.code, 0, one.stderr);
  const [bus = '', gateway = '', ...more] = one.stdout.split('\n\n');
  t.deepEqual(more, []);
  t.regex(bus, /^# For nats-server: .*\/etc\/muster\/bus\.env/s);
  t.regex(gateway, /^# For every gateway of that bus/);
  await assertPair(t, variablesIn(bus), variablesIn(gateway));
  t.deepEqual(await inShell(t, bus), variablesIn(bus));
  const all = new Set([...bus.split('\n'), ...gateway.split('\n')]);
  t.deepEqual(
    other.stdout.split('\n').filter((line) => line.startsWith('MUSTER') && all.has(line)),
    [],
  );
});

test('--json gives scripts the same', async (t) => {
  const { bus, gateway } = JSON.parse((await run('--json')).stdout) as Readonly<Record<string, Variables>>;
  await assertPair(t, bus ?? {}, gateway ?? {});
});

test('--out writes both files for their owner alone', async (t) => {
  const folder = await temporaryFolder(t);
  const said = await run('--out', folder);
  t.is(said.code, 0, said.stderr);
  const [bus, gateway] = [join(folder, 'bus.env'), join(folder, 'gateway-secrets.env')];
  t.is(said.stdout, `${bus}\n${gateway}\n`);
  for (const file of [bus, gateway]) t.is((await stat(file)).mode & 0o777, 0o600);
  await assertPair(t, variablesIn(await readFile(bus, 'utf8')), variablesIn(await readFile(gateway, 'utf8')));
});

for (const present of ['bus.env', 'gateway-secrets.env']) {
  test(`where there is a ${present} already nothing is written`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, present), 'in use\n');
    const said = await run('--out', folder);
    t.is(said.code, 1);
    t.true(said.stderr.includes(`there are secrets of a bus in ${folder} already`), said.stderr);
    t.is(said.stdout, '');
    t.is(await readFile(join(folder, present), 'utf8'), 'in use\n');
    const other = present === 'bus.env' ? 'gateway-secrets.env' : 'bus.env';
    await t.throwsAsync(stat(join(folder, other)), { code: 'ENOENT' });
  });
}

test('a folder that is not there is named', async (t) => {
  const said = await run('--out', '/nowhere/muster', '--json');
  t.is(said.code, 1);
  t.regex(said.stderr, /^muster: \/nowhere\/muster cannot be written into: ENOENT/);
});
