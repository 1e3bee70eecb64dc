import type { Person } from '../../../domain/people/state.ts';
import { isoTime } from '../../../infra/clock.ts';
import { personView } from '../../../projections/people.ts';
import type { Edge } from '../edge.ts';
import { notFound } from '../problem.ts';
import type { PersonRow } from '../schemas/people.ts';

/** A person with what is kept beside the log: whether they can sign in, and where they have. */
export function rowOfPerson({ access }: Edge, person: Person): PersonRow {
  const sessions = access.sessions.list(person.personId);
  const { accounts } = access;
  return {
    ...personView(person),
    hasPassword: accounts.hasPassword(person),
    linkUntil: timeOrNull(accounts.linkUntil(person)),
    lockedUntil: timeOrNull(accounts.lockedUntil(person)),
    browserSessions: sessions.length,
    seenAt: sessions[0]?.seenAt ?? null,
  };
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

export function personOr404({ core }: Pick<Edge, 'core'>, personId: string): Person {
  const person = core.fleetProjection.state.people.get(personId);
  if (person === undefined) throw notFound('PERSON_UNKNOWN', `there is no account "${personId}"`);
  return person;
}
