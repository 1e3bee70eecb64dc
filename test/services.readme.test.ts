import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { SessionView } from '../projections/views.ts';
import { issueKey } from './support/busCaller.ts';
import { startGateway } from './support/gateway.ts';
import { APP_PASSWORD } from './support/nats.ts';
import { startProgram } from './support/program.ts';
import { until } from './support/until.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The program in the README, on the account that tests connect with. */
async function programOfReadme(): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const program = /```js\n(.+?)```/s.exec(readme)?.[1] ?? '';
  const credentials = 'user: keyId,\n  pass: secret,';
  if (!program.includes(credentials)) throw new Error('the README has no program that connects with a key');
  return program.replace(credentials, `user: 'muster-app',\n  pass: '${APP_PASSWORD}',`);
}

const isRunning = ({ phase }: SessionView) => phase === 'running';

test('the program in the README starts a session, and hears everything also when the bus was away', async (t) => {
  const muster = await startGateway(t);
  const agent = await muster.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await muster.defineImage('hello');
  const { keyId, secret } = await issueKey(muster, 'operator');
  const program = startProgram(t, process.execPath, ['--input-type=module', '--eval', await programOfReadme()], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', MUSTER_BUS: muster.nats.url, MUSTER_KEY: `mk_${keyId}_${secret}` },
  });
  t.teardown(async () => {
    program.kill('SIGKILL');
    await program.ended;
  });
  await program.says(/(SessionStarted)/);
  await muster.nats.restart();
  await until(
    'a session started afterwards',
    async () => (await muster.request('POST', '/sessions', { body: { imageId: 'hello' } })).status,
    (status) => status === 201,
  );
  const told = async () => {
    await agent.refresh();
    return await muster.sessions();
  };
  await until('running', told, (sessions) => sessions.length >= 2 && sessions.every(isRunning));
  const wanted = (await muster.events()).map(({ position, type }) => `${position} ${type}`);
  const heard = async () =>
    program
      .output()
      .split('\n')
      .filter((line) => line.startsWith('zone-default:'));
  await until('everything heard', heard, ({ length }) => length >= wanted.length);
  t.deepEqual((await heard()).slice(0, wanted.length), wanted);
  t.regex(program.output(), /on six/);
});
