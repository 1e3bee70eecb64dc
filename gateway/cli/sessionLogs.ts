import { setTimeout as pause } from 'node:timers/promises';
import { plainText } from '../../domain/plainText.ts';
import type { OutputEnd, OutputLine } from '../../domain/output.ts';
import { openClient, type Client } from './client.ts';
import { streamedEvents } from './eventStream.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { wholeNumber } from './numbers.ts';
import { complain } from './output.ts';

export interface OutputOptions {
  readonly follow?: boolean;
  readonly lines: string;
  readonly timestamps?: boolean;
}

const RETRY_MS = 1000;
const MOST_LINES = 5000;
/** What may be over soon: another gateway takes over, the agent is started again. */
const PASSING: ReadonlySet<string> = new Set([
  'AGENT_STOPPING',
  'AGENT_SILENT',
  'GATEWAY_STOPPING',
  'BUS_AWAY',
  'LINES_LOST',
]);

/**
 * Prints what a session's program has printed, and with --follow what it prints until its container ends, through lost
 * connections. A terminal is shown no control characters: they come from somebody else's program.
 */
export async function showOutput(sessionId: string, options: OutputOptions): Promise<void> {
  const tail = `tail=${wholeNumber('--lines', options.lines, 0, MOST_LINES)}`;
  const client = await openClient();
  const path = `/sessions/${encodeURIComponent(sessionId)}/logs`;
  const timestamps = options.timestamps === true;
  if (options.follow !== true) return await printText(await client.open(`${path}?${tail}&timestamps=${timestamps}`));
  const print = printer(timestamps);
  let after: string | null = null;
  for (let hasBegun = false; ; hasBegun = true) {
    const reading = await followOnce(client, `${path}?follow=true&${tail}`, after, hasBegun, print);
    after = reading.after;
    if (reading.end?.code === 'CONTAINER_ENDED') return;
    if (reading.end !== null && !PASSING.has(reading.end.code))
      throw new CliError(ExitCode.failure, reading.end.sentence);
    complain(`${reading.end?.sentence ?? 'the connection was lost'}; trying again`);
    await pause(RETRY_MS);
  }
}

interface Reading {
  /** The newest line that was printed; null before the first. */
  readonly after: string | null;
  /** Null: the connection broke. */
  readonly end: OutputEnd | null;
}

async function followOnce(
  client: Client,
  path: string,
  from: string | null,
  hasBegun: boolean,
  print: (line: OutputLine) => void,
): Promise<Reading> {
  let after = from;
  try {
    const answer = await client.open(path, { headers: after === null ? {} : { 'last-event-id': after } });
    for await (const { event, id, data } of streamedEvents(answer)) {
      if (event === 'end') {
        const end: OutputEnd = JSON.parse(data);
        return { after, end };
      }
      const lines: readonly OutputLine[] = JSON.parse(data);
      for (const line of lines) print(line);
      if (id !== '') after = id;
    }
  } catch (error) {
    if (!hasBegun || !(error instanceof CliError) || error.code !== ExitCode.unreachable) throw error;
  }
  return { after, end: null };
}

function printer(timestamps: boolean): (line: OutputLine) => void {
  let fresh = true;
  return ({ text, at, goesOn }) => {
    const time = timestamps && fresh ? `${at ?? ''} ` : '';
    process.stdout.write(`${time}${shown(text)}${goesOn ? '' : '\n'}`);
    fresh = !goesOn;
  };
}

async function printText({ body }: Response): Promise<void> {
  if (body === null) return;
  try {
    let rest = '';
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) process.stdout.write(`${shown(line)}\n`);
    }
    process.stdout.write(shown(rest));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CliError(ExitCode.failure, 'the output broke off before its end; ask again', [], error);
  }
}

/** For a program that reads it, what was printed stays as it is. */
function shown(text: string): string {
  return process.stdout.isTTY ? plainText(text) : text;
}
