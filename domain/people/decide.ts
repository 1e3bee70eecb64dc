import { accept, reject, type Decision } from '../decision.ts';
import type { FleetFact } from '../events.ts';
import type { FleetState } from '../fleet/state.ts';
import { LOCAL_ADMIN, looksLikeAddress } from './account.ts';
import type { PeopleCommand } from './commands.ts';
import { PEOPLE_LIMIT, type Person } from './state.ts';

type Of<Type extends PeopleCommand['type']> = Extract<PeopleCommand, { readonly type: Type }>;

export function decideCreation(
  { people }: FleetState,
  { personId, name, role }: Of<'CreatePerson'>,
): Decision<FleetFact> {
  if (personId === LOCAL_ADMIN) {
    return reject(
      'PERSON_EXISTS',
      `"${LOCAL_ADMIN}" is the administrator on the gateway's machine; take another account`,
    );
  }
  if (people.has(personId)) return reject('PERSON_EXISTS', `there is an account "${personId}" already`);
  if (looksLikeAddress(name)) {
    return reject('NAME_IS_ADDRESS', 'the name looks like an e-mail address; it is recorded for ever, so give a name');
  }
  if (people.size >= PEOPLE_LIMIT) {
    return reject('PEOPLE_FULL', `there are ${people.size} people, which is the most; remove some first`, {
      people: people.size,
      limit: PEOPLE_LIMIT,
    });
  }
  return accept([{ type: 'PersonCreated', data: { personId, name, role } }], { personId });
}

export function decideRoleChange(
  { people }: FleetState,
  { personId, role }: Of<'ChangePersonRole'>,
): Decision<FleetFact> {
  const person = people.get(personId);
  if (person === undefined) return unknown(personId);
  if (person.role === role) return accept([], { personId });
  if (isLastAdmin(people, person)) return lastAdmin(person);
  return accept([{ type: 'PersonRoleChanged', data: { personId, role, previous: person.role } }], { personId });
}

export function decideRemoval({ people }: FleetState, { personId }: Of<'RemovePerson'>): Decision<FleetFact> {
  const person = people.get(personId);
  if (person === undefined) return unknown(personId);
  if (isLastAdmin(people, person)) return lastAdmin(person);
  return accept([{ type: 'PersonRemoved', data: { personId } }], { personId });
}

/** Once there is an admin, there always is one: somebody must be able to let others in. */
function isLastAdmin(people: FleetState['people'], { role }: Person): boolean {
  return role === 'admin' && [...people.values()].filter((person) => person.role === 'admin').length === 1;
}

function lastAdmin({ personId }: Person): Decision<FleetFact> {
  return reject('LAST_ADMIN', `${personId} is the last admin; make another person an admin first`);
}

function unknown(personId: string): Decision<FleetFact> {
  return reject('PERSON_UNKNOWN', `there is no account "${personId}"`);
}
