import { parseArgs } from 'node:util';
import { isoTime } from '../../infra/clock.ts';
import { runSimulation } from './run.ts';

/** `npm run sim -- --seed N [--steps N] [--agents N] [--verbose]`: one run of the fleet, always the same for a seed. */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '150' },
    agents: { type: 'string', default: '5' },
    verbose: { type: 'boolean', default: false },
  },
});
const [seed, steps, agents] = [values.seed, values.steps, values.agents].map(Number);
if (
  seed === undefined ||
  steps === undefined ||
  agents === undefined ||
  ![seed, steps, agents].every(Number.isInteger)
) {
  throw new RangeError('--seed, --steps and --agents take whole numbers');
}

const began = performance.now();
try {
  const result = await runSimulation({
    seed,
    steps,
    agents,
    ...(values.verbose
      ? {
          onStep: (step, { clock, witness, gateways }) => {
            const { zone, version } = witness;
            const phases = [...zone.sessions.values()]
              .map(({ sessionId, phase }) => `${sessionId} ${phase}`)
              .join(', ');
            process.stdout.write(
              `${step} ${isoTime(clock.now())} version ${version}, ${gateways.length} gateways: ${phases}\n`,
            );
          },
        }
      : {}),
  });
  const { logHash, version, virtualSeconds, events } = result;
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  process.stdout.write(
    `seed ${seed}: log hash ${logHash}, version ${version}, ${virtualSeconds} s of the fleet in ${seconds} s\n`,
  );
  for (const type of [...events.keys()].toSorted()) {
    process.stdout.write(`${String(events.get(type)).padStart(6)} ${type}\n`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
