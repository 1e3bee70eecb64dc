import { formatPosition } from '../../domain/commit.ts';
import { isBusRefused, isBusUnreachable, BusError } from '../../infra/bus/errors.ts';
import { readConfig } from '../../infra/config/config.ts';
import { StoreError, StoreErrorCode } from '../../infra/eventStore/errors.ts';
import { copyLog, type CopyResult } from '../../infra/log/copy.ts';
import { isCopyInterrupted, isCopyRefused } from '../../infra/log/copyErrors.ts';
import { LogError, isLogUnavailable, isOutcomeUnknown } from '../../infra/log/errors.ts';
import { logsOf } from '../../infra/log/logsOf.ts';
import { FLEET_LOG, type EventLog, type LogName } from '../../infra/log/port.ts';
import { isEventLogRefused } from '../../infra/log/eventStore/open.ts';
import { isLogName } from '../../infra/names.ts';
import { isStartError } from '../../infra/start/errors.ts';
import { untilSignal } from '../../infra/start/signals.ts';
import { goOnUnread } from '../../infra/start/unread.ts';
import { NatsServerMissing } from '../../infra/tools/natsServer.ts';
import { progressLine, type ProgressLine } from './copyProgress.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { print, printJson, type JsonOption } from './output.ts';
import { isSamePlace, openStore, placeOf, type OpenStore } from './stores.ts';

export interface CopyOptions extends JsonOption {
  readonly from: string;
  readonly to: string;
  /** Without it, all logs that the source tells of. */
  readonly log?: readonly string[];
}

/** What `--json` prints. */
interface CopyAnswer {
  readonly from: string;
  readonly to: string;
  readonly logs: readonly CopyResult[];
}

const AGAIN = 'Run the same command again: it goes on where the target ends.';
const INTERRUPTED = 130;

/** Copies logs from store to store, past every gateway: the stores themselves are opened. */
export async function copyLogs({ from, to, log: names, json }: CopyOptions): Promise<void> {
  for (const name of names ?? []) {
    if (!isLogName(name)) throw new CliError(ExitCode.usage, `--log takes fleet or zone-<id>, not "${name}"`);
  }
  const config = readConfig(process.env);
  const [source, target] = [placeOf('--from', from, config), placeOf('--to', to, config)];
  if (isSamePlace(source, target)) throw new CliError(ExitCode.usage, '--from and --to are the same store');
  const line = lineOnStandardError(json === true);
  goOnUnread();
  const stop = new AbortController();
  const opened: OpenStore[] = [];
  void untilSignal(() => {
    for (const store of opened) store.killNow();
    process.exit(INTERRUPTED);
  }).then(() => stop.abort());
  const opening = { config, signal: stop.signal, say: (text: string) => line.say(text) };
  try {
    opened.push(await openStore(source, 'source', opening));
    opened.push(await openStore(target, 'target', opening));
    const answer = await copyAll(opened, names, { line, json: json === true, signal: stop.signal });
    if (json === true) printJson(answer);
  } catch (error) {
    line.clear();
    // Whatever opening a store makes of being stopped.
    const isStopped = stop.signal.aborted && opened.length < 2;
    throw isStopped
      ? new CliError(ExitCode.failure, 'stopped before anything was copied', [], error)
      : asCliError(error);
  } finally {
    for (const store of opened.toReversed()) await store.close();
  }
}

interface Telling {
  readonly line: ProgressLine;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

async function copyAll(
  [source, target]: readonly OpenStore[],
  names: readonly string[] | undefined,
  { line, json, signal }: Telling,
): Promise<CopyAnswer> {
  if (source === undefined || target === undefined) throw new RangeError('a copy needs two stores');
  const logs: CopyResult[] = [];
  for await (const log of names ?? allLogs(source.log)) {
    let why = '';
    const onWait = (reason: string): void => {
      if (reason !== why) line.say(`${log}: waiting: ${reason}`);
      why = reason;
    };
    const onProgress: Parameters<typeof copyLog>[0]['onProgress'] = (progress) => line.progress(log, progress);
    const result = await copyLog({ from: source.log, to: target.log, log, signal, onWait, onProgress });
    line.clear();
    if (result.hash === null && names !== undefined) {
      throw new CliError(ExitCode.notFound, `the source has no log ${log}: nothing to copy`);
    }
    logs.push(result);
    if (!json) print(sentences(result));
  }
  return { from: source.shown, to: target.shown, logs };
}

/** The fleet's first, which tells of the others: what is wrong with it is told as of any log. */
async function* allLogs(source: EventLog): AsyncGenerator<LogName> {
  yield FLEET_LOG;
  for (const log of await logsOf(source)) if (log !== FLEET_LOG) yield log;
}

function sentences({ log, to, commits, events, hash }: CopyResult): string {
  if (hash === null) return `${log}: empty, nothing to copy`;
  const end = formatPosition(log, to);
  const what =
    commits === 0
      ? `nothing to copy, both are the same up to ${end}`
      : `${commits.toLocaleString('en')} commits, ${events.toLocaleString('en')} events copied; both are the same up to ${end}`;
  return `${log}: ${what}\nchain hash ${hash}`;
}

/** Scripts get the result alone. */
function lineOnStandardError(silent: boolean): ProgressLine {
  const { stderr } = process;
  return progressLine({
    isTerminal: stderr.isTTY,
    // A terminal that does not know its size has 0.
    columns: stderr.columns || 80,
    write: (text) => {
      if (!silent) stderr.write(text);
    },
    now: () => performance.now(),
  });
}

/** What an operator can act on as a sentence with an exit code; anything else is a defect and stays what it is. */
function asCliError(error: unknown): unknown {
  if (isCopyRefused(error)) {
    return new CliError(ExitCode.failure, `${error.message}; nothing was overwritten`, [
      `Code: ${error.code}`,
      error.remedy,
    ]);
  }
  if (isCopyInterrupted(error)) return new CliError(ExitCode.failure, error.message, [AGAIN], error);
  if (error instanceof LogError) {
    const mayPass = isLogUnavailable(error) || isOutcomeUnknown(error);
    const lines = [`Code: ${error.code}`, ...(mayPass ? [AGAIN] : [])];
    return new CliError(mayPass ? ExitCode.unreachable : ExitCode.failure, error.message, lines, error);
  }
  if (error instanceof BusError) return new CliError(busCode(error), error.message, [], error);
  if (isEventLogRefused(error)) return new CliError(storeCode(error.cause), error.message, [], error);
  if (isStartError(error) || error instanceof NatsServerMissing) {
    return new CliError(ExitCode.failure, error.message, [], error);
  }
  return error;
}

function busCode(error: BusError): ExitCode {
  if (isBusRefused(error)) return ExitCode.unauthorized;
  return isBusUnreachable(error) ? ExitCode.unreachable : ExitCode.failure;
}

function storeCode(cause: unknown): ExitCode {
  const isDenied = cause instanceof StoreError && cause.code === StoreErrorCode.Denied;
  return isDenied ? ExitCode.unauthorized : ExitCode.failure;
}
