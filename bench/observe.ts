import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SLEEPER_IMAGE } from '../test/support/engineImages.ts';
import type { BlockTold } from './blockProbe.ts';
import { AGENT_ID, startHost } from './hostUnderTest.ts';
import { row, type Report, type Row } from './report.ts';
import { startOne } from './start.ts';

const PROBE = join(import.meta.dirname, 'blockProbe.ts');
/** A start leaves work behind: code is compiled, memory collected. */
const SETTLE_MS = 10_000;
/** Six intervals of check-ins for the processor; then two, for the event loop, while it is watched. */
const CPU_MS = 60_000;
const BLOCK_MS = 20_000;
const SESSIONS = [0, 20];
/** What the kernel counts processor time in. */
const TICKS_PER_SECOND = 100;

/**
 * What it costs to observe a host at check-ins every ten seconds: processor time of the agent's process and of the programs
 * that it ran, in percent of a core, and the longest time that its event loop stood. Nothing else happens meanwhile.
 */
export async function benchObserve(): Promise<Report> {
  const host = await startHost(PROBE);
  const { rest } = host.gateway;
  await rest.defineImage('sleeper', { reference: SLEEPER_IMAGE, cores: 0.01, memory: '16MiB' });
  const rows: Row[] = [];
  let running = 0;
  for (const sessions of SESSIONS) {
    for (; running < sessions; running += 1) await startOne(rest);
    await pause(SETTLE_MS);
    const before = await processorMs(host.agent);
    await pause(CPU_MS);
    const percent = ((await processorMs(host.agent)) - before) / (CPU_MS / 100);
    host.agent.send('watch');
    await pause(BLOCK_MS);
    const { longestMs } = await blockOf(host.agent);
    rows.push(row(`agent observing, ${sessions} sessions`, '% of a core', percent, null));
    rows.push(row(`  longest block of its event loop`, 'ms', longestMs, null));
  }
  const { sessions, used } = await rest.agent(AGENT_ID);
  if (sessions !== running || used?.sessions.length !== running) throw new Error('not every session was measured');
  await host.stop();
  return { rows, notes: ['observe: programs that the agent runs are counted with it; the engine is not'] };
}

/** Of the process and of its children that have ended. */
async function processorMs({ pid }: ChildProcess): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  // The name, in parentheses, may hold spaces; user, system, and the same of children are fields 14 to 17.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

async function blockOf(agent: ChildProcess): Promise<BlockTold> {
  const { promise, resolve } = Promise.withResolvers<BlockTold>();
  const listen = (message: unknown): void => {
    if (isBlock(message)) resolve(message);
  };
  agent.on('message', listen);
  agent.send('block');
  const told = await promise;
  agent.off('message', listen);
  return told;
}

function isBlock(message: unknown): message is BlockTold {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'block';
}
