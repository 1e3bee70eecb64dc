import { setTimeout as pause } from 'node:timers/promises';
import type { EventRow } from '../live/eventRows.ts';
import { openClient, type Client } from './client.ts';
import { streamedEvents } from './eventStream.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { wholeNumber } from './numbers.ts';
import type { Verification } from '../http/logReader.ts';
import type { SealedLog } from '../http/routes/sealLog.ts';
import { print, printJson, type JsonOption } from './output.ts';

export interface LogOptions extends JsonOption {
  readonly log: string;
  readonly follow?: boolean;
  readonly after?: string;
  readonly lines: string;
  readonly verify?: boolean;
}

const RETRY_MS = 1000;
const MOST_LINES = 1000;

interface Page {
  readonly events: readonly EventRow[];
  readonly next: string | null;
}

/** Prints the last events, or all after a position, and with --follow goes on as they come, through lost connections. */
export async function showLog(options: LogOptions): Promise<void> {
  const client = await openClient();
  if (options.verify === true) return await verifyLog(client, options);
  const say = (row: EventRow) => (options.json === true ? printJson(row, 0) : print(lineOf(row)));
  let position = await printPast(client, options, say);
  while (options.follow === true) {
    try {
      for await (const row of follow(client, options.log, position)) {
        say(row);
        position = row.position;
      }
    } catch (error) {
      if (error instanceof CliError && error.code !== ExitCode.unreachable) throw error;
    }
    process.stderr.write('the connection was lost; trying again\n');
    await pause(RETRY_MS);
  }
}

/** Exit code 1 when the chain of hashes is broken. */
async function verifyLog(client: Client, { log, json }: LogOptions): Promise<void> {
  const found: Verification = await client.call(`/logs/${encodeURIComponent(log)}/verification`);
  if (json === true) printJson(found);
  else {
    const { intact, commits, events, first, head, hash, problem } = found;
    print(`${log}: ${intact ? 'intact' : 'BROKEN'}, ${commits} commits, ${events} events up to ${head}`);
    if (first !== `${log}:1`) print(`what comes before ${first} was moved offline`);
    print(problem ?? `chain hash ${hash}`);
  }
  if (!found.intact) process.exitCode = ExitCode.failure;
}

export interface SealOptions extends JsonOption {
  readonly reason: string;
}

/** Ends the epoch of a log, and says what can be moved offline, and when. */
export async function sealLog(log: string, { reason, json }: SealOptions): Promise<void> {
  const client = await openClient();
  const path = `/logs/${encodeURIComponent(log)}/seal`;
  const sealed = await client.call<SealedLog>(path, { method: 'POST', body: { reason } });
  if (json === true) return printJson(sealed);
  const { epoch, position, movable, how } = sealed;
  print(`${log}: epoch ${epoch} ended at ${position}; what follows is in epoch ${epoch + 1}`);
  print(`It can be moved offline ${movable}: ${how}`);
}

async function printPast(client: Client, options: LogOptions, say: (row: EventRow) => void): Promise<string> {
  const log = encodeURIComponent(options.log);
  let query: string | null =
    options.after === undefined
      ? `last=${wholeNumber('--lines', options.lines, 1, MOST_LINES)}`
      : `after=${encodeURIComponent(options.after)}`;
  let position = options.after ?? `${options.log}:0`;
  while (query !== null) {
    const { events, next }: Page = await client.call(`/events?log=${log}&limit=1000&${query}`);
    for (const row of events) say(row);
    position = events.at(-1)?.position ?? position;
    query = next === null ? null : `after=${encodeURIComponent(next)}`;
  }
  return position;
}

/** The events of the live stream. Ends when the connection does. */
async function* follow(client: Client, log: string, after: string): AsyncGenerator<EventRow> {
  const query = `view=events&log=${encodeURIComponent(log)}&after=${encodeURIComponent(after)}`;
  for await (const { data } of streamedEvents(await client.open(`/live?${query}`))) {
    const row: EventRow = JSON.parse(data);
    yield row;
  }
}

/** `12:30:01  zone-default:17  SessionPlaced  s-abc on gpu-02  by admin`. */
function lineOf(row: EventRow): string {
  const time = row.occurredAt.replace('T', ' ').replace('Z', '');
  const reason = row.reason === undefined ? '' : `  "${row.reason}"`;
  return `${time}  ${row.position}  ${row.type.padEnd(20)}  ${subjectOf(row)}  by ${row.actor.id}${reason}`;
}

function subjectOf({ data }: EventRow): string {
  const image = 'image' in data && !('sessionId' in data) ? data.image.imageId : '';
  const names = [
    'sessionId' in data ? data.sessionId : '',
    'agentId' in data ? (data.agentId ?? '') : '',
    'imageId' in data ? data.imageId : image,
    'zone' in data ? data.zone : '',
    'personId' in data ? data.personId : '',
    'keyId' in data ? data.keyId : '',
    'tokenId' in data ? data.tokenId : '',
  ];
  return names.filter((name) => name !== '').join(' ');
}
