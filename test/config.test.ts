import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { SECRETS_OF_GATEWAYS } from '../infra/config/bus.ts';
import { ConfigError, configEnvironment, readConfig } from '../infra/config/config.ts';
import { configTable, describeConfig } from '../infra/config/table.ts';
import { agentIdFrom } from '../infra/config/values.ts';
import { parseEnvironmentFile } from '../infra/environmentFile.ts';
import { newAccountSeed } from '../infra/nkeys/nkey.ts';
import { busGatewayVariables, newBusSecrets } from '../infra/start/busSecrets.ts';
import { temporaryFolder } from './support/folder.ts';

function problemsOf(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  try {
    readConfig(env, { asGateway: true });
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map((problem) => [problem.name, problem.message]));
  }
}

test('without any variable everything has its default', (t) => {
  const config = readConfig({ MUSTER_ZONE: '' });
  t.like(config, {
    dataDir: resolve('.muster'),
    http: { host: '127.0.0.1', port: 8080 },
    zone: 'default',
    checkInSeconds: 10,
    startTimeoutMinutes: 30,
    lostAfterMinutes: null,
    dockerHost: 'unix:///var/run/docker.sock',
    natsUrl: undefined,
  });
});

test('every wrong variable is named at once', (t) => {
  const problems = problemsOf({
    MUSTER_HTTP: '0.0.0.0:8080',
    MUSTER_DATE: '/tmp',
    MUSTER_ADMIN_KEY: 'short',
    MUSTER_NATS_URL: 'nats://bus:4222',
    MUSTER_CHECKIN_SECONDS: '1e3',
    MUSTER_AGENT_ID: 'a/b',
  });
  t.deepEqual(Object.keys(problems).toSorted(), [
    'MUSTER_ADMIN_KEY',
    'MUSTER_AGENT_ID',
    'MUSTER_CHECKIN_SECONDS',
    'MUSTER_DATE',
    'MUSTER_HTTP',
    'MUSTER_NATS_APP_PASSWORD',
    'MUSTER_NATS_AUTH_PASSWORD',
    'MUSTER_NATS_ISSUER_SEED',
    'MUSTER_NATS_LOG_PASSWORD',
    'MUSTER_NATS_SYS_PASSWORD',
  ]);
  t.regex(problems['MUSTER_HTTP'] ?? '', /loopback.*TLS.*"0\.0\.0\.0:8080"/);
  t.regex(problems['MUSTER_DATE'] ?? '', /did you mean MUSTER_DATA\?/);
});

test('a wrong secret is named and not shown', (t) => {
  const MUSTER_NATS_ISSUER_SEED = `${newAccountSeed().slice(0, -7)}HUNTER2`;
  const MUSTER_NATS_URL = 'nats://u:hunter2@bus:4222';
  const problems = problemsOf({ MUSTER_ADMIN_KEY: 'hunter2', MUSTER_NATS_URL, MUSTER_NATS_ISSUER_SEED });
  t.notRegex(JSON.stringify(problems), /hunter2/i);
  t.truthy(problems['MUSTER_ADMIN_KEY']);
  t.truthy(problems['MUSTER_NATS_URL']);
  t.is(problems['MUSTER_NATS_ISSUER_SEED'], 'must be the seed of an account (SA…)');
});

for (const [text, http] of [
  ['9090', { host: '127.0.0.1', port: 9090 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['[::1]:65535', { host: '::1', port: 65_535 }],
] as const) {
  test(`MUSTER_HTTP ${text} is read`, (t) => t.deepEqual(readConfig({ MUSTER_HTTP: text }).http, http));
}

for (const text of [
  '127.0.0.1',
  ':0',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '10.0.0.1:80',
  '[::]:80',
  'user@host:80',
  'http://127.0.0.1:80',
]) {
  test(`MUSTER_HTTP ${text} is refused`, (t) => t.throws(() => readConfig({ MUSTER_HTTP: text }), { code: 'CONFIG' }));
}

test('an agent on another host needs none of the secrets of gateways, and finds its manager token', (t) => {
  const config = readConfig({ MUSTER_NATS_URL: 'nats://bus:4222', MUSTER_DATA: '/var/lib/muster' });
  t.is(config.natsAppPassword, undefined);
  t.is(config.managerTokenFile, '/var/lib/muster/manager.token');
  t.is(readConfig({ MUSTER_MANAGER_TOKEN_FILE: './m' }).managerTokenFile, resolve('m'));
});

test('a gateway on a bus that runs already has everything that opens it, and hands it on', (t) => {
  const secrets = busGatewayVariables(newBusSecrets());
  t.deepEqual(Object.keys(secrets).toSorted(), SECRETS_OF_GATEWAYS.toSorted());
  const config = readConfig({ MUSTER_NATS_URL: 'nats://bus:4222', ...secrets }, { asGateway: true });
  t.like(config, {
    natsLogPassword: secrets['MUSTER_NATS_LOG_PASSWORD'],
    natsAppPassword: secrets['MUSTER_NATS_APP_PASSWORD'],
    natsAuthPassword: secrets['MUSTER_NATS_AUTH_PASSWORD'],
    natsSysPassword: secrets['MUSTER_NATS_SYS_PASSWORD'],
    natsIssuerSeed: secrets['MUSTER_NATS_ISSUER_SEED'],
  });
  t.deepEqual(readConfig(configEnvironment(config)), config);
});

test('what children get is read back as the same configuration', (t) => {
  const config = readConfig({
    MUSTER_HTTP: '[::1]:81',
    MUSTER_NATS_PORT: '4222',
    MUSTER_LOST_AFTER_MINUTES: '45',
    MUSTER_START_TIMEOUT_MINUTES: '5',
    MUSTER_ADMIN_KEY: '0123456789abcdef',
  });
  t.deepEqual(readConfig(configEnvironment(config)), config);
});

test('three copies need a cluster that is named', (t) => {
  t.regex(problemsOf({ MUSTER_REPLICAS: '3' })['MUSTER_REPLICAS'] ?? '', /cluster.*MUSTER_NATS_URL/);
  t.regex(problemsOf({ MUSTER_REPLICAS: '2' })['MUSTER_REPLICAS'] ?? '', /"1"\|"3"/);
  const config = readConfig({ MUSTER_NATS_URL: 'nats://a:4222,nats://b:4222', MUSTER_REPLICAS: '3' });
  t.is(config.replicas, 3);
  t.deepEqual(readConfig(configEnvironment(config)), config);
});

test('an agent id is made from any host name', (t) => {
  t.is(agentIdFrom('gpu-01.example.org'), 'gpu-01-example-org');
  t.is(agentIdFrom('x'.repeat(80)).length, 64);
  t.is(agentIdFrom(''), 'agent');
});

test('every variable has a default or a word for it, and a meaning', (t) => {
  for (const row of describeConfig()) {
    t.notRegex(row.default, /undefined/, row.name);
    t.true(row.meaning.length > 10, row.name);
  }
});

test('the README’s table is the one that the schema makes', async (t) => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  t.true(readme.includes(configTable()), 'put the output of configTable() of infra/config/table.ts into README.md');
});

/** A configuration file of these lines, for its owner alone unless said. */
async function configFile(t: ExecutionContext, text: string, mode = 0o600): Promise<string> {
  const path = join(await temporaryFolder(t), 'agent.env');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

test('the configuration file is read, and the environment wins over it', async (t) => {
  const path = await configFile(
    t,
    '# the second host\nMUSTER_ZONE=far\nMUSTER_AGENT_ID="gpu-02"\nMUSTER_CHECKIN_SECONDS=20\n',
  );
  const config = readConfig({ MUSTER_CONFIG: path, MUSTER_ZONE: 'near', MUSTER_AGENT_ID: '' });
  t.like(config, { zone: 'near', agentId: 'gpu-02', checkInSeconds: 20 });
  t.deepEqual(readConfig(configEnvironment(config)), config, 'children need no file');
});

test('everything that is wrong in a configuration file is named at once, with its line', async (t) => {
  const path = await configFile(
    t,
    ['MUSTER_DATE=/tmp', 'PATH=/bin', 'export MUSTER_ZONE=far', 'MUSTER_HTTP=10.0.0.1:80', 'MUSTER_ZONE="open'].join(
      '\n',
    ),
    0o644,
  );
  const error = t.throws(() => readConfig({ MUSTER_CONFIG: path, MUSTER_ZONE: 'a b' }), { instanceOf: ConfigError });
  t.deepEqual(
    error?.problems.map(({ name, message }) => `${name} ${message}`.replaceAll(path, 'FILE')),
    [
      'FILE is open to others than its owner (mode 0644), and it may hold a password: chmod 600 FILE',
      'FILE line 3 has no name before its "=" that is made of letters, digits and _ alone',
      'FILE line 5 has a quote that is not closed',
      'MUSTER_DATE is not a variable of Muster; did you mean MUSTER_DATA? (line 1 of FILE)',
      'PATH is not a variable of Muster (line 2 of FILE)',
      'MUSTER_ZONE must be 1 to 64 letters, digits, _ or - (it is "a b")',
      'MUSTER_HTTP must be a loopback address without TLS: set MUSTER_TLS_CERT and MUSTER_TLS_KEY, or put a proxy with TLS in front of it (it is "10.0.0.1:80") (line 4 of FILE)',
    ],
  );
});

for (const mode of [0o640, 0o604, 0o620, 0o660]) {
  test(`a configuration file of mode 0${mode.toString(8)} is refused with the command that mends it`, async (t) => {
    const path = await configFile(t, 'MUSTER_ZONE=far\n', mode);
    t.throws(() => readConfig({ MUSTER_CONFIG: path }), { message: new RegExp(`chmod 600 ${path}`) });
  });
}

test('a configuration file that is not there, is a folder, or names another or a name twice is refused', async (t) => {
  const message = (path: string) => t.throws(() => readConfig({ MUSTER_CONFIG: path }))?.message ?? '';
  t.regex(message('/nowhere/agent.env'), /is not there: .*install -m 600 infra\/deploy\/agent\.env/);
  t.regex(message(await temporaryFolder(t)), /is a folder/);
  const path = await configFile(t, 'MUSTER_CONFIG=/x\nMUSTER_ZONE=a\nMUSTER_ZONE=b\n');
  t.regex(message(path), /line 1 names a file/);
  t.regex(message(path), /MUSTER_ZONE stands twice/);
});

test('a wrong secret in a configuration file is not shown', async (t) => {
  const path = await configFile(t, 'MUSTER_ADMIN_KEY=hunter2\nMUSTER_NATS_PASWORD=hunter2\nhunter2\n');
  t.notRegex(t.throws(() => readConfig({ MUSTER_CONFIG: path }))?.message ?? '', /hunter2/);
});

/** As systemd's own parser reads them (systemd.exec, EnvironmentFile). */
const VALUES = [
  ['A=b', 'b'],
  ['A = b c ', 'b c'],
  ['A=', ''],
  ['A=b#c ; d', 'b#c ; d'],
  ["A='b  \"c\\'", 'b  "c\\'],
  ['A="b \\"c\\" \\$d \\e"', 'b "c" $d \\e'],
  [`A='b' "c"d`, 'bcd'],
  ['A=b"c"', 'b"c"'],
  ['A=b\\\nc', 'bc'],
  ['A="b\nc"', 'b\nc'],
  ['A=b\\ \\#', 'b #'],
  ['  A=b\r', 'b'],
] as const;
for (const [text, value] of VALUES) {
  test(`${JSON.stringify(text)} sets ${JSON.stringify(value)}`, (t) => {
    t.deepEqual(parseEnvironmentFile(text), { entries: [{ name: 'A', value, line: 1 }], faults: [] });
  });
}

test('comments and blank lines say nothing, and lines keep their numbers', (t) => {
  const { entries, faults } = parseEnvironmentFile('# A=1\n\n ; B=2\nC="3\n4"\nsay\nD=5');
  t.deepEqual(entries, [
    { name: 'C', value: '3\n4', line: 4 },
    { name: 'D', value: '5', line: 7 },
  ]);
  t.deepEqual(faults, [{ line: 6, message: 'is not like NAME=value' }]);
});
