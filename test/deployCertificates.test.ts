import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import test from 'ava';
import { CommandNotStarted, runCommand } from '../infra/tools/command.ts';
import { temporaryFolder } from './support/folder.ts';

/** What infra/deploy/eventstore/certificates.sh makes for an EventStoreDB that asks for passwords. */

const SCRIPT = join(import.meta.dirname, '../infra/deploy/eventstore/certificates.sh');
/** Extended key usages: to show it as a server, and as a client of another node. */
const USAGES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

test('a node’s certificate is for its names, both ways, and trusted by who trusts its authority alone', async (t) => {
  const folder = join(await temporaryFolder(t), 'certificates');
  if (!(await hasOpenssl())) {
    t.log('NOT TESTED: certificates.sh needs openssl, which is not here');
    t.pass();
    return;
  }
  const made = await runCommand('sh', [SCRIPT, folder, 'es1.example.org', '10.0.0.1']);
  t.is(made.code, 0, made.stderr);
  t.deepEqual((await readdir(folder, { recursive: true })).toSorted(), ['ca', 'ca/ca.crt', 'node.crt', 'node.key']);
  t.is((await stat(join(folder, 'node.key'))).mode & 0o777, 0o600);

  const [cert, key, ca] = await Promise.all(
    ['node.crt', 'node.key', 'ca/ca.crt'].map((name) => readFile(join(folder, name))),
  );
  if (cert === undefined || key === undefined || ca === undefined) throw new Error('certificates.sh made nothing');
  const node = new X509Certificate(cert);
  t.is(node.subject, 'CN=eventstoredb-node', 'nodes know one another by it');
  for (const host of ['es1.example.org', 'localhost']) t.truthy(node.checkHost(host), host);
  t.truthy(node.checkIP('10.0.0.1'));
  t.deepEqual(node.keyUsage, USAGES);
  t.true(node.verify(new X509Certificate(ca).publicKey));
  t.false(node.ca);

  const server = createServer({ cert, key }, (socket) => socket.end('here'));
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const port = Object(server.address()).port;
  const trusting = connect({ host: '127.0.0.1', port, ca });
  t.is(await heard(trusting), 'here');
  await t.throwsAsync(heard(connect({ host: '127.0.0.1', port })), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });

  t.not((await runCommand('sh', [SCRIPT, folder])).code, 0, 'what is there is not overwritten');
});

async function hasOpenssl(): Promise<boolean> {
  try {
    return (await runCommand('openssl', ['version'])).code === 0;
  } catch (error) {
    if (error instanceof CommandNotStarted) return false;
    throw error;
  }
}

async function heard(socket: TLSSocket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}
