import type { ZoneState } from '../../zone/state.ts';
import { RefusalBook } from '../refusalBook.ts';
import { PlacementIndex } from './placementIndex.ts';

/** What is derived from a zone's state so that placing does not ask every agent: never part of the state. */
export interface PlacementAids {
  /** Up to date, until the state changes. */
  readonly index: PlacementIndex;
  readonly refusals: RefusalBook;
}

/** Held as long as their state is. A copied state starts without, and a state in which nothing is placed never has any. */
const aids = new WeakMap<ZoneState, PlacementAids>();

/** Builds them at the first use, which looks at every agent once. */
export function placementAids(state: ZoneState): PlacementAids {
  let found = aids.get(state);
  if (found === undefined) {
    found = { index: new PlacementIndex(state.agents), refusals: new RefusalBook(state) };
    aids.set(state, found);
  }
  found.index.refresh();
  return found;
}

/** To be told of every agent that an event names: it may have changed. */
export function touchAgent(state: ZoneState, agentId: string): void {
  const found = aids.get(state);
  if (found === undefined) return;
  found.index.touch(agentId);
  found.refusals.touch(agentId);
}
