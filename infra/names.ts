import { isId } from '../domain/ids.ts';

/** Every name on the bus is spelled here and nowhere else. Ids are checked before a subject or key is built from one. */

export const CHECKINS_STREAM = 'MUSTER_CHECKINS';
export const CHECKINS_SUBJECTS = 'muster.checkin.>';
const DESIRED_BUCKET = 'MUSTER_DESIRED';
export const DESIRED_STREAM = `KV_${DESIRED_BUCKET}`;
export const DESIRED_SUBJECTS = `$KV.${DESIRED_BUCKET}.>`;

/** The logs there are: `fleet`, and `zone-<id>` for each zone. */
export function isLogName(log: string): boolean {
  return log === 'fleet' || (log.startsWith('zone-') && isId(log.slice('zone-'.length)));
}

/** The stream of one log in its epoch: `MUSTER_EVENTS_zone_default_1`, `MUSTER_EVENTS_fleet_1`. */
export function logStream(log: string, epoch: number): string {
  return `MUSTER_EVENTS_${checkedLogName(log).replace('-', '_')}_${epoch}`;
}

/** The one literal subject of a log: `muster.event.zone.default`, `muster.event.fleet`. */
export function logSubject(log: string): string {
  return `muster.event.${checkedLogName(log).replace('-', '.')}`;
}

export function checkInSubject(zone: string, agentId: string): string {
  return `muster.checkin.${checked(zone)}.${checked(agentId)}`;
}

/** Whose check-in stands under a subject; null when it is no subject of a check-in. */
export function checkInPlace(subject: string): { readonly zone: string; readonly agentId: string } | null {
  const [muster, checkin, zone, agentId, ...rest] = subject.split('.');
  if (muster !== 'muster' || checkin !== 'checkin' || rest.length > 0) return null;
  if (zone === undefined || agentId === undefined || !isId(zone) || !isId(agentId)) return null;
  return { zone, agentId };
}

/** The subject under which the desired bucket keeps an agent's document. */
export function desiredSubject(agentId: string): string {
  return `$KV.${DESIRED_BUCKET}.${checked(agentId)}`;
}

function checked(id: string): string {
  if (!isId(id)) throw new RangeError(`"${id}" is not a valid id, so no bus name is built from it`);
  return id;
}

function checkedLogName(log: string): string {
  if (!isLogName(log)) throw new RangeError(`"${log}" is not the name of a log, so no bus name is built from it`);
  return log;
}
