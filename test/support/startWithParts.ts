import { join } from 'node:path';
import { runStart } from '../../infra/start/command.ts';

/**
 * `npm start` with stand-ins for gateway, agent and dashboard: programs in the folder MUSTER_TEST_PARTS. Bus, data
 * folder, locks and signals are the real ones.
 */
const parts = process.env['MUSTER_TEST_PARTS'] ?? '.';
const root = join(import.meta.dirname, '../..');

process.exitCode = await runStart(process.argv.slice(2), {
  root,
  gateway: { path: join(parts, 'gateway.mjs'), args: [] },
  agent: { path: join(parts, 'agent.mjs'), args: [] },
  simulatedAgents: (count) => ({ path: join(parts, 'agent.mjs'), args: [String(count)] }),
  dashboard: { script: join(parts, 'build.mjs'), sources: [join(parts, 'sources')], output: join(parts, 'dist') },
  natsConfiguration: join(root, 'nats.conf'),
});
process.exit();
