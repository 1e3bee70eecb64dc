import { join } from 'node:path';
import test from 'ava';
import { lookAtConfiguration } from '../agent/check/configuration.ts';
import { ConfigError, configEnvironment, readConfig } from '../infra/config/config.ts';
import { gatewayUrl } from '../infra/config/transport.ts';

type Set = Readonly<Record<string, string>>;

const TLS = { MUSTER_TLS_CERT: '/etc/muster/cert.pem', MUSTER_TLS_KEY: '/etc/muster/key.pem' };
const BUS = { MUSTER_NATS_URL: 'tls://bus.test:4222' };
const OWN_BUS = { ...TLS, MUSTER_NATS_HOST: '0.0.0.0', MUSTER_NATS_PORT: '4222' };

function problemsOf(set: Set): readonly string[] {
  try {
    readConfig(set);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ name, message }) => `${name} ${message}`);
  }
}

test('without a certificate nothing listens beyond loopback', (t) => {
  for (const host of ['0.0.0.0', '[::]', '10.0.0.1', 'muster.test']) {
    t.regex(
      problemsOf({ MUSTER_HTTP: `${host}:8080` }).join('\n'),
      /^MUSTER_HTTP must be a loopback address without TLS/,
    );
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'muster.test']) {
    const [problem = ''] = problemsOf({ MUSTER_NATS_HOST: host, MUSTER_NATS_PORT: '4222' });
    t.regex(problem, /^MUSTER_NATS_HOST must be a loopback address without MUSTER_TLS_CERT/);
  }
});

test('with a certificate it listens where it is told, and says where that is', (t) => {
  const there = readConfig({ ...TLS, MUSTER_HTTP: '10.0.0.1:8443' });
  t.like(there, {
    http: { host: '10.0.0.1', port: 8443 },
    tls: { cert: TLS.MUSTER_TLS_CERT, key: TLS.MUSTER_TLS_KEY },
  });
  t.is(gatewayUrl(there), 'https://10.0.0.1:8443');
  t.is(gatewayUrl(readConfig({ ...TLS, MUSTER_HTTP: '[::1]:8443' })), 'https://[::1]:8443');
  t.is(gatewayUrl(readConfig({})), 'http://127.0.0.1:8080');
  const everywhere = { ...TLS, MUSTER_HTTP: '0.0.0.0:443' };
  t.regex(problemsOf(everywhere).join('\n'), /^MUSTER_HTTP stands for every address.*MUSTER_PUBLIC_URL/);
  t.is(gatewayUrl(readConfig({ ...everywhere, MUSTER_PUBLIC_URL: 'https://Muster.test/' })), 'https://muster.test');
});

test('the public address is an origin with TLS, or on loopback', (t) => {
  for (const url of ['https://muster.test', 'https://muster.test:8443', 'http://127.0.0.1:9000', 'http://[::1]:9000']) {
    t.is(readConfig({ MUSTER_PUBLIC_URL: url }).publicUrl, url);
  }
  const wrong = [
    'http://muster.test',
    'https://muster.test/path',
    'https://u:p@muster.test',
    'https://muster.test?a',
    'muster.test',
    'ftp://a',
  ];
  for (const url of wrong) t.is(problemsOf({ MUSTER_PUBLIC_URL: url }).length, 1, url);
});

test('a certificate and its key are given together, and the one that is missing is named', (t) => {
  for (const [there, missing] of [
    ['MUSTER_TLS_CERT', 'MUSTER_TLS_KEY'],
    ['MUSTER_TLS_KEY', 'MUSTER_TLS_CERT'],
  ] as const) {
    t.deepEqual(problemsOf({ [there]: '/a.pem' }), [`${there} is set, so ${missing} must be too`]);
  }
  t.deepEqual(problemsOf({ ...BUS, MUSTER_NATS_CERT: '/a.pem' }), [
    'MUSTER_NATS_CERT is set, so MUSTER_NATS_KEY must be too',
  ]);
});

test('the bus that is started listens beyond loopback with a certificate and on a port that is known', (t) => {
  t.like(readConfig(OWN_BUS), { natsHost: '0.0.0.0', natsPort: 4222 });
  t.is(readConfig({}).natsHost, '127.0.0.1');
  const { MUSTER_NATS_PORT: _, ...withoutPort } = OWN_BUS;
  t.regex(problemsOf(withoutPort).join('\n'), /^MUSTER_NATS_HOST needs a port that is known/);
  t.regex(
    problemsOf({ ...BUS, MUSTER_NATS_HOST: '127.0.0.1' }).join('\n'),
    /^MUSTER_NATS_HOST is for a nats-server that is started/,
  );
});

test('what is trusted for the bus goes with a bus that speaks TLS', (t) => {
  const trust = { MUSTER_NATS_CA: '/ca.pem', MUSTER_NATS_TLS_NAME: 'bus.test' };
  const natsTls = { ca: '/ca.pem', cert: undefined, key: undefined, serverName: 'bus.test' };
  t.deepEqual(readConfig({ ...BUS, ...trust }).natsTls, natsTls);
  t.deepEqual(readConfig({ ...OWN_BUS, ...trust }).natsTls, natsTls);
  for (const plain of [{ ...BUS, MUSTER_NATS_URL: 'nats://bus.test:4222' }, {}]) {
    t.deepEqual(problemsOf({ ...plain, ...trust }), [
      'MUSTER_NATS_CA is for a bus with TLS: write tls:// in MUSTER_NATS_URL',
      'MUSTER_NATS_TLS_NAME is for a bus with TLS: write tls:// in MUSTER_NATS_URL',
    ]);
  }
});

test('what children get is read back as the same configuration, certificates included', (t) => {
  for (const set of [
    { ...OWN_BUS, MUSTER_HTTP: '0.0.0.0:443', MUSTER_PUBLIC_URL: 'https://muster.test', MUSTER_CA: '/ca.pem' },
    {
      ...BUS,
      MUSTER_NATS_CA: '/ca.pem',
      MUSTER_NATS_CERT: '/own.pem',
      MUSTER_NATS_KEY: '/own.key',
      MUSTER_NATS_TLS_NAME: 'a',
    },
  ]) {
    const config = readConfig(set);
    t.deepEqual(readConfig(configEnvironment(config)), config);
  }
});

test('the host is checked also when settings are wrong that were right only together', (t) => {
  const look = lookAtConfiguration({
    MUSTER_TLS_CERT: '/a.pem',
    MUSTER_HTTP: '10.0.0.1:80',
    MUSTER_NATS_HOST: '10.0.0.1',
    MUSTER_ZONE: 'far',
  });
  t.deepEqual(look.problems.map(({ name }) => name).toSorted(), [
    'MUSTER_HTTP',
    'MUSTER_NATS_HOST',
    'MUSTER_NATS_HOST',
    'MUSTER_TLS_CERT',
  ]);
  t.like(look.config, { zone: 'far', tls: null, natsHost: '127.0.0.1' });
  const late = lookAtConfiguration({
    ...TLS,
    MUSTER_HTTP: '10.0.0.1:80',
    MUSTER_TLS_KEY: '',
    MUSTER_DATA: join('/', 'x'),
  });
  t.like(late.config, { dataDir: '/x', http: { host: '127.0.0.1', port: 8080 } });
});
