import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { endWhenUnread } from '../infra/start/unread.ts';
import { optionsOrUsage } from '../test/support/options.ts';
import { benchCheckIns } from './checkIns.ts';
import { benchController } from './controller.ts';
import { benchCopy } from './copy.ts';
import { benchEntries } from './entries.ts';
import { benchHistory } from './history.ts';
import { benchMemory } from './memory.ts';
import { benchObserve } from './observe.ts';
import { benchReady } from './ready.ts';
import { benchReplay } from './replay.ts';
import { benchRequest } from './request.ts';
import { benchServices } from './services.ts';
import { benchStart } from './start.ts';
import { benchStores } from './stores.ts';
import { benchUi } from './ui.ts';
import { tableOf, type Report, type Row } from './report.ts';

interface Bench {
  readonly what: string;
  readonly measure: (options: { readonly runs: number; readonly minutes: number }) => Promise<Report>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  controller: { what: 'the controller against raw commits', measure: benchController },
  stores: { what: 'commits through the adapter of each store against its own client', measure: benchStores },
  copy: { what: 'a log copied from store to store and back against raw commits', measure: benchCopy },
  request: { what: 'POST /sessions to placed against a raw publish', measure: benchRequest },
  services: { what: 'requests on the bus against a handler that does nothing', measure: benchServices },
  checkIns: { what: 'check-ins through a gateway against an ordered consumer', measure: benchCheckIns },
  history: { what: 'the history of one agent against the stored bytes alone', measure: benchHistory },
  replay: { what: 'a whole log read and folded against only parsed', measure: benchReplay },
  ready: { what: 'a gateway that starts on a long log against one on an empty log', measure: benchReady },
  start: { what: 'POST /sessions to running against the engine alone', measure: benchStart },
  observe: { what: 'what it costs an agent to observe its host', measure: benchObserve },
  entries: {
    what: 'agents that enter the bus by a gateway against a password in its configuration',
    measure: benchEntries,
  },
  ui: { what: 'the dashboard in a browser against its limits', measure: benchUi },
  memory: { what: 'memory of gateways with and without agents and sessions', measure: benchMemory },
};

/**
 * How close Muster comes to the raw limit of what it stands on, both measured in the same run on the same machine. Figures depend on
 * the machine; the ratios are what to compare.
 */
const USAGE = `npm run bench [-- --runs N] [--minutes N] [--only NAME] [--json FILE]

${Object.entries(BENCHES)
  .map(([name, { what }]) => `  ${name.padEnd(12)}${what}`)
  .join('\n')}`;

const { values, runs, minutes } = optionsOrUsage(USAGE, () => {
  const parsed = parseArgs({
    options: {
      json: { type: 'string' },
      runs: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '2' },
      only: { type: 'string' },
    },
  });
  const asked = { runs: Number(parsed.values.runs), minutes: Number(parsed.values.minutes) };
  if (!Number.isInteger(asked.runs) || asked.runs < 1) throw new RangeError('--runs takes a whole number from 1');
  if (!(asked.minutes > 0)) throw new RangeError('--minutes takes a number above 0');
  const { only } = parsed.values;
  if (only !== undefined && !Object.hasOwn(BENCHES, only)) throw new RangeError(`there is no figure "${only}"`);
  return { values: parsed.values, ...asked };
});

endWhenUnread();
const rows: Row[] = [];
const notes: string[] = [];
for (const [name, { what, measure }] of Object.entries(BENCHES)) {
  if (values.only !== undefined && values.only !== name) continue;
  process.stderr.write(`${name}: ${what} …\n`);
  const startedAt = performance.now();
  const found = await measure({ runs, minutes });
  rows.push(...found.rows);
  notes.push(...found.notes);
  process.stderr.write(`  ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`);
}
const machine = `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`;
process.stdout.write(tableOf(machine, { rows, notes }));
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ machine, runs, rows, notes }, null, 2)}\n`);
}
