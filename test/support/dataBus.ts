import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine } from '../../infra/start/processes.ts';

/** The process of the nats-server that was started on a data folder. */
export async function busPid(data: string): Promise<number> {
  return Number(await readFile(join(data, 'nats-server.pid'), 'utf8'));
}

/** Whoever is killed leaves the bus behind that he started. */
export async function endBusOf(data: string): Promise<void> {
  const pid = await busPid(data).catch(() => undefined);
  if (pid !== undefined && (await commandLine(pid))?.includes(join(data, 'nats-server.pid')))
    process.kill(pid, 'SIGKILL');
}
