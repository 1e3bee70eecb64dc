import type { Command } from 'commander';
import { JSON_OPTION, REASON, refuseUnknown } from './commands.ts';
import type { IssueOptions } from './keys.ts';
import type { IssueTokenOptions, RevokeTokenOptions } from './managerTokens.ts';
import type { JsonOption, ReasonOption } from './output.ts';
import type { AddOptions } from './people.ts';

const ROLES_TEXT = 'viewer (sees), operator (sessions and agents) or admin (all)';

export function addPeople(program: Command): void {
  const people = program
    .command('people')
    .description('see and change who may sign in')
    .hook('preSubcommand', refuseUnknown);
  people
    .command('list', { isDefault: true })
    .description('all people, with their roles')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./people.ts')).listPeople(options));
  people
    .command('add <account>')
    .description('make an account, and a link with which its person sets a password')
    .option('--name <name>', 'name for people; without it the account')
    .option('--role <role>', ROLES_TEXT, 'viewer')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: AddOptions) => await (await import('./people.ts')).addPerson(id, options));
  people
    .command('role <account> <role>')
    .description(`give a person another role: ${ROLES_TEXT}`)
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, role: string, options: JsonOption & ReasonOption) => {
      await (await import('./people.ts')).changeRole(id, role, options);
    });
  people
    .command('remove <account>')
    .description('remove an account; its person is signed out at once')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption & ReasonOption) => {
      await (await import('./people.ts')).removePerson(id, options);
    });
  people
    .command('link <account>')
    .description('print a link with which a person sets a new password; it works once, for 24 hours')
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption) => await (await import('./people.ts')).linkForPerson(id, options));
  people
    .command('sign-out <account>')
    .description('sign a person out of every browser')
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption) => await (await import('./people.ts')).signOutPerson(id, options));
}

export function addKeys(program: Command): void {
  const keys = program
    .command('keys')
    .description('see, issue and revoke access keys of programs')
    .hook('preSubcommand', refuseUnknown);
  keys
    .command('list', { isDefault: true })
    .description('all keys, without their secrets')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./keys.ts')).listKeys(options));
  keys
    .command('issue <name>')
    .description('issue a key and print it, once; a program sends it as `Authorization: Bearer …`')
    .option('--role <role>', ROLES_TEXT, 'viewer')
    .option('--days <n>', 'days until it expires; without it, it ends only by being revoked')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (name: string, options: IssueOptions) => await (await import('./keys.ts')).issueKey(name, options));
  keys
    .command('revoke <key>')
    .description('revoke a key by its id, at once')
    .requiredOption(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: JsonOption & ReasonOption) => {
      await (await import('./keys.ts')).revokeKey(id, options);
    });
}

export function addManagerTokens(program: Command): void {
  const tokens = program
    .command('manager-token')
    .description('see, issue and revoke what admits agents to the bus')
    .hook('preSubcommand', refuseUnknown);
  tokens
    .command('list', { isDefault: true })
    .description('the live tokens, without what agents show')
    .option(...JSON_OPTION)
    .action(async (options: JsonOption) => await (await import('./managerTokens.ts')).listTokens(options));
  tokens
    .command('issue')
    .description('issue a token and print it, once; an agent joins with it')
    .option('--out <file>', 'write it into this new file instead, mode 0600')
    .option(...REASON)
    .option(...JSON_OPTION)
    .action(async (options: IssueTokenOptions) => await (await import('./managerTokens.ts')).issueToken(options));
  tokens
    .command('revoke <token>')
    .description('revoke a token by its id, at once')
    .option('--force', 'also the last one: then no agent is admitted')
    .requiredOption(...REASON)
    .option(...JSON_OPTION)
    .action(async (id: string, options: RevokeTokenOptions) => {
      await (await import('./managerTokens.ts')).revokeToken(id, options);
    });
}
