import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeAuthority } from './support/certificates.ts';
import { startEventStore, type TestEventStore } from './support/eventStore.ts';
import { temporaryFolder } from './support/folder.ts';
import { gatewayEnvironment } from './support/gateway.ts';
import { startMuster } from './support/muster.ts';
import { startNats } from './support/nats.ts';
import { startProgram, type Program } from './support/program.ts';

/** What an operator sees whose gateway cannot use its event store from the start. */

const GATEWAY = join(import.meta.dirname, '../gateway/main.ts');

/** A gateway that is started by itself, as `npx muster gateway` does. */
async function startGateway(t: ExecutionContext, eventLog: string): Promise<Program> {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const ordinary = await gatewayEnvironment(nats, join(await temporaryFolder(t), 'data'));
  const env = { ...ordinary, MUSTER_LOG_LEVEL: 'info', MUSTER_EVENT_LOG: eventLog };
  return startProgram(t, process.execPath, ['--disable-warning=ExperimentalWarning', GATEWAY], { env });
}

async function store(t: ExecutionContext, ...options: Parameters<typeof startEventStore>): Promise<TestEventStore> {
  const server = await startEventStore(...options);
  t.teardown(() => server.stop());
  return server;
}

/** A certificate for 127.0.0.1, by an authority in a file. */
async function certified(t: ExecutionContext) {
  const folder = await temporaryFolder(t);
  const authority = makeAuthority('authority of the tests');
  const { cert, key } = authority.issue(['127.0.0.1']);
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem'), ca: join(folder, 'ca.pem') };
  await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key), writeFile(files.ca, authority.pem)]);
  return files;
}

async function timed<Result>(t: ExecutionContext, work: Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await work;
  t.log(`told ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the start`);
  return result;
}

test.serial(
  'a store that nobody answers for is waited for, with the reason, and the gateway serves once it is there',
  async (t) => {
    const server = await store(t);
    await server.kill9();
    const program = await startGateway(t, server.url);
    const why = /waiting for the event store: EventStoreDB at 127\.0\.0\.1:\d+ does not answer: see that it runs/;
    await timed(t, program.says(why));
    await program.says(new RegExp(`${why.source}[^]*${why.source}`));
    await server.restart();
    await program.says(/serving at http/);
    program.kill('SIGTERM');
    t.is((await program.ended).code, 0);
  },
);

test.serial('a store that hangs is spoken of as well, and a signal ends the wait', async (t) => {
  const server = await store(t);
  await server.pull({ hangs: true });
  const program = await startGateway(t, server.url);
  await timed(t, program.says(/waiting for the event store: EventStoreDB at 127\.0\.0\.1:\d+ does not answer/));
  program.kill('SIGTERM');
  t.is((await program.ended).code, 0);
});

test.serial('a store that does not lead its cluster is waited for', async (t) => {
  const server = await store(t);
  await server.pull({ leader: { host: '127.0.0.1', port: server.port } });
  const program = await startGateway(t, server.url);
  await timed(t, program.says(/waiting for the event store: .* does not lead its cluster.*: name all its nodes/));
  await server.pull({ leader: null });
  await program.says(/serving at http/);
  program.kill('SIGTERM');
  t.is((await program.ended).code, 0);
});

async function refused(t: ExecutionContext, eventLog: string, why: RegExp): Promise<void> {
  const program = await startGateway(t, eventLog);
  t.is((await timed(t, program.ended)).code, 2);
  t.regex(program.output(), new RegExp(`^The gateway did not start\\. ${why.source}.*\\.\n$`, 'm'));
  t.notRegex(program.output(), /hunter2| {4}at /);
}

test.serial('wrong credentials end the gateway with what to mend, and without the password', async (t) => {
  const tls = await certified(t);
  const server = await store(t, { user: { name: 'muster', password: 'right' }, tls });
  const why =
    /EventStoreDB at 127\.0\.0\.1:\d+ does not let the user "muster" in: mend user and password in MUSTER_EVENT_LOG/;
  await refused(t, server.url.replace('right', 'hunter2'), why);
  await refused(t, server.url.replace('muster:right@', ''), /.* does not let somebody without a name in/);
  const program = await startGateway(t, server.url);
  await program.says(/serving at http/);
});

test.serial(
  'a certificate that nobody vouches for, and a store without TLS, end the gateway with what to mend',
  async (t) => {
    const tls = await certified(t);
    const server = await store(t, { tls });
    const strange = await certified(t);
    await refused(
      t,
      server.url.replace(tls.ca, strange.ca),
      /TLS with EventStoreDB at 127\.0\.0\.1:\d+ fails \(.*: name the authority/,
    );
    await refused(
      t,
      server.url.replace(tls.ca, join(tls.ca, 'nowhere')),
      /EventStoreDB at .* cannot be used: (?!.*\.\.).*certificate/,
    );
    const plain = await store(t);
    await refused(
      t,
      plain.url.replace('tls=false', 'tls=true'),
      /EventStoreDB at 127\.0\.0\.1:\d+ does not speak TLS: .* say tls=false/,
    );
  },
);

test.serial('a start on one machine ends at once when the store refuses it, and says why itself', async (t) => {
  const plain = await store(t);
  const env = { MUSTER_EVENT_LOG: plain.url.replace('tls=false', 'tls=true') };
  const error = await t.throwsAsync(startMuster(t, { engineHost: 'unix:///nowhere.sock', env }));
  t.regex(error?.message ?? '', /Muster did not start\. EventStoreDB at 127\.0\.0\.1:\d+ does not speak TLS/);
  t.notRegex(error?.message ?? '', /starting it again/);
});
