import { FLEET_LOG, zoneLog, type EventLog, type LogName } from './port.ts';

/** Where a gateway that is told nothing else puts its sessions, also before the fleet's log tells of it. */
const FIRST_ZONE = 'default';

/** The logs that a store may hold, whichever store: the fleet's, and the one of each zone of which that tells. */
export async function logsOf(eventLog: EventLog): Promise<readonly LogName[]> {
  const zones = new Set([FIRST_ZONE]);
  for await (const { commit } of eventLog.read(FLEET_LOG, 0)) {
    for (const { type, data } of commit.events) if (type === 'ZoneCreated') zones.add(data.zone);
  }
  return [FLEET_LOG, ...[...zones].map(zoneLog)];
}
