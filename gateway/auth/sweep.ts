import type { FleetState } from '../../domain/fleet/state.ts';
import type { Clock } from '../../infra/clock.ts';
import { isSecretConflict, isSecretsUnavailable } from '../../infra/secrets/errors.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import type { BrowserSessions } from './browserSessions.ts';
import { erase, nameOf, read } from './stored.ts';

/** A secret is kept before it is recorded what it is for; if that has not come by then, it never will. In ms. */
const RECORDED_MS = 3_600_000;

interface Ports {
  readonly secrets: SecretStore;
  /** Of a gateway that leads the fleet's log: another may know too little of it. */
  readonly fleet: Pick<FleetState, 'people' | 'peopleEver' | 'keys' | 'managerTokens'>;
  readonly sessions: BrowserSessions;
  readonly clock: Clock;
}

/** Removes the secrets that open nothing any more: of removed people, dead sessions, used links, revoked keys and tokens. */
export async function sweepSecrets(ports: Ports): Promise<number> {
  const { secrets, clock } = ports;
  const keys = notLive(ports, 'key', ports.fleet.keys);
  const tokens = notLive(ports, 'managerToken', ports.fleet.managerTokens);
  const dead = [...deadOfPeople(ports), ...ports.sessions.dead, ...keys, ...tokens];
  for (const name of dead) await erase(secrets, clock, name);
  return dead.length;
}

/** One with a serial that is yet to be folded is of somebody newer than what this gateway knows. */
function deadOfPeople({ secrets, fleet, clock }: Ports): readonly string[] {
  const isDead = (personId: string, serial: number) =>
    serial <= fleet.peopleEver && fleet.people.get(personId)?.serial !== serial;
  const passwords = secrets.names(nameOf.person('')).filter((name) => {
    const stored = read(secrets, 'person', name);
    return stored !== null && isDead(name.slice(nameOf.person('').length), stored.value.serial);
  });
  const links = secrets.names(nameOf.link('')).filter((name) => {
    const stored = read(secrets, 'link', name);
    if (stored === null) return false;
    const { serial, expiresAt } = stored.value;
    return isDead(name.slice(nameOf.link('').length), serial) || clock.now() >= expiresAt;
  });
  return [...passwords, ...links];
}

/** Whatever was made long ago and is not live: revoked, or never recorded. */
function notLive(
  { secrets, clock }: Ports,
  kind: 'key' | 'managerToken',
  live: ReadonlyMap<string, unknown>,
): readonly string[] {
  const prefix = nameOf[kind]('');
  return secrets.names(prefix).filter((name) => {
    const stored = read(secrets, kind, name);
    if (stored === null || live.has(name.slice(prefix.length))) return false;
    return clock.now() - stored.value.madeAt > RECORDED_MS;
  });
}

const SWEEP_MS = 10 * 60_000;

/** Sweeps now and then, while this gateway leads the fleet's log, until `signal` aborts. */
export async function keepSwept(options: {
  readonly sweep: () => Promise<number>;
  readonly isLeading: () => boolean;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { sweep, isLeading, clock, onTrouble, signal } = options;
  while (!signal.aborted) {
    await clock.sleep(SWEEP_MS, signal);
    try {
      if (!signal.aborted && isLeading()) await sweep();
    } catch (error) {
      // The bus is away, or somebody writes the same: what is dead is still dead the next time.
      if (!isSecretsUnavailable(error) && !isSecretConflict(error)) onTrouble('dead secrets were not swept', error);
    }
  }
}
