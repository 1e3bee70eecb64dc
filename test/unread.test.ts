import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';
import { openEventStoreLog } from '../infra/log/eventStore/open.ts';
import { FLEET_LOG } from '../infra/log/port.ts';
import { startEventStore } from './support/eventStore.ts';
import { appendMany, versions } from './support/logs.ts';

const ROOT = join(import.meta.dirname, '..');

interface End {
  readonly code: unknown;
  readonly error: string;
}

/** Runs a program whose standard output nobody reads, as after `… | head -0`. */
async function unread(...words: readonly string[]): Promise<End> {
  const child = spawn(process.execPath, [...words], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let error = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  const [code]: unknown[] = await once(child, 'close');
  return { code, error };
}

for (const words of [
  ['gateway/cli/main.ts', 'config'],
  ['test/simulation/main.ts', '--faults'],
  ['test/simulation/main.ts', '--steps', '3', '--verbose'],
]) {
  test(`what nobody reads on ends quietly: ${words.join(' ')}`, async (t) => {
    t.deepEqual(await unread(...words), { code: 141, error: '' });
  });
}

test('a copy of the logs comes to its end though nobody reads what it says', async (t) => {
  const [from, to] = [await startEventStore(), await startEventStore()];
  t.teardown(async () => void (await Promise.all([from.stop(), to.stop()])));
  const [source, target] = [
    openEventStoreLog({ url: from.url, name: 'test' }),
    openEventStoreLog({ url: to.url, name: 'test' }),
  ];
  t.teardown(async () => void (await Promise.all([source.close(), target.close()])));
  await appendMany(source.eventLog, FLEET_LOG, 3);
  const words = ['gateway/cli/main.ts', 'log', 'copy', '--from', from.url, '--to', to.url, '--log', FLEET_LOG];
  t.is((await unread(...words)).code, 0);
  t.deepEqual(await versions(target.eventLog, FLEET_LOG), [1, 2, 3]);
});
