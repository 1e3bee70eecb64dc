import { Command, CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { endWhenUnread } from '../../infra/start/unread.ts';
import { CliError, EXIT_CODES_HELP, ExitCode } from './exitCodes.ts';
import { addKeys, addManagerTokens, addPeople } from './accessCommands.ts';
import { addAgents, addImages, addOthers, addSessions } from './commands.ts';
import { complain } from './output.ts';

/** The command `muster`. Each command's code is imported when it runs, so that the start is quick. */
const program = new Command('muster')
  .description('Runs user sessions on a fleet of container hosts.')
  .version(packageFile.version)
  .enablePositionalOptions()
  .exitOverride()
  .addHelpText('after', EXIT_CODES_HELP);
addOthers(program);
addAgents(program);
addImages(program);
addSessions(program);
addPeople(program);
addKeys(program);
addManagerTokens(program);

endWhenUnread();
process.exitCode = await run();

async function run(): Promise<number> {
  try {
    await program.parseAsync();
    return Number(process.exitCode ?? ExitCode.ok);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    if (error instanceof CliError) {
      complain([`muster: ${error.message}`, ...error.lines].join('\n'));
      return error.code;
    }
    const { ConfigError } = await import('../../infra/config/config.ts');
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return ExitCode.usage;
  }
}
