import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { putDesired } from '../infra/bus/desired.ts';
import { readConfig } from '../infra/config/config.ts';
import { describeConfig } from '../infra/config/table.ts';
import { parseEnvironmentFile } from '../infra/environmentFile.ts';
import { busGatewayVariables } from '../infra/start/busSecrets.ts';
import { agentWorld, type AgentWorld } from './support/agentProcess.ts';
import { desired, wanted } from './support/desired.ts';
import { dockerOf, type TestEngine } from './support/engine.ts';
import { serialEngineTest } from './support/engineTest.ts';
import { temporaryFolder } from './support/folder.ts';
import { descendantsOf } from './support/muster.ts';
import { BUS_SECRETS } from './support/nats.ts';
import { startProgram, type Program } from './support/program.ts';
import { systemdAnalyze } from './support/systemdAnalyze.ts';
import { parseUnit, settingOf, type Unit } from './support/unitFile.ts';

/** What is installed on a host: infra/deploy holds it, and these tests hold it to what the agent does. */

const ROOT = join(import.meta.dirname, '..');
const DEPLOY = join(ROOT, 'infra/deploy');
const MEBIBYTE = 1024 ** 2;
const SESSIONS = 50;
/** Settings that systemd 252 does not know yet and passes over, with a word. */
const NEWER = /Unknown key (?:name )?'(?:RestartSteps|RestartMaxDelaySec)'/;

async function deployed(name: string): Promise<string> {
  return await readFile(join(DEPLOY, name), 'utf8');
}

async function unit(of = 'agent'): Promise<Unit> {
  return parseUnit(await deployed(`muster-${of}.service`));
}

/** `Environment=` of the unit. */
function environmentOf(service: Unit): Readonly<Record<string, string>> {
  const lines = service.get('Service')?.get('Environment') ?? [];
  return Object.fromEntries(parseEnvironmentFile(lines.join('\n')).entries.map(({ name, value }) => [name, value]));
}

/** The names in the example, those that stand there as a comment included. */
async function exampleNames(of: string): Promise<readonly string[]> {
  const text = (await deployed(`${of}.env`)).replaceAll(/^#(?=[A-Z_]+=)/gm, '');
  return parseEnvironmentFile(text).entries.map(({ name }) => name);
}

/** What systemd says of a unit, apart from what older ones do not know yet. Node may be elsewhere here. */
async function verified(t: ExecutionContext, text: string): Promise<string> {
  const file = join(await temporaryFolder(t), 'muster.service');
  await writeFile(file, text.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
  const { stderr } = await systemdAnalyze(['verify', '--man=no', file]);
  return stderr
    .split('\n')
    .filter((line) => line.includes(file) && !NEWER.test(line))
    .join('\n');
}

test('systemd understands every line of the units', async (t) => {
  t.is(await verified(t, await deployed('muster-gateway.service')), '');
  const text = await deployed('muster-agent.service');
  t.is(await verified(t, text), '');
  t.regex(await verified(t, text.replace('KillMode=mixed', 'KillMood=mixed')), /KillMood/, 'a wrong name is seen');
  t.regex(await verified(t, text.replace('KillMode=mixed', 'KillMode=all')), /kill mode/i, 'a wrong value is seen');
});

/** What each unit's example must say for its program to start, and what its program needs besides. */
const PROGRAMS = [
  { of: 'agent', says: ['MUSTER_NATS_URL', 'MUSTER_MANAGER_TOKEN_FILE', 'DOCKER_HOST'], asGateway: false, besides: {} },
  {
    of: 'gateway',
    says: ['MUSTER_NATS_URL', 'MUSTER_EVENT_LOG', 'MUSTER_HTTP', 'MUSTER_SECRETS_KEY', 'MUSTER_ADMIN_KEY'],
    asGateway: true,
    besides: busGatewayVariables(BUS_SECRETS),
  },
] as const;

for (const { of, says, asGateway, besides } of PROGRAMS) {
  test(`unit, example, instructions and the documented variables of the ${of} agree`, async (t) => {
    const service = await unit(of);
    const known = new Set(describeConfig().map(({ name }) => name));
    const names = await exampleNames(of);
    t.true(says.every((name) => names.includes(name)));
    t.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    );
    const ofUnit = Object.keys(environmentOf(service)).filter((name) => !name.startsWith('NODE_'));
    t.deepEqual(ofUnit, ['MUSTER_CONFIG'], 'what the unit sets would silently win over the file');

    const file = environmentOf(service)['MUSTER_CONFIG'] ?? '';
    const example = Object.fromEntries(
      parseEnvironmentFile(await deployed(`${of}.env`)).entries.map((e) => [e.name, e.value]),
    );
    t.is(example['MUSTER_DATA'], `/var/lib/${settingOf(service, 'Service', 'StateDirectory')}`);
    t.deepEqual(
      Object.keys(example).filter((name) => /PASSWORD|SEED|ADMIN_KEY/.test(name)),
      [],
      'an example holds no secret',
    );
    // Names in it would stand twice once the lines of `muster bus-secrets` are put behind.
    t.deepEqual(
      names.filter((name) => name in besides),
      [],
    );
    t.notThrows(() => readConfig({ ...example, ...besides }, { asGateway }));

    const instructions = await deployed('README.md');
    const place = settingOf(service, 'Service', 'WorkingDirectory');
    const user = settingOf(service, 'Service', 'User');
    for (const said of [
      ` ${file} `,
      ` ${place} `,
      ` ${user}\n`,
      `-m 600 -o ${user} -g ${user}`,
      `muster-${of}.service`,
    ]) {
      t.true(instructions.includes(said), said);
    }
  });
}

/** The agent as the unit starts it: its command line, environment and configuration file, on a bus and engine of the test. */
async function startAsService(
  t: ExecutionContext,
  world: AgentWorld,
  folder: string,
  dockerHost: string,
): Promise<Program> {
  const service = await unit();
  const settings: Readonly<Record<string, string>> = {
    MUSTER_NATS_URL: world.nats.url,
    MUSTER_MANAGER_TOKEN_FILE: join(folder, 'manager.token'),
    MUSTER_DATA: join(folder, 'data'),
    MUSTER_AGENT_ID: 'agent-1',
    DOCKER_HOST: dockerHost,
  };
  const example = await deployed('agent.env');
  const filled = example.replaceAll(/^#?([A-Z_]+)=.*$/gm, (line, name: string) =>
    settings[name] === undefined ? line : `${name}=${settings[name]}`,
  );
  const file = join(folder, 'agent.env');
  await writeFile(file, filled, { mode: 0o600 });
  const compiled = join(folder, 'compiled');
  await mkdir(compiled);
  const [node, ...args] = settingOf(service, 'Service', 'ExecStart').split(' ');
  t.is(node, '/usr/bin/node');
  const program = startProgram(t, process.execPath, args, {
    cwd: ROOT,
    env: { ...environmentOf(service), MUSTER_CONFIG: file, NODE_COMPILE_CACHE: compiled },
  });
  // Killed, the launcher could not hand anything on to the agent.
  t.teardown(async () => {
    program.kill('SIGTERM');
    await program.ended;
  });
  return program;
}

interface Footprint {
  readonly residentBytes: number;
  readonly mostResidentBytes: number;
  readonly tasks: number;
  readonly descriptors: number;
}

/** What a service's processes take together. */
async function footprint(pid: number): Promise<Footprint> {
  const each = await Promise.all([pid, ...(await descendantsOf(pid))].map(footprintOf));
  const sum = (field: keyof Footprint) => each.reduce((total, one) => total + one[field], 0);
  return {
    residentBytes: sum('residentBytes'),
    mostResidentBytes: sum('mostResidentBytes'),
    tasks: sum('tasks'),
    descriptors: sum('descriptors'),
  };
}

async function footprintOf(pid: number): Promise<Footprint> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
  return {
    residentBytes: kibibytes('VmRSS') * 1024,
    mostResidentBytes: kibibytes('VmHWM') * 1024,
    tasks: Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1]),
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
  };
}

function removeAfterwards(t: ExecutionContext, engine: TestEngine, logId: string): void {
  t.teardown(async () => {
    const docker = dockerOf(engine);
    const left = await docker.listContainers({ all: true, filters: { label: [`muster.log=${logId}`] } });
    await Promise.all(left.map((each) => docker.getContainer(each.Id).remove({ force: true, v: true })));
  });
}

serialEngineTest('the service starts the agent, and with 50 sessions it stays within its limits', async (t, engine) => {
  const folder = await temporaryFolder(t);
  const world = await agentWorld(t, folder);
  const logId = `log-${process.pid}-${process.hrtime.bigint()}`;
  removeAfterwards(t, engine, logId);
  const program = await startAsService(t, world, folder, engine.host);
  await world.hear('a check-in with the engine', (said) => said.engine.status === 'up');
  const idle = await footprint(program.pid);

  const sessions = Array.from({ length: SESSIONS }, (_, index) => wanted(`s-${index}-${logId}`));
  const begun = performance.now();
  await putDesired(world.bus, desired(1, sessions, logId));
  for (let running = 10; running <= SESSIONS; running += 10) {
    await world.hear(
      `${running} running`,
      (said) => said.sessions.filter(({ status }) => status === 'running').length >= running,
    );
  }
  t.log(`${SESSIONS} sessions ran after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const busy = await footprint(program.pid);
  const said = (one: Footprint) =>
    `${Math.round(one.residentBytes / MEBIBYTE)} MiB (at most ${Math.round(one.mostResidentBytes / MEBIBYTE)}), ` +
    `${one.tasks} tasks, ${one.descriptors} descriptors`;
  t.log(`idle: ${said(idle)}`);
  t.log(`with ${SESSIONS} sessions: ${said(busy)}`);
  const service = await unit();
  const high = Number(/^(\d+)M$/.exec(settingOf(service, 'Service', 'MemoryHigh'))?.[1]) * MEBIBYTE;
  t.true(busy.mostResidentBytes < high, 'MemoryHigh');
  t.true(busy.tasks < Number(settingOf(service, 'Service', 'TasksMax')), 'TasksMax');
  t.true(busy.descriptors < Number(settingOf(service, 'Service', 'LimitNOFILE')), 'LimitNOFILE');

  await putDesired(world.bus, desired(2, [], logId));
  for (let left = SESSIONS - 10; left >= 0; left -= 10) {
    await world.hear(`${left} left`, (check) => check.sessions.length <= left);
  }
  program.kill('SIGTERM');
  t.is((await program.ended).code, 0);
});

test('the service ends with 2 when its configuration is wrong, and then it is not started again', async (t) => {
  const service = await unit();
  t.is(settingOf(service, 'Service', 'RestartPreventExitStatus'), '2');
  const [, ...args] = settingOf(service, 'Service', 'ExecStart').split(' ');
  const program = startProgram(t, process.execPath, args, { cwd: ROOT, env: { MUSTER_CONFIG: '/nowhere/agent.env' } });
  t.is((await program.ended).code, 2);
  t.regex(program.output(), /\/nowhere\/agent\.env is not there/);
});
