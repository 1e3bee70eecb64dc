import type { Command } from 'commander';
import type { ApproveOptions, LabelChange, SetOptions } from './agents.ts';
import type { PruneOptions } from './prune.ts';
import type { BusSecretsOptions } from './busSecrets.ts';
import type { CopyOptions } from './copyLogs.ts';
import type { DefineOptions } from './images.ts';
import type { LogOptions, SealOptions } from './log.ts';
import type { JsonOption, ReasonOption } from './output.ts';
import type { OutputOptions } from './sessionLogs.ts';
import type { StartOptions } from './sessions.ts';

/** What each command is called and takes. What it does is imported when it runs. */

export const JSON_OPTION = ['--json', 'print the answer as JSON'] as const;
export const REASON = ['--reason <text>', 'why; it is recorded, so no personal data'] as const;

/** A word that is no command of the group would go to its list, as one that it does not take. */
export function refuseUnknown(group: Command): void {
  const [word] = group.args;
  if (word === undefined || word.startsWith('-') || word === 'help') return;
  if (group.commands.some((command) => command.name() === word)) return;
  group.error(`error: unknown command '${word}'; see muster ${group.name()} --help`);
}

export function addOthers(program: Command): void {
  for (const [name, path, description] of [
    ['start', 'infra/main.ts', 'start Muster on this machine, as `npm start` does (--simulate <n> for a demo)'],
    ['gateway', 'gateway/main.ts', 'run one more gateway, on a bus that already runs'],
    [
      'agent',
      'agent/main.ts',
      'run the agent of this machine alone, for a gateway elsewhere; `agent check` tells what is wrong with this host',
    ],
  ] as const) {
    program
      .command(name)
      .description(description)
      .argument('[options...]')
      .allowUnknownOption()
      .passThroughOptions()
      .helpOption(false)
      .action(async (options: string[]) => {
        const { runProgram } = await import('./programs.ts');
        process.exitCode = await runProgram(path, options);
      });
  }
  const log = program
    .command('log')
    .description(
      'print what was recorded: the last events, and then it ends; --follow goes on as they come (Ctrl-C ends it)',
    )
    .option('-f, --follow', 'go on as events come')
    .option('-n, --lines <n>', 'how many of the last events, 1 to 1000', '20')
    .option('--after <position>', 'everything after this position instead, such as zone-default:17')
    .option('--log <name>', 'which log: zone-default or fleet', 'zone-default')
    .option('--verify', 'read the whole log instead and verify its chain of hashes')
    .option('--json', 'one JSON object per line')
    .action(async (options: LogOptions) => await (await import('./log.ts')).showLog(options));
  log
    .command('list')
    .description('the logs, who leads each, and the snapshots that a restart begins from')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./logs.ts')).listLogs(options));
  log
    .command('seal <log>')
    .description('end the epoch of a log, zone-default or fleet, so that its history can be moved offline')
    .requiredOption(...REASON)
    .option(...JSON_OPTION)
    .action(async (name: string, options: SealOptions) => await (await import('./log.ts')).sealLog(name, options));
  log
    .command('copy')
    .description(
      'copy the logs from one store to another, commit by commit; stores are nats and esdb, as they are configured, or addresses',
    )
    .requiredOption('--from <store>', 'nats, esdb, nats://host:4222 or esdb://host:2113')
    .requiredOption('--to <store>', 'the same; what it has of a log must be a beginning of it')
    .option('--log <name...>', 'which logs: fleet, zone-default (all there are)')
    .option(...JSON_OPTION)
    .action(async (options: CopyOptions) => await (await import('./copyLogs.ts')).copyLogs(options));
  log
    .command('links <what>')
    .description(
      'on, off or status: EventStoreDB links events into agent-<id> and session-<id>, for whoever reads its pages',
    )
    .option(...JSON_OPTION)
    .action(async (what: string, options: JsonOption) => await (await import('./links.ts')).changeLinks(what, options));
  program
    .command('sign-in')
    .description("print a link that signs a browser in as this machine's administrator; it works once, for 15 minutes")
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./access.ts')).printSignInLink(options));
  program
    .command('bus-secrets')
    .description('make the passwords and the key of a bus that you run yourself: for nats-server, and for its gateways')
    .option('--out <folder>', 'write bus.env and gateway-secrets.env there, mode 0600, instead of printing them')
    .option(...JSON_OPTION)
    .action(async (options: BusSecretsOptions) => await (await import('./busSecrets.ts')).makeBusSecrets(options));
  program
    .command('config')
    .description('list the environment variables that change what Muster does')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => (await import('./configuration.ts')).printConfiguration(options));
}

export function addAgents(program: Command): void {
  const agents = program.command('agents').description('see and change agents').hook('preSubcommand', refuseUnknown);
  agents
    .command('list', { isDefault: true })
    .description('all agents: CPU, RAM and GPU as allocated / capacity')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./agents.ts')).listAgents(options));
  agents
    .command('show <agent>')
    .description('everything about one agent')
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption) => await (await import('./agents.ts')).showAgent(id, options));
  agents
    .command('approve <agent>')
    .description('let a pending agent join')
    .option('--fingerprint <fingerprint>', 'only the agent that printed this as its own')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: ApproveOptions) => {
      await (await import('./agents.ts')).approveAgent(id, options);
    });
  for (const [verb, description] of [
    ['enable', 'let new sessions be placed on it'],
    ['disable', 'place nothing new on it; its sessions go on'],
  ] as const) {
    agents
      .command(`${verb} <agent>`)
      .description(description)
      .option(...REASON)
      .option(...JSON_OPTION)
      .action(async (id: string, options: JsonOption & ReasonOption) => {
        await (await import('./agents.ts')).changeAgent(id, verb, options);
      });
  }
  for (const [verb, description] of [
    ['declare-lost', 'give up a missing agent for good: its sessions end, and what they held is free'],
    ['revoke', 'hear an agent no more, for ever: nothing new is placed on it, and it cannot come back'],
  ] as const) {
    agents
      .command(`${verb} <agent>`)
      .description(description)
      .requiredOption(...REASON)
      .option(...JSON_OPTION)
      .action(async (id: string, options: JsonOption & ReasonOption) => {
        await (await import('./agents.ts')).changeAgent(id, verb, options);
      });
  }
  agents
    .command('remove <agent>')
    .description('take an agent off the list that waits for approval, or was revoked and holds no session any more')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption & ReasonOption) => {
      await (await import('./agents.ts')).removeAgent(id, options);
    });
  agents
    .command('set <agent>')
    .description('override what placement counts with (0 removes an override), label it, say what it prunes')
    .option('--cores <n>', 'cores: 12, 0.5, 500m')
    .option('--memory <amount>', 'memory: 24GiB, 24GB or bytes')
    .option('--label <label>', 'key=value, or a key alone; once for each label', labelSet)
    .option('--no-label <key>', 'take the label of this key away', labelTaken)
    .option('--prune-mode <mode>', 'what it removes of its images by itself: off, normal, aggressive')
    .option('--confirm', 'allow less than 0.1x or more than 10x of what is there')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: SetOptions) => await (await import('./agents.ts')).setAgent(id, options));
  agents
    .command('prune <agent>')
    .description('remove images that Muster pulled there and nobody needs any more; never what a container uses')
    .requiredOption('--mode <mode>', 'normal: what has no tag left; aggressive: also what no image definition names')
    .option('--dry-run', 'tell what would be removed, and why the rest stays')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: PruneOptions) => await (await import('./prune.ts')).pruneAgent(id, options));
}

function labelSet(text: string, before: readonly LabelChange[] = []): readonly LabelChange[] {
  const at = text.indexOf('=');
  return [...before, at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]];
}

function labelTaken(key: string, before: readonly LabelChange[] = []): readonly LabelChange[] {
  return [...before, [key, null]];
}

export function addImages(program: Command): void {
  const images = program
    .command('images')
    .description('see and define what sessions are started from')
    .hook('preSubcommand', refuseUnknown);
  images
    .command('list', { isDefault: true })
    .description('all images')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./images.ts')).listImages(options));
  images
    .command('show <image>')
    .description('everything about one image')
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption) => await (await import('./images.ts')).showImage(id, options));
  images
    .command('define <image>')
    .description('define an image, or revise it; what is left out is its default')
    .requiredOption('--reference <reference>', 'container reference, such as docker.io/library/python:3')
    .requiredOption('--cores <n>', 'cores: 2, 0.5, 500m')
    .requiredOption('--memory <amount>', 'memory: 4GiB, 4GB or bytes')
    .option('--name <name>', 'name for people; without it the id')
    .option('--cpu-mode <mode>', 'shares: may use idle CPU (default); quota: never more than its cores')
    .option('--gpus <n>', 'GPUs: a number, or all of one agent')
    .option('--gpu-model <glob>', 'only GPUs of this model, such as "*H200*"')
    .option('--gpu-memory <amount>', 'only GPUs with at least this much memory')
    .option('--include-label <label...>', 'only on agents with all of these labels: key, or key=value')
    .option('--exclude-label <label...>', 'never on agents with one of these labels')
    .option('--port <port...>', 'published ports of the container: 8080, 53/udp')
    .option('--shm <amount>', 'size of /dev/shm')
    .option('--env <variable...>', 'NAME=value, never a secret: it is recorded')
    .option('--command <words...>', "instead of the image's own; a word with a dash in front as --command=-c")
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: DefineOptions) => await (await import('./images.ts')).defineImage(id, options));
  images
    .command('retire <image>')
    .description('start nothing new from it; its sessions go on')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption & ReasonOption) => {
      await (await import('./images.ts')).retireImage(id, options);
    });
}

export function addSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .description('see, start and stop sessions')
    .hook('preSubcommand', refuseUnknown);
  sessions
    .command('list', { isDefault: true })
    .description('live sessions')
    .option('--all', 'also the last ones that are over')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./sessions.ts')).listSessions(options));
  sessions
    .command('show <session>')
    .description('everything about one session')
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption) => await (await import('./sessions.ts')).showSession(id, options));
  sessions
    .command('start <image>')
    .description('start a session; without a free place it waits in the line')
    .option('--agent <agent>', 'on this agent or not at all')
    .option('--fail', 'refuse instead of waiting in the line (exit code 3)')
    .option('--wait', 'wait until it runs (exit code 1 when it ends before)')
    .option('--priority <n>', 'higher goes first in the line, -1000 to 1000')
    .option('--max-wait <seconds>', 'leave the line after so many seconds')
    .option('--key <key>', 'idempotency key: the same key starts one session, however often it is said')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (image: string, options: StartOptions) => {
      await (await import('./sessions.ts')).startSession(image, options);
    });
  sessions
    .command('stop <session>')
    .description('stop a session')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption & ReasonOption) => {
      await (await import('./sessions.ts')).stopSession(id, options);
    });
  sessions
    .command('logs <session>')
    .description("what a session's program has printed, read from its container")
    .option('-f, --follow', 'and what it prints from now on, until its container ends')
    .option('-n, --lines <n>', 'the last so many lines, at most 5000', '100')
    .option('--timestamps', 'the time before each line')
    .action(async (id: string, options: OutputOptions) => {
      await (await import('./sessionLogs.ts')).showOutput(id, options);
    });
  sessions
    .command('why <session>')
    .description('why it went where it went, agent by agent, from the log')
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption) => await (await import('./sessions.ts')).whySession(id, options));
}
