import { connectBus } from '../../infra/bus/connect.ts';
import { createJetStreamLog } from '../../infra/log/jetstream/jetStreamLog.ts';
import { FLEET_LOG, type StoredCommit } from '../../infra/log/port.ts';
import { someCommit } from './commits.ts';
import { collect } from './logs.ts';

/**
 * A program that reaches a bus as a gateway does, from wherever it is started: `busProbe.ts URL PASSWORD_VARIABLE`. It reads the
 * fleet's log, appends a commit to it and prints how many there are then; or the code of what went wrong.
 */
const [url = '', variable = ''] = process.argv.slice(2);
try {
  const options = { url, user: 'muster-log', password: process.env[variable] ?? '', name: 'probe' };
  const bus = await connectBus({ ...options, signal: AbortSignal.timeout(10_000) });
  const log = createJetStreamLog({ bus });
  const before: readonly StoredCommit[] = await collect(log.read(FLEET_LOG, 0));
  await log.append(FLEET_LOG, before.length, someCommit(before.at(-1) ?? null, `k${before.length}`));
  process.stdout.write(`${before.length + 1}\n`);
  await log.close();
  await bus.close();
} catch (error) {
  process.stdout.write(`${error instanceof Error && 'code' in error ? String(error.code) : String(error)}\n`);
}
