import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runStart } from './start/command.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (path: string): string => join(root, path);

process.exitCode = await runStart(process.argv.slice(2), {
  root,
  gateway: { path: at('gateway/main.ts'), args: [] },
  agent: { path: at('agent/main.ts'), args: [] },
  simulatedAgents: (count) => ({ path: at('agent/simulated/main.ts'), args: [String(count)] }),
  dashboard: {
    script: at('ui/build.mjs'),
    sources: [at('ui'), at('domain'), at('package-lock.json')],
    output: at('ui/dist'),
  },
  natsConfiguration: at('nats.conf'),
});
process.exit();
