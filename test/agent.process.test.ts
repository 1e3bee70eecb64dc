import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../infra/tools/command.ts';
import { agentWorld, endOf } from './support/agentProcess.ts';
import { temporaryFolder } from './support/folder.ts';

const NO_ENGINE = { DOCKER_HOST: 'unix:///nonexistent/docker.sock', MUSTER_CHECKIN_SECONDS: '1' };

test('without a container engine the agent checks in and says how to mend it', async (t) => {
  const world = await agentWorld(t, await temporaryFolder(t));
  const agent = await world.launch('agent/main.ts', [], NO_ENGINE);
  const said = await world.hear('a check-in', () => true);
  t.like(said, { agentId: 'agent-1', seq: 1, simulated: false, sessions: [], engine: { status: 'down' } });
  if (said.engine.status === 'down') t.regex(said.engine.mend, /systemctl start docker/);
  t.true(said.hardware.millicores >= 1000 && said.hardware.memoryBytes > 0);
  t.is(await endOf(agent, 'SIGTERM'), 0);
});

test('the agent outlives a crash of the bus and ends when the process that started it is gone', async (t) => {
  const world = await agentWorld(t, await temporaryFolder(t));
  const agent = await world.launch('agent/main.ts', [], NO_ENGINE);
  const before = await world.hear('a check-in', () => true);
  await world.nats.restart();
  const after = await world.hear('a later check-in', (said) => said.seq > before.seq + 1);
  t.is(after.bootId, before.bootId);
  const gone = once(agent, 'exit');
  agent.disconnect();
  await gone;
  t.is(agent.exitCode, 0);
});

test('an agent without a bus in its configuration says so and ends', async (t) => {
  const entry = join(import.meta.dirname, '../agent/main.ts');
  const result = await runCommand(process.execPath, [entry], { env: { MUSTER_NATS_URL: '' } });
  t.is(result.code, 2);
  t.regex(result.stderr, /MUSTER_NATS_URL must be set/);
});
