import { parseArgs } from 'node:util';
import { isoTime } from '../../infra/clock.ts';
import { endWhenUnread } from '../../infra/start/unread.ts';
import { describeFaults, faultTable, isFaultName, type FaultName } from './faults.ts';
import { optionsOrUsage } from '../support/options.ts';
import { runSimulation } from './run.ts';
import { wholeNumber } from './arguments.ts';
import type { World } from './world.ts';

/** One run of the fleet, always the same for a seed. Without an option the seed decides. */
const USAGE = `npm run sim -- --seed N [--steps N] [--agents N] [--gateways N] [--[no-]labels] [--[no-]identity] [--only FAULT,FAULT]
                  [--verbose]
npm run sim -- --faults        what may go wrong`;

const { values, plan } = optionsOrUsage(USAGE, () => {
  const parsed = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      steps: { type: 'string' },
      agents: { type: 'string' },
      gateways: { type: 'string' },
      labels: { type: 'boolean' },
      identity: { type: 'boolean' },
      only: { type: 'string' },
      faults: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
    allowNegative: true,
  });
  const { seed, steps, agents, gateways, labels, identity, only } = parsed.values;
  return {
    values: parsed.values,
    plan: {
      seed: wholeNumber('seed', seed),
      ...(steps === undefined ? {} : { steps: wholeNumber('steps', steps) }),
      ...(agents === undefined ? {} : { agents: wholeNumber('agents', agents) }),
      ...(gateways === undefined ? {} : { gateways: wholeNumber('gateways', gateways) }),
      ...(labels === undefined ? {} : { labels }),
      ...(identity === undefined ? {} : { identity }),
      ...(only === undefined ? {} : { only: faultNames(only) }),
    },
  };
});

endWhenUnread();
if (values.faults) process.stdout.write(`${faultTable()}\n`);
else await run();

async function run(): Promise<void> {
  const began = performance.now();
  try {
    const result = await runSimulation({
      ...plan,
      ...(values.verbose ? { onStep: tell, onTrouble: tellTrouble } : {}),
    });
    const { logHash, version, virtualSeconds, settledSeconds, events } = result;
    const seconds = ((performance.now() - began) / 1000).toFixed(2);
    process.stdout.write(
      `seed ${result.seed}: log hash ${logHash}, version ${version}, ${virtualSeconds} s of the fleet in ${seconds} s, ` +
        `settled after ${settledSeconds} s\n`,
    );
    for (const type of [...events.keys()].toSorted()) {
      process.stdout.write(`${String(events.get(type)).padStart(6)} ${type}\n`);
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function faultNames(text: string): readonly FaultName[] {
  return text.split(',').map((name) => {
    const trimmed = name.trim();
    if (!isFaultName(trimmed)) throw new RangeError(`there is no fault "${trimmed}"; --faults lists them`);
    return trimmed;
  });
}

function tell(step: number, { plan, clock, witness, gateways, faults }: World): void {
  if (step === 1) {
    const { agents, steps, patience } = plan;
    process.stdout.write(
      `${agents} agents that check in every ${patience.checkInSeconds} s, ${plan.gateways} gateways, ${steps} steps of up to ${plan.paceMs} ms\n` +
        `faults: ${describeFaults(faults)}\n`,
    );
  }
  const { zone, version } = witness;
  const phases = [...zone.sessions.values()].map(({ sessionId, phase }) => `${sessionId} ${phase}`).join(', ');
  const states = [...zone.agents.values()].filter((agent) => agent.connectivity !== 'online');
  const away = states.map(({ agentId, connectivity }) => `${agentId} ${connectivity}`).join(', ');
  process.stdout.write(
    `${step} ${isoTime(clock.now())} version ${version}, ${gateways.length} gateways${away === '' ? '' : `, ${away}`}: ${phases}\n`,
  );
}

function tellTrouble(sentence: string, cause: unknown): void {
  process.stdout.write(`  ${sentence} (${cause instanceof Error ? cause.message : String(cause)})\n`);
}
