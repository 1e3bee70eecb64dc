import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { askBus } from '../agent/check/bus.ts';
import { connectBus, type Bus } from '../infra/bus/connect.ts';
import { isBusUntrusted } from '../infra/bus/errors.ts';
import { ensureDesired } from '../infra/bus/streams.ts';
import type { BusTls } from '../infra/bus/tls.ts';
import { realClock } from '../infra/clock.ts';
import { busConfiguration } from '../infra/start/busConfiguration.ts';
import type { CertificateFiles } from '../infra/tls/certificate.ts';
import { makeAuthority } from './support/certificates.ts';
import { temporaryFolder } from './support/folder.ts';
import { APP_PASSWORD, startNats, type TestNats } from './support/nats.ts';
import { install, serialAtBus } from './support/tls.ts';
import { until } from './support/until.ts';

/** A real nats-server with a certificate, configured as `npm start` does. */

const REPOSITORY_CONF = join(import.meta.dirname, '../nats.conf');
const authority = makeAuthority('authority of the bus');

interface TlsBus {
  readonly nats: TestNats;
  readonly port: number;
  readonly files: CertificateFiles;
  /** Connects to a host name or address, with what is trusted; without it the authority of the certificate is. */
  readonly connect: (host: string, tls?: BusTls) => Promise<Bus>;
}

async function startTlsBus(t: ExecutionContext, names: readonly string[], more = ''): Promise<TlsBus> {
  const folder = await temporaryFolder(t);
  const files = await install(folder, authority.issue(names));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, authority.pem);
  const conf = await busConfiguration(REPOSITORY_CONF, folder, { host: '127.0.0.1', certificate: files });
  if (more !== '') await writeFile(conf, more.replaceAll('FOLDER', folder), { flag: 'a' });
  const nats = await startNats({ conf });
  t.teardown(() => nats.stop());
  const port = Number(new URL(nats.url).port);
  return {
    nats,
    port,
    files,
    async connect(host, tls = { ca }) {
      const signal = AbortSignal.timeout(20_000);
      const url = `tls://${host}:${port}`;
      const bus = await connectBus({ url, user: 'muster-app', password: APP_PASSWORD, name: 'test', tls, signal });
      t.teardown(() => bus.close());
      return bus;
    },
  };
}

test('the bus is reached over TLS, by a name and by an address of its certificate', async (t) => {
  const { connect } = await startTlsBus(t, ['localhost', '127.0.0.1']);
  for (const host of ['localhost', '127.0.0.1']) {
    const bus = await connect(host);
    await ensureDesired(bus, 1);
    t.true(bus.isConnected());
  }
});

test('a bus of which the authority is not known is refused at once, and the variable is named', async (t) => {
  const { connect } = await startTlsBus(t, ['localhost']);
  const other = join(await temporaryFolder(t), 'other.pem');
  await writeFile(other, makeAuthority('another').pem);
  for (const tls of [{ ca: other }, {}]) {
    const error = await t.throwsAsync(connect('localhost', tls), { code: 'BUS_UNTRUSTED' });
    t.true(isBusUntrusted(error));
    t.regex(
      error?.message ?? '',
      /^the certificate of the bus at tls:\/\/localhost:\d+ is not trusted: its authority is not known here.*nothing was sent.*MUSTER_NATS_CA/,
    );
  }
});

test('a bus with the certificate of another name is refused, unless that name is expected', async (t) => {
  const { connect, files } = await startTlsBus(t, ['bus.test']);
  const ca = join(files.cert, '../ca.pem');
  for (const host of ['localhost', '127.0.0.1']) {
    await t.throwsAsync(connect(host), {
      code: 'BUS_UNTRUSTED',
      message: new RegExp(`it is for bus\\.test, not for ${host}; nothing`),
    });
    t.true((await connect(host, { ca, serverName: 'bus.test' })).isConnected());
    await t.throwsAsync(connect(host, { ca, serverName: 'other.test' }), { code: 'BUS_UNTRUSTED' });
  }
});

test('a bus of which the certificate has expired is refused', async (t) => {
  const { connect, files, nats } = await startTlsBus(t, ['localhost']);
  const past = Date.now() - 60_000;
  await install(join(files.cert, '..'), authority.issue(['localhost'], { from: past - 60_000, to: past }));
  await nats.restart();
  await t.throwsAsync(connect('localhost'), { code: 'BUS_UNTRUSTED', message: /it has expired/ });
});

test('a file that cannot be used is named before anybody is asked', async (t) => {
  const { connect, files } = await startTlsBus(t, ['localhost']);
  await t.throwsAsync(connect('localhost', { ca: '/nowhere/ca.pem' }), {
    code: 'CERTIFICATE',
    message: '/nowhere/ca.pem is not there',
  });
  await t.throwsAsync(connect('localhost', { ca: files.key }), {
    code: 'CERTIFICATE',
    message: /no certificate in PEM/,
  });
  await t.throwsAsync(connect('localhost', { cert: files.cert, key: '/nowhere/key.pem' }), {
    code: 'CERTIFICATE',
    message: '/nowhere/key.pem is not there',
  });
});

test('a bus that asks for a certificate is shown one', async (t) => {
  const { connect, files, port } = await startTlsBus(
    t,
    ['localhost'],
    'tls { ca_file: "FOLDER/ca.pem", verify: true, cert_file: "FOLDER/cert.pem", key_file: "FOLDER/key.pem" }\n',
  );
  const ca = join(files.cert, '../ca.pem');
  const own = await install(await temporaryFolder(t), authority.issue(['agent-1']));
  t.true((await connect('localhost', { ca, ...own })).isConnected());
  const options = {
    url: `tls://localhost:${port}`,
    user: 'muster-app',
    password: APP_PASSWORD,
    name: 'test',
    tls: { ca },
  };
  await t.throwsAsync(connectBus({ ...options, signal: AbortSignal.timeout(1500) }), { code: 'BUS_UNREACHABLE' });
});

test('a certificate that was replaced is shown to new connections, and those that are open go on', async (t) => {
  const { connect, files, nats, port } = await startTlsBus(t, ['localhost']);
  const bus = await connect('localhost');
  let lost = 0;
  bus.onChange(() => (lost += 1));
  const before = await serialAtBus(port);
  await install(join(files.cert, '..'), authority.issue(['localhost']));
  t.is(await serialAtBus(port), before);
  process.kill(nats.pid(), 'SIGHUP');
  await until(
    'the new one',
    () => serialAtBus(port),
    (serial) => serial !== before,
  );
  await ensureDesired(bus, 1);
  t.is(lost, 0);
});

test('`muster agent check` says what is wrong with the certificate of the bus', async (t) => {
  const { port, files } = await startTlsBus(t, ['localhost']);
  const ca = join(files.cert, '../ca.pem');
  const url = `tls://localhost:${port}`;
  const asker = { agentId: 'host-1', host: { hostname: 'host-1', simulated: false }, credential: null };
  t.like(await askBus(url, asker, realClock, { ca }), { standing: 'stranger' });
  await t.throwsAsync(askBus(url, asker, realClock), { code: 'BUS_UNTRUSTED' });
});

test('no bus is configured that speaks no TLS and is reached from elsewhere', async (t) => {
  const folder = await temporaryFolder(t);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'bus.test']) {
    await t.throwsAsync(busConfiguration(REPOSITORY_CONF, folder, { host, certificate: null }), {
      instanceOf: RangeError,
    });
  }
  t.is(await busConfiguration(REPOSITORY_CONF, folder, { host: '127.0.0.1', certificate: null }), REPOSITORY_CONF);
});
