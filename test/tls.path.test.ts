import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { connectBus } from '../infra/bus/connect.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { makeAuthority } from './support/certificates.ts';
import { temporaryFolder } from './support/folder.ts';
import { startProgram } from './support/program.ts';
import { askUrl, install, serialAt, serialAtBus, wholeOf } from './support/tls.ts';
import { until } from './support/until.ts';

/** The whole product with TLS on every address, started as an operator starts it. */

const ROOT = join(import.meta.dirname, '..');
const KEY = 'a-key-of-the-tests-over-tls';

test('gateway, agents and command line speak TLS, and a certificate is replaced while all of them go on', async (t) => {
  const folder = await temporaryFolder(t);
  const authority = makeAuthority('authority of this test');
  // No address is in it: the parts on this machine reach the bus on one and hold it to this name.
  await install(folder, authority.issue(['localhost']));
  const ca = join(folder, 'ca.pem');
  await writeFile(ca, authority.pem);
  const [port, busPort] = [await freeLoopbackPort(), await freeLoopbackPort()];
  const url = `https://localhost:${port}`;
  const env = {
    MUSTER_DATA: join(folder, 'data'),
    MUSTER_ADMIN_KEY: KEY,
    MUSTER_HTTP: `0.0.0.0:${port}`,
    MUSTER_PUBLIC_URL: url,
    MUSTER_TLS_CERT: join(folder, 'cert.pem'),
    MUSTER_TLS_KEY: join(folder, 'key.pem'),
    MUSTER_NATS_HOST: '0.0.0.0',
    MUSTER_NATS_PORT: String(busPort),
    MUSTER_NATS_CA: ca,
  };
  const muster = startProgram(t, process.execPath, ['infra/run.mjs', 'infra/main.ts', '--simulate', '2'], {
    cwd: ROOT,
    env,
  });
  t.teardown(async () => {
    muster.kill('SIGTERM');
    await muster.ended;
  });
  const [, signIn = ''] = await muster.says(/Sign in\s+(\S+)/);
  t.true(signIn.startsWith(`${url}/#sign-in=`));

  const client = { MUSTER_PUBLIC_URL: url, MUSTER_ADMIN_KEY: KEY };
  const words = ['gateway/cli/main.ts', 'agents', '--json'];
  // Of the two simulated agents one waits for an approval.
  await until(
    'an agent online and one waiting',
    async () => {
      const said = startProgram(t, process.execPath, words, { cwd: ROOT, env: { ...client, MUSTER_CA: ca } });
      const { code } = await said.ended;
      return [code, ...(said.stdout().match(/"(online|pending)"/g) ?? [])].join();
    },
    (seen) => seen === '0,"online","pending"',
  );
  const untrusting = startProgram(t, process.execPath, words, { cwd: ROOT, env: client });
  t.is((await untrusting.ended).code, 5);
  t.regex(
    untrusting.output(),
    new RegExp(`the certificate of ${url} is not trusted: its authority is not known here\\n.*MUSTER_CA`),
  );

  const headers = { authorization: `Bearer ${KEY}` };
  const stream = await askUrl(`${url}/api/v1/live?view=fleet`, { ca: authority.pem, headers });
  t.teardown(() => stream.destroy());
  let events = 0;
  stream.setEncoding('utf8').on('data', (text: string) => (events += text.split('\nevent: ').length - 1));
  await until(
    'the snapshot',
    async () => events,
    (count) => count > 0,
  );

  const before = [await serialAt(port), await serialAtBus(busPort)];
  await install(folder, authority.issue(['localhost', 'new.test']));
  await until(
    'the new certificate',
    () => serialAt(port),
    (serial) => serial !== before[0],
  );
  await until(
    'the new certificate of the bus',
    () => serialAtBus(busPort),
    (serial) => serial !== before[1],
  );
  t.is(await serialAt(port), await serialAtBus(busPort));

  const heard = events;
  const disable = { ca: authority.pem, headers, method: 'POST', body: { reason: 'to see an event' } };
  t.is((await wholeOf(await askUrl(`${url}/api/v1/agents/sim-01/disable`, disable))).status, 200);
  await until(
    'an event on the stream from before',
    async () => events,
    (count) => count > heard,
  );
  t.notRegex(muster.output(), /the bus is away|no connection to the bus/);

  const password = 'any';
  const stranger = {
    url: `tls://localhost:${busPort}`,
    user: 'muster-app',
    password,
    name: 'stranger',
    signal: AbortSignal.timeout(10_000),
  };
  await t.throwsAsync(connectBus(stranger), { code: 'BUS_UNTRUSTED' });
  await t.throwsAsync(connectBus({ ...stranger, tls: { ca } }), { code: 'BUS_REFUSED' });
});

test('a start with a certificate that cannot be used says so at once', async (t) => {
  const folder = await temporaryFolder(t);
  const authority = makeAuthority('authority of this test');
  const files = await install(folder, authority.issue(['localhost']), 0o644);
  const env = {
    MUSTER_DATA: join(folder, 'data'),
    MUSTER_HTTP: `127.0.0.1:${await freeLoopbackPort()}`,
    MUSTER_TLS_CERT: files.cert,
    MUSTER_TLS_KEY: files.key,
  };
  const muster = startProgram(t, process.execPath, ['infra/run.mjs', 'infra/main.ts', '--simulate', '1'], {
    cwd: ROOT,
    env,
  });
  t.is((await muster.ended).code, 1);
  t.true(
    muster.output().includes(`cannot be used: ${files.key} is open to others than its owner (mode 0644): chmod 600`),
  );
});
