import type { CheckIn } from '../../domain/checkIn.ts';
import { getMessage } from '../../infra/bus/api.ts';
import { publishCheckIn } from '../../infra/bus/checkIns.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { isoTime } from '../../infra/clock.ts';
import { CHECKINS_STREAM, checkInSubject } from '../../infra/names.ts';
import type { AgentSettings } from '../ports.ts';
import { lookAt, NO_BURDEN } from './host.ts';
import type { SimulatedHost } from './hosts.ts';

const MINUTE_MS = 60_000;
const MINUTES = 24 * 60;
/** Messages between two waits for the server, so that nothing piles up in this process. */
const AT_ONCE = 240;

type About = Pick<AgentSettings, 'agentId' | 'bootId' | 'hostname' | 'agentVersion' | 'simulated'>;

/** The check-ins that a host without sessions would have sent during the day before `nowMs`, one a minute. */
export function* pastDay(host: SimulatedHost, about: About, nowMs: number): Generator<CheckIn> {
  const look = lookAt(host);
  const facts = host.engineDown ? null : host.facts;
  const { agentId, bootId, hostname, agentVersion, simulated } = about;
  for (let minute = 0; minute < MINUTES; minute++) {
    const at = nowMs - (MINUTES - minute) * MINUTE_MS;
    const { hardware, usage } = look(at, NO_BURDEN, facts);
    yield {
      schemaVersion: 1,
      agentId,
      bootId,
      seq: minute + 1,
      logId: null,
      appliedVersion: 0,
      observedAt: isoTime(at),
      agentVersion,
      hostname,
      simulated,
      hardware,
      usage: { ...usage, sessions: [] },
      engine: host.engineDown
        ? {
            status: 'down',
            detail: 'The container engine of this simulated host is down.',
            mend: 'nothing to mend: it is simulated',
          }
        : { status: 'up', version: host.facts.version },
      sessions: [],
      orphans: [],
      unmanagedContainers: 0,
    };
  }
}

/**
 * Publishes that day unless the stream has a check-in of this agent already. Returns the number of the next check-in of
 * this boot.
 */
export async function publishPastDay(
  bus: Bus,
  zone: string,
  host: SimulatedHost,
  about: About,
  nowMs: number,
): Promise<number> {
  const known = await getMessage(bus, CHECKINS_STREAM, { last_by_subj: checkInSubject(zone, host.agentId) });
  if (known !== null) return 1;
  let seq = 1;
  for (const checkIn of pastDay(host, about, nowMs)) {
    publishCheckIn(bus, zone, checkIn);
    seq = checkIn.seq + 1;
    if (checkIn.seq % AT_ONCE === 0) await bus.connection.flush();
  }
  await bus.connection.flush();
  return seq;
}
