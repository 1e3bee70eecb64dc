import { parseArgs } from 'node:util';
import { ConfigError, readConfig, type Config } from '../config/config.ts';
import { isDebianError } from '../tools/debianErrors.ts';
import { NatsServerMissing } from '../tools/natsServer.ts';
import type { Dashboard } from './dashboard.ts';
import { StartFailure, isStartError } from './errors.ts';
import type { Entry } from './parts.ts';
import { untilSignal } from './signals.ts';
import { MOST_SIMULATED_AGENTS, simulatedCount } from './simulated.ts';
import { startMuster, type Muster, type StartOptions } from './startMuster.ts';
import { goOnUnread } from './unread.ts';

const USAGE = `npm start                      start Muster on this machine
npm start -- --simulate <n>    start it with n simulated agents (data in .muster-demo)
npx muster config              the variables that change what it does`;

type Arguments = { readonly simulate: number | undefined };

class UsageError extends Error {
  readonly code = 'USAGE';
}

function readArguments(args: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: { simulate: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return 'help';
  if (values.simulate === undefined) return { simulate: undefined };
  const simulate = simulatedCount(values.simulate);
  if (simulate !== null) return { simulate };
  throw new UsageError(
    `--simulate needs a number of agents from 1 to ${MOST_SIMULATED_AGENTS}, not "${values.simulate}"`,
  );
}

/** Agents that start along with the gateway need no approval, but for one simulated one: something to approve. */
function configuration(args: Arguments): Config {
  if (args.simulate === undefined) {
    const config = readConfig(process.env, { asGateway: true });
    return { ...config, embeddedAgents: [config.agentId] };
  }
  const embeddedAgents = Array.from({ length: args.simulate - 1 }, (_, index) => simulatedId(index + 1));
  const data = process.env['MUSTER_DATA'];
  const MUSTER_DATA = data === undefined || data === '' ? './.muster-demo' : data;
  const env = { ...process.env, MUSTER_DATA, MUSTER_SIMULATED: '1' };
  return { ...readConfig(env, { asGateway: true }), embeddedAgents };
}

/** `sim-01`, as the simulated agents name themselves. */
function simulatedId(number: number): string {
  return `sim-${String(number).padStart(2, '0')}`;
}

/** Which programs and files a start is made of. */
export type Composition = {
  readonly root: string;
  readonly gateway: Entry;
  readonly agent: Entry;
  readonly simulatedAgents: (count: number) => Entry;
  readonly dashboard: Dashboard;
  readonly natsConfiguration: string;
};

function startOptions(config: Config, args: Arguments, composition: Composition, signal: AbortSignal): StartOptions {
  const { root, gateway, dashboard, natsConfiguration } = composition;
  const agent = args.simulate === undefined ? composition.agent : composition.simulatedAgents(args.simulate);
  return { config, root, entries: { gateway, agent }, dashboard, natsConfiguration, say, signal };
}

function say(line: string): void {
  process.stdout.write(`${(performance.now() / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
}

function closingBlock(muster: Muster, config: Config): string {
  const link =
    muster.signInUrl === undefined
      ? '  Sign in    with your account; `npx muster sign-in` prints a link when nobody can'
      : `  Sign in    ${muster.signInUrl}  (works once, 15 minutes)`;
  return [
    '',
    `  Muster     ${muster.url}`,
    link,
    `  Data       ${config.dataDir}`,
    `  Engine     ${muster.engine}`,
    '',
    '  Ctrl-C stops everything; sessions keep running.',
    '',
  ].join('\n');
}

async function start(argv: readonly string[], composition: Composition): Promise<number> {
  const args = readArguments(argv);
  if (args === 'help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const config = configuration(args);
  const interrupted = new AbortController();
  let running: Muster | undefined;
  const signalled = untilSignal(() => {
    running?.killNow();
    process.exit(130);
  }).then(() => interrupted.abort());
  try {
    running = await startMuster(startOptions(config, args, composition, interrupted.signal));
  } catch (error) {
    if (interrupted.signal.aborted) return 0;
    throw error;
  }
  process.stdout.write(`${closingBlock(running, config)}\n`);
  try {
    await Promise.race([running.agentReady, signalled]);
    if (!interrupted.signal.aborted) say('agent ready');
    await signalled;
  } catch (error) {
    if (!interrupted.signal.aborted) {
      await running.stop();
      throw error;
    }
  }
  say('stopping');
  await running.stop();
  say('stopped');
  return 0;
}

/** `npm start`: runs until a signal and returns the exit code: 2 when starting again is in vain before somebody has mended something. */
export async function runStart(argv: readonly string[], composition: Composition): Promise<number> {
  // When the terminal has gone, its lines are lost; the parts must still be stopped in order.
  goOnUnread();
  try {
    return await start(argv, composition);
  } catch (error) {
    if (!isForOperator(error)) throw error;
    process.stderr.write(`\nMuster did not start. ${error.message}\n`);
    return isMisuse(error) ? 2 : 1;
  }
}

/** Only another command or another configuration helps. */
function isMisuse(error: Error): boolean {
  if (error instanceof ConfigError || error instanceof UsageError || isArgumentError(error)) return true;
  return isStartError(error, StartFailure.partRefused);
}

/** What an operator can act on is a sentence; anything else is a defect and keeps its stack. */
function isForOperator(error: unknown): error is Error {
  if (error instanceof ConfigError || error instanceof UsageError || error instanceof NatsServerMissing) return true;
  return isStartError(error) || isDebianError(error) || isArgumentError(error);
}

function isArgumentError(error: unknown): boolean {
  if (!(error instanceof TypeError) || !('code' in error)) return false;
  return typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS');
}
