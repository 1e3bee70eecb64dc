import type { AccessKey } from '../domain/keys/state.ts';
import { isExpired } from '../domain/keys/state.ts';
import type { FleetState } from '../domain/fleet/state.ts';
import type { Person } from '../domain/people/state.ts';
import type { AccessKeyView, PersonView } from './views.ts';

/** By account, so that rows keep their place. */
export function peopleInOrder({ people }: Pick<FleetState, 'people'>): readonly Person[] {
  return [...people.values()].toSorted((a, b) => (a.personId < b.personId ? -1 : 1));
}

/** The newest first. */
export function keysInOrder({ keys }: Pick<FleetState, 'keys'>): readonly AccessKey[] {
  return [...keys.values()].toReversed();
}

export function personView({ personId, name, role, createdAt }: Person): PersonView {
  return { personId, name, role, createdAt };
}

/** A key is expired by its time alone, so what is shown depends on `nowMs`. */
export function keyView(key: AccessKey, nowMs: number): AccessKeyView {
  return { ...key, expired: isExpired(key, nowMs) };
}
