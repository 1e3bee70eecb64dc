import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../infra/clock.ts';
import { endWhenUnread } from '../infra/start/unread.ts';
import { DockerEngine } from './engine/docker.ts';
import { gpuInstrument } from './gpu/instrument.ts';
import { ledgerInFolder } from './ledgerFile.ts';
import { runAgent } from './loop.ts';
import { hostObserver } from './observe/host.ts';
import { AGENT_VERSION, runAgentProcess } from './process.ts';
import { readWords, USAGE } from './words.ts';

const words = readWords(process.argv.slice(2));
switch (words.kind) {
  case 'run':
    if (words.join !== null) process.env['MUSTER_NATS_URL'] = words.join;
    if (words.tokenFile !== null) process.env['MUSTER_MANAGER_TOKEN_FILE'] = words.tokenFile;
    await runThisAgent();
    break;
  case 'check': {
    const { runCheck } = await import('./check/command.ts');
    endWhenUnread();
    // At once: what hung is left behind.
    process.exit(await runCheck(words));
    break;
  }
  case 'help':
    process.stdout.write(USAGE);
    break;
  case 'misused':
    process.stderr.write(`muster agent: ${words.problem}\n\n${USAGE}`);
    process.exitCode = 2;
}

/** The agent of this machine. Its sessions go on when it ends; started again it takes them over. */
async function runThisAgent(): Promise<void> {
  await runAgentProcess('agent', async ({ config, log, join: joinBus, signal, ready }) => {
    const { agentId, sessionAddress } = config;
    const host = { hostname: hostname().slice(0, 255), simulated: false };
    const folder = join(config.dataDir, 'agent');
    await runAgent(
      {
        agentId,
        bootId: randomUUID(),
        firstSeq: 1,
        ...host,
        agentVersion: AGENT_VERSION,
        sessionAddress,
        checkInMs: config.checkInSeconds * 1000,
        diskLimitPercent: config.diskLimitPercent,
        pruneGraceMs: config.pruneGraceMinutes * 60_000,
      },
      {
        clock: realClock,
        bus: await joinBus(agentId, host, join(folder, 'credential')),
        engine: new DockerEngine({ host: config.dockerHost }),
        host: hostObserver({ clock: realClock, gpus: gpuInstrument(), log }),
        ledger: ledgerInFolder(folder),
        log,
        random: Math.random,
        onCheckIn: ready,
      },
      signal,
    );
  });
}
