import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import test from 'ava';
import {
  agentIdFrom,
  ConfigError,
  configEnvironment,
  configTable,
  describeConfig,
  readConfig,
} from '../infra/config.ts';

function problemsOf(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  try {
    readConfig(env, { needsLog: true });
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
    'MUSTER_NATS_LOG_PASSWORD',
  ]);
  t.regex(problems['MUSTER_HTTP'] ?? '', /loopback.*TLS.*"0\.0\.0\.0:8080"/);
  t.regex(problems['MUSTER_DATE'] ?? '', /did you mean MUSTER_DATA\?/);
});

test('a wrong secret is named and not shown', (t) => {
  const problems = problemsOf({ MUSTER_ADMIN_KEY: 'hunter2', MUSTER_NATS_URL: 'nats://u:hunter2@bus:4222' });
  t.notRegex(JSON.stringify(problems), /hunter2/);
  t.truthy(problems['MUSTER_ADMIN_KEY']);
  t.truthy(problems['MUSTER_NATS_URL']);
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
  'http://127.0.0.1:80',
]) {
  test(`MUSTER_HTTP ${text} is refused`, (t) => t.throws(() => readConfig({ MUSTER_HTTP: text }), { code: 'CONFIG' }));
}

test('an agent on another host needs no password for the event logs', (t) => {
  const config = readConfig({ MUSTER_NATS_URL: 'nats://bus:4222', MUSTER_NATS_APP_PASSWORD: 'p' });
  t.is(config.natsLogPassword, undefined);
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
  const bus = { MUSTER_NATS_URL: 'nats://a:4222,nats://b:4222', MUSTER_NATS_APP_PASSWORD: 'p' };
  const config = readConfig({ ...bus, MUSTER_REPLICAS: '3' });
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
  t.true(readme.includes(configTable()), 'put the output of configTable() of infra/config.ts into README.md');
});
