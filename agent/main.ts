import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../infra/clock.ts';
import { agentBus } from './bus.ts';
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
    await runThisAgent();
    break;
  case 'check': {
    const { runCheck } = await import('./check/command.ts');
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
  await runAgentProcess('agent', async ({ config, log, link, signal, ready }) => {
    const { agentId, zone, sessionAddress } = config;
    await runAgent(
      {
        agentId,
        bootId: randomUUID(),
        firstSeq: 1,
        hostname: hostname().slice(0, 255),
        agentVersion: AGENT_VERSION,
        simulated: false,
        sessionAddress,
        checkInMs: config.checkInSeconds * 1000,
      },
      {
        clock: realClock,
        bus: agentBus(link, zone, agentId, log),
        engine: new DockerEngine({ host: config.dockerHost }),
        host: hostObserver({ clock: realClock, gpus: gpuInstrument(), log }),
        ledger: ledgerInFolder(join(config.dataDir, 'agent')),
        log,
        random: Math.random,
        onCheckIn: ready,
      },
      signal,
    );
  });
}
