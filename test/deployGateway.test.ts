import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { parseEnvironmentFile } from '../infra/environmentFile.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { temporaryFolder } from './support/folder.ts';
import { descendantsOf } from './support/muster.ts';
import { busSecretsFiles } from '../infra/start/busSecretsFiles.ts';
import { BUS_SECRETS, startNats } from './support/nats.ts';
import { startProgram, type Program } from './support/program.ts';
import { parseUnit, settingOf, type Unit } from './support/unitFile.ts';
import { until } from './support/until.ts';

/** A gateway as a service: its unit and example, held to what the gateway does. */

const ROOT = join(import.meta.dirname, '..');
const DEPLOY = join(ROOT, 'infra/deploy');
const MEBIBYTE = 1024 ** 2;

async function unit(): Promise<Unit> {
  return parseUnit(await readFile(join(DEPLOY, 'muster-gateway.service'), 'utf8'));
}

/** The gateway as the unit starts it, with this configuration file. */
async function startAsService(t: ExecutionContext, file: string, compiled: string): Promise<Program> {
  const service = await unit();
  const lines = service.get('Service')?.get('Environment') ?? [];
  const environment = parseEnvironmentFile(lines.join('\n')).entries.map(({ name, value }) => [name, value]);
  const [node, ...args] = settingOf(service, 'Service', 'ExecStart').split(' ');
  t.is(node, '/usr/bin/node');
  const program = startProgram(t, process.execPath, args, {
    cwd: ROOT,
    env: { ...Object.fromEntries(environment), MUSTER_CONFIG: file, NODE_COMPILE_CACHE: compiled },
  });
  // Killed, the launcher could not hand anything on to the gateway.
  t.teardown(async () => {
    program.kill('SIGTERM');
    await program.ended;
  });
  return program;
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

test('the service starts a gateway on a bus that runs already, and ends it in order', async (t) => {
  const folder = await temporaryFolder(t);
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const http = `127.0.0.1:${await freeLoopbackPort()}`;
  const settings: Readonly<Record<string, string>> = {
    MUSTER_NATS_URL: nats.url,
    MUSTER_HTTP: http,
    MUSTER_DATA: join(folder, 'data'),
  };
  const example = await readFile(join(DEPLOY, 'gateway.env'), 'utf8');
  const filled = example.replaceAll(/^#?([A-Z_]+)=.*$/gm, (line, name: string) =>
    settings[name] === undefined ? line : `${name}=${settings[name]}`,
  );
  const file = join(folder, 'gateway.env');
  await writeFile(file, `${filled}${busSecretsFiles(BUS_SECRETS)[1].text}`, { mode: 0o600 });
  await mkdir(join(folder, 'compiled'));
  const program = await startAsService(t, file, join(folder, 'compiled'));
  await until('a gateway that is ready', () => isReady(`http://${http}`), Boolean);

  const pids = [program.pid, ...(await descendantsOf(program.pid))];
  const taken = (await Promise.all(pids.map(residentBytes))).reduce((sum, bytes) => sum + bytes, 0);
  const high = /^(\d+)G$/.exec(settingOf(await unit(), 'Service', 'MemoryHigh'))?.[1];
  t.log(`it takes ${Math.round(taken / MEBIBYTE)} MiB`);
  t.true(taken < Number(high) * 1024 * MEBIBYTE);
  program.kill('SIGTERM');
  t.is((await program.ended).code, 0, program.output());
});

test('the service ends with 2 when its configuration is wrong, and then it is not started again', async (t) => {
  t.is(settingOf(await unit(), 'Service', 'RestartPreventExitStatus'), '2');
  const program = await startAsService(t, '/nowhere/gateway.env', await temporaryFolder(t));
  t.is((await program.ended).code, 2);
  t.regex(program.output(), /\/nowhere\/gateway\.env is not there/);
});
