import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DockerEngine } from '../agent/engine/docker.ts';
import { networkFault, NETWORKS } from '../agent/engine/networks.ts';
import { runCommand, type CommandResult } from '../infra/tools/command.ts';
import { specOf } from './support/desired.ts';
import { breakableEngine, dockerOf, inNetworkOf, type TestEngine } from './support/engine.ts';
import { engineTest } from './support/engineTest.ts';
import { BUSYBOX_IMAGE, busyboxProgram } from './support/engineImages.ts';
import { sessionBench } from './support/engineSessions.ts';
import { temporaryFolder } from './support/folder.ts';
import { until } from './support/until.ts';

const SERVE = 'mkdir /tmp/www && echo served >/tmp/www/index.html && exec httpd -f -p 8000 -h /tmp/www';
const PORTS = [{ containerPort: 8_000, protocol: 'tcp' as const }];

/** Fetches as this host would; tries again while the server in the session has not begun to listen. */
async function fetchOnHost(engine: Pick<TestEngine, 'dockerdPid'>, url: string): Promise<string> {
  const fetching = `console.log(await (await fetch('${url}')).text())`;
  const deadline = performance.now() + 20_000;
  for (;;) {
    const said = await nodeOnHost(engine, fetching);
    if (said.code === 0) return said.stdout.trim();
    if (performance.now() > deadline) throw new Error(`${url} does not answer: ${said.stderr}`);
  }
}

function nodeOnHost(engine: Pick<TestEngine, 'dockerdPid'>, script: string): Promise<CommandResult> {
  const [program, ...args] = inNetworkOf(engine);
  return runCommand(program, [...args, process.execPath, '--input-type=module', '-e', script], { timeoutMs: 10_000 });
}

engineTest('a port is published on the session address, the engine chooses the host port', async (t, testEngine) => {
  const { engine, spec, view } = sessionBench(t, testEngine);
  const session = spec(SERVE, { ports: PORTS });
  await engine.start(session);
  const { ports } = await view(session.sessionId);
  t.is(ports.length, 1);
  t.like(ports[0], { containerPort: 8_000, protocol: 'tcp', hostAddress: '127.0.0.1' });
  t.is(await fetchOnHost(testEngine, `http://127.0.0.1:${ports[0]?.hostPort}/`), 'served');
});

engineTest('two sessions cannot talk to each other', async (t, testEngine) => {
  const { engine, spec, output, view } = sessionBench(t, testEngine);
  const server = spec(SERVE, { ports: PORTS });
  await engine.start(server);
  const { containerId, ports } = await view(server.sessionId);
  t.is(await fetchOnHost(testEngine, `http://127.0.0.1:${ports[0]?.hostPort}/`), 'served', 'the server is there');
  const { NetworkSettings } = await dockerOf(testEngine).getContainer(containerId).inspect();
  const addresses = Object.values(NetworkSettings.Networks).map((each) => each.IPAddress);
  t.is(addresses.length, 2);
  const tries = addresses.map((address) => `nc -w1 ${address} 8000 </dev/null; echo "code $?"`).join('; ');
  t.deepEqual((await output(spec(tries))).match(/code \d/g), ['code 1', 'code 1']);
});

engineTest('the metadata service of a cloud cannot be reached from a session', async (t) => {
  const own = await breakableEngine(t, 'metadata');
  await standInForMetadataService(t, own);
  const docker = dockerOf(own);
  const { engine, spec, output } = sessionBench(t, own);
  const ask = `ip route; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 169.254.169.254 80; echo "code $?"`;
  const routes = await readFile(`/proc/${own.dockerdPid}/net/route`, 'utf8');
  const said = await output(spec(ask));
  t.regex(said, /169\.254\.168\.0\/21 dev eth\d/);
  t.regex(said, /code 1/);
  t.notRegex(said, /secret/);

  // The same question from the sessions' network alone is answered: so it is the dead end that stops it.
  await engine.start(spec('true'));
  const open = await docker.createContainer({
    Image: BUSYBOX_IMAGE,
    Cmd: ['/bin/sh', '-c', ask],
    HostConfig: { NetworkMode: 'muster-sessions' },
  });
  await open.start();
  await open.wait();
  t.regex(String(await open.logs({ stdout: true })), /secret/);
  t.is(
    count(await readFile(`/proc/${own.dockerdPid}/net/route`, 'utf8')),
    count(routes) + 1,
    'one route: the sessions',
  );
});

/** Routes into 169.254.0.0/16 would be an alteration of the host; the kernel writes addresses backwards in hexadecimal. */
function count(routes: string): number {
  const destinations = routes
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[1] ?? '')
    .filter((each) => each !== '');
  if (destinations.some((each) => each.endsWith('FEA9'))) throw new Error(`The host has a new route:\n${routes}`);
  return destinations.length;
}

/** Puts a server on 169.254.169.254 into the private network of an engine, as a cloud does for its hosts. */
async function standInForMetadataService(t: ExecutionContext, engine: TestEngine): Promise<void> {
  const busybox = await busyboxProgram();
  const [program, ...args] = inNetworkOf(engine);
  const added = await runCommand(program, [...args, busybox, 'ip', 'addr', 'add', '169.254.169.254/32', 'dev', 'lo']);
  t.is(added.code, 0, added.stderr);
  const serve = `import { createServer } from 'node:http';
    createServer((_, response) => response.end('secret')).listen(80, '169.254.169.254', () => console.log('ready'));`;
  const server = spawn(program, [...args, process.execPath, '--input-type=module', '-e', serve], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => server.kill());
  await once(server.stdout, 'data');
  t.is(await fetchOnHost(engine, 'http://169.254.169.254/'), 'secret');
}

test('a network of our name that does not keep sessions apart is not used', (t) => {
  for (const wanted of NETWORKS) {
    const good = { ...wanted, Options: { ...wanted.Options }, IPAM: { Config: wanted.IPAM?.Config ?? [] } };
    t.is(networkFault(wanted, good), null);
    t.is(networkFault(wanted, { ...good, Driver: 'macvlan' }), 'its driver is macvlan');
    t.is(networkFault(wanted, { ...good, EnableIPv6: true }), 'it has IPv6');
    t.regex(networkFault(wanted, { ...good, Options: {} }) ?? '', /enable_icc is not false/);
    t.regex(networkFault(wanted, { ...good, Internal: !wanted.Internal }) ?? '', /^internal is/);
  }
});

test('an engine that drops what keeps sessions apart is refused by name, and its networks go again', async (t) => {
  const made = new Set<string>();
  // As Podman 4.3 answers: it takes every option of a network and keeps none of them.
  const server = createServer((request, response) => {
    const [, name = ''] = /\/networks\/([^?]+)/.exec(request.url ?? '') ?? [];
    if (request.method === 'POST') {
      request.setEncoding('utf8').on('data', (body: string) => made.add((JSON.parse(body) as { Name: string }).Name));
      return void request.once('end', () => response.writeHead(201).end('{}'));
    }
    if (request.method === 'DELETE' && made.delete(name)) return void response.writeHead(204).end();
    if (!made.has(name)) return void response.writeHead(404).end('{}');
    const { Driver, Internal, IPAM } = NETWORKS.find(({ Name }) => Name === name) ?? {};
    response.end(JSON.stringify({ Name: name, Driver, Internal, IPAM, EnableIPv6: false, Options: {} }));
  });
  const socketPath = join(await temporaryFolder(t), 'podman.sock');
  await once(server.listen(socketPath), 'listening');
  t.teardown(() => server.close());
  const engine = new DockerEngine({ host: `unix://${socketPath}` });
  const error = await t.throwsAsync(engine.start(specOf('s1')), { code: 'ENGINE_UNSUITABLE' });
  t.regex(error?.message ?? '', /cannot keep sessions apart.*enable_icc is not false\. Use Docker 20\.10 or newer/);
  await until(
    'the end of both',
    async () => made.size,
    (size) => size === 0,
  );
});
