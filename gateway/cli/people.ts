import type { PersonRow } from '../http/schemas/people.ts';
import { openClient, type Client } from './client.ts';
import { age, print, printJson, table, withReason, type JsonOption, type ReasonOption } from './output.ts';

interface PasswordLink {
  readonly personId: string;
  readonly url: string;
  readonly expiresAt: string;
}

export async function listPeople({ json }: JsonOption): Promise<void> {
  const client = await openClient();
  const answer = await client.call<{ readonly people: readonly PersonRow[] }>('/people');
  if (json === true) return printJson(answer);
  if (answer.people.length === 0) {
    return print('Nobody has an account yet. `npx muster people add <account> --role admin` makes one.');
  }
  const now = Date.now();
  const rows = answer.people.map((person) => [
    person.personId,
    person.name,
    person.role,
    stateOf(person),
    person.seenAt === null ? '' : `${age(person.seenAt, now)} ago`,
    String(person.browserSessions),
  ]);
  print(table(['ACCOUNT', 'NAME', 'ROLE', 'STATE', 'SEEN', 'BROWSERS'], rows));
}

function stateOf({ hasPassword, linkUntil, lockedUntil }: PersonRow): string {
  if (lockedUntil !== null) return `locked out until ${lockedUntil}`;
  if (hasPassword) return 'can sign in';
  return linkUntil === null ? 'has no password and no link' : `has a link until ${linkUntil}`;
}

export interface AddOptions extends JsonOption, ReasonOption {
  readonly name?: string;
  readonly role: string;
}

/** Makes the account and the link with which its person sets a password. */
export async function addPerson(personId: string, options: AddOptions): Promise<void> {
  const client = await openClient();
  const body = withReason(options, { personId, name: options.name ?? personId, role: options.role });
  const person = await client.call<PersonRow>('/people', { method: 'POST', body });
  const link = await makeLink(client, personId);
  if (options.json === true) return printJson({ person, link });
  say(`${personId}: ${person.role}`);
  printLink(link);
}

export async function changeRole(personId: string, role: string, options: JsonOption & ReasonOption): Promise<void> {
  const client = await openClient();
  const body = withReason(options, { role });
  const person = await client.call<PersonRow>(pathOf(personId), { method: 'PATCH', body });
  if (options.json === true) return printJson(person);
  print(`${personId}: ${person.role}`);
}

export async function removePerson(personId: string, options: JsonOption & ReasonOption): Promise<void> {
  const client = await openClient();
  await client.call(pathOf(personId), { method: 'DELETE', body: withReason(options) });
  if (options.json === true) return printJson({ personId });
  print(`${personId}: removed, and signed out everywhere`);
}

export async function linkForPerson(personId: string, { json }: JsonOption): Promise<void> {
  const link = await makeLink(await openClient(), personId);
  if (json === true) printJson(link);
  else printLink(link);
}

export async function signOutPerson(personId: string, { json }: JsonOption): Promise<void> {
  const client = await openClient();
  const path = `${pathOf(personId)}/browser-sessions`;
  const { ended } = await client.call<{ readonly ended: number }>(path, { method: 'DELETE' });
  if (json === true) return printJson({ personId, ended });
  print(`${personId}: signed out of ${ended} browser${ended === 1 ? '' : 's'}`);
}

function makeLink(client: Client, personId: string): Promise<PasswordLink> {
  return client.call<PasswordLink>(`${pathOf(personId)}/sign-in-link`, { method: 'POST' });
}

/** The link alone on standard output, so that a script can hand it on. */
function printLink({ url, expiresAt, personId }: PasswordLink): void {
  say(`Give ${personId} this link to set a password. It works once, until ${expiresAt}; a newer one makes it void.`);
  print(url);
}

function pathOf(personId: string): string {
  return `/people/${encodeURIComponent(personId)}`;
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
