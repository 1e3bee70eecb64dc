import type { LogsAnswer } from '../http/routes/listLogs.ts';
import { openClient } from './client.ts';
import { age, print, printJson, table, type JsonOption } from './output.ts';

/** The logs with who leads each, as the gateway that answers sees them. */
export async function listLogs({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const answer: LogsAnswer = await client.call('/logs');
  if (json === true) {
    printJson(answer);
    return;
  }
  const { gatewayId, kept, logs } = answer;
  const rows = logs.map(({ log, position, epoch, role, leader, snapshots: [newest] }) => [
    log,
    position,
    String(epoch),
    leader === gatewayId ? `${leader} (this one)` : (leader ?? ''),
    role,
    newest === undefined ? '' : `${newest.position}, ${age(newest.at, Date.now())} old`,
  ]);
  print(table(['LOG', 'POSITION', 'EPOCH', 'LEADER', 'HERE', 'NEWEST SNAPSHOT'], rows));
  print(`\nKept in ${kept.store} at ${kept.at}`);
  for (const { log, readOnly } of logs) if (readOnly !== null) print(`\n${log}: ${readOnly}`);
}
