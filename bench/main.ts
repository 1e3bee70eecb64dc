import { cpus } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { startNats } from '../test/support/nats.ts';
import { benchController } from './controller.ts';
import { benchRequest } from './request.ts';
import { printTable, type Row } from './report.ts';

/**
 * `npm run bench [-- --json FILE]`: how close Muster comes to the raw limit of the store it stands on, both measured in
 * the same run on the same server. Figures depend on the machine; the ratios are what to compare.
 */
const { values } = parseArgs({ options: { json: { type: 'string' }, runs: { type: 'string', default: '5' } } });
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new RangeError('--runs takes a whole number from 1');

const nats = await startNats();
const rows: Row[] = [];
try {
  process.stderr.write('controller against raw commits …\n');
  for (const eventsPerCommit of [1, 16, 256]) rows.push(await benchController(nats, { eventsPerCommit, runs }));
  process.stderr.write('POST /sessions to placed against a raw publish …\n');
  rows.push(...(await benchRequest(nats, { runs })));
} finally {
  await nats.stop();
}
const machine = `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.version}`;
printTable(machine, rows);
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ machine, runs, rows }, null, 2)}\n`);
}
