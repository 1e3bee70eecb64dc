import { connectBus } from '../infra/bus/connect.ts';
import { publishCheckIn } from '../infra/bus/checkIns.ts';
import { orderedMessages } from '../infra/bus/ordered.ts';
import { desiredDocument, type DesiredDocument } from '../domain/desired.ts';
import { DESIRED_STREAM } from '../infra/names.ts';
import { APP_PASSWORD } from '../test/support/nats.ts';
import { agentIdOf, checkInOf, hardwareOf, observed } from './hosts.ts';

/**
 * All agents of a fleet in one process, without hosts and engines: `node fleetProcess.ts URL AGENTS starts|waits`. Each
 * says everything every ten seconds. One that starts what it is told runs it at once and says so at once; one that waits
 * keeps to the first document that it found.
 */
const [url = '', agents = '0', manner = 'starts'] = process.argv.slice(2);
const INTERVAL_MS = 10_000;
const STEP_MS = 50;

const stop = new AbortController();
process.once('disconnect', () => stop.abort());
const bus = await connectBus({ url, user: 'muster-app', password: APP_PASSWORD, name: 'bench fleet' });
const ids = Array.from({ length: Number(agents) }, (_, index) => agentIdOf(index));
const hardware = new Map(ids.map((agentId) => [agentId, hardwareOf(agentId)]));
const documents = new Map<string, DesiredDocument>();
let seq = 0;

function speak(agentId: string): void {
  const document = documents.get(agentId);
  seq += 1;
  publishCheckIn(
    bus,
    'default',
    checkInOf({
      agentId,
      seq,
      logId: document?.logId ?? null,
      appliedVersion: document?.version ?? 0,
      observedAt: new Date().toISOString(),
      hardware: hardware.get(agentId) ?? hardwareOf(agentId),
      sessions: (document?.sessions ?? []).map(({ sessionId }) => observed(sessionId, 'running')),
      load: seq,
    }),
  );
}

let turn = 0;
const perStep = ids.length / (INTERVAL_MS / STEP_MS);
let owed = 0;
const timer = setInterval(() => {
  for (owed += perStep; owed >= 1; owed -= 1) {
    const agentId = ids[turn % ids.length];
    turn += 1;
    if (agentId !== undefined) speak(agentId);
  }
}, STEP_MS);

process.send?.('ready');
const start = { kind: 'last-per-subject' } as const;
for await (const { data } of orderedMessages(bus, { stream: DESIRED_STREAM, start, signal: stop.signal })) {
  const document = desiredDocument.parse(JSON.parse(Buffer.from(data).toString('utf8')));
  const known = documents.get(document.agentId);
  if (known !== undefined && manner === 'waits') continue;
  documents.set(document.agentId, document);
  // The first ones all come at once, and their agents speak when it is their turn.
  if (known !== undefined && known.version < document.version) speak(document.agentId);
}
clearInterval(timer);
await bus.close();
