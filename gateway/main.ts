import type { Logger } from 'pino';
import { ConfigError, readConfig, type Config } from '../infra/config/config.ts';
import { isEventLogRefused } from '../infra/log/eventStore/open.ts';
import { isPrivateFileError } from '../infra/privateFile.ts';
import { openGateway, type Gateway } from './gateway.ts';
import { gatewayLog } from './log.ts';

/** The exit code when starting again is in vain before somebody has mended the configuration or what it names. */
const REFUSED = 2;

const USAGE = `muster gateway    run one more gateway, on the bus that MUSTER_NATS_URL names

It takes no options: MUSTER_CONFIG names a file with its configuration, and npx muster config lists what can be set.
It ends with 2 when the configuration is wrong, or what it names does not let it in.
`;

/** The gateway's process: configuration, an orderly end, and a word to whoever started it. */
heedWords(process.argv.slice(2));
const config = configOrExit();
const log = await gatewayLog(config.logLevel);
const end = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort());
process.once('disconnect', () => end.abort());

try {
  const gateway = await openGateway({ config, log, signal: end.signal });
  process.send?.({ type: 'ready', url: gateway.url, signInUrl: gateway.signInUrl });
  if (process.send === undefined) log.info(`serving at ${gateway.url}; npx muster sign-in prints a link for a browser`);
  await untilEnd(gateway);
  await gateway.stop();
  process.exit(0);
} catch (error) {
  if (end.signal.aborted) process.exit(0);
  if (isEventLogRefused(error) || isPrivateFileError(error)) await refuse(error.message);
  tellWhy(log, error);
  process.exit(1);
}

/** Resolves at a signal, rejects when the gateway must not go on. */
async function untilEnd({ done }: Gateway): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  end.signal.addEventListener('abort', () => resolve(), { once: true });
  if (end.signal.aborted) resolve();
  await Promise.race([promise, done]);
}

/** The sentences of our own errors say what to do: a log that cannot be read names itself and the version. */
function tellWhy(log: Logger, error: unknown): void {
  const sentence = error instanceof Error ? error.message : String(error);
  log.fatal({ err: error }, `the gateway cannot go on: ${sentence}`);
}

/** Nothing but the operator can mend it, so whoever started this is told not to try again. */
async function refuse(why: string): Promise<never> {
  const { promise: sent, resolve } = Promise.withResolvers<void>();
  if (process.send === undefined) {
    process.stderr.write(`The gateway did not start. ${why}.\n`);
    resolve();
  } else process.send({ type: 'refused', why: `${why}.` }, undefined, undefined, () => resolve());
  await sent;
  process.exit(REFUSED);
}

/** A gateway takes no words but the wish for help; ends the process when there are any. */
function heedWords(words: readonly string[]): void {
  if (words.length === 0) return;
  const wantsHelp = words.length === 1 && ['--help', '-h'].includes(words[0] ?? '');
  if (!wantsHelp) process.stderr.write(`muster gateway takes no "${words.join(' ')}"\n\n`);
  (wantsHelp ? process.stdout : process.stderr).write(USAGE);
  process.exit(wantsHelp ? 0 : REFUSED);
}

function configOrExit(): Config {
  try {
    const config = readConfig(process.env, { asGateway: true });
    if (config.natsUrl !== undefined) return config;
    throw new ConfigError([
      { name: 'MUSTER_NATS_URL', message: 'must be set for a gateway that is started by itself' },
    ]);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(REFUSED);
  }
}
