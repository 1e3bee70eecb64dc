import { randomBytes } from 'node:crypto';
import { LOCAL_ADMIN } from '../../domain/people/account.ts';
import type { Role } from '../../domain/people/role.ts';
import type { FleetState } from '../../domain/fleet/state.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { isSecretConflict, isSecretsUnavailable } from '../../infra/secrets/errors.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import { erase, hashOf, nameOf, read, write, type Stored } from './stored.ts';
import { browserFamily } from './userAgent.ts';

/** A browser that sent nothing for so long is signed out. */
export const IDLE_HOURS = 12;
/** However busy it is, a browser signs in again after so long. */
export const LONGEST_DAYS = 7;
const IDLE_MS = IDLE_HOURS * 3_600_000;
const LONGEST_MS = LONGEST_DAYS * 86_400_000;
/** When a browser was last seen is written so often at most. */
const SEEN_MS = 10 * 60_000;
/** Of one person, and of all together; with one more, the one that was seen longest ago ends. */
export const MOST_OF_ONE = 10;
const MOST_OF_ALL = 4000;
/** The administrator on the machine, who is never created. */
const LOCAL_SERIAL = 0;

/** Who a browser's cookie stands for, now. `expiresAt`: if nothing more comes from it, ms since 1970. */
export interface SignedIn {
  readonly personId: string;
  readonly sessionId: string;
  readonly role: Role;
  readonly expiresAt: number;
}

export interface BrowserSessionView {
  readonly sessionId: string;
  readonly browser: string;
  readonly madeAt: string;
  /** To about ten minutes. */
  readonly seenAt: string;
}

interface Ports {
  readonly secrets: SecretStore;
  readonly fleet: () => Pick<FleetState, 'people' | 'peopleEver'>;
  readonly clock: Clock;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

type Session = Stored<'session'>;

const COOKIE_PATTERN = /^v2\.([A-Za-z0-9_-]{43})$/;
const PREFIX = nameOf.session('');

/**
 * The browsers that are signed in, known to all gateways: a cookie is a secret of 256 bits, of which only the hash is kept,
 * and that is also the session's public id. Role and existence of the person are looked up with every request, so that a
 * change of them holds at once.
 */
export class BrowserSessions {
  readonly #ports: Ports;
  /** What the store holds, read once per change instead of with every request. */
  readonly #sessions = new Map<string, Session>();
  readonly #ofPerson = new Map<string, Set<string>>();
  readonly #beingSeen = new Set<string>();

  constructor(ports: Ports) {
    this.#ports = ports;
    for (const name of ports.secrets.names(PREFIX)) this.#note(name);
    ports.secrets.onChange((name) => {
      if (name.startsWith(PREFIX)) this.#note(name);
    });
  }

  /** Signs a browser in: the value of its cookie. Rejects while the secrets cannot be written. */
  async begin(personId: string, userAgent: string | undefined): Promise<string> {
    const { secrets, clock } = this.#ports;
    const serial = this.#serialOf(personId);
    if (serial === null) throw new RangeError(`${personId} cannot sign in: there is no such person`);
    await this.#makeRoom(personId);
    const secret = randomBytes(32).toString('base64url');
    const now = clock.now();
    const session = { personId, serial, madeAt: now, seenAt: now, browser: browserFamily(userAgent) };
    const name = nameOf.session(hashOf(secret));
    await write(secrets, 'session', name, session, null);
    this.#note(name);
    return `v2.${secret}`;
  }

  /** Who the cookie stands for, or null when its session has ended. Notes that the browser was seen. */
  find(cookie: string): SignedIn | null {
    const secret = COOKIE_PATTERN.exec(cookie)?.[1];
    if (secret === undefined) return null;
    const found = this.look(hashOf(secret));
    if (found !== null) this.#see(found.sessionId);
    return found;
  }

  /** The same by the session's id, without being a sign of life. */
  look(sessionId: string): SignedIn | null {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return null;
    const { personId, serial } = session;
    const expiresAt = endOf(session);
    const role = this.#roleOf(personId, serial);
    return role !== null && this.#ports.clock.now() < expiresAt ? { personId, sessionId, role, expiresAt } : null;
  }

  /** Those that are live, the one seen last first. */
  list(personId: string): readonly BrowserSessionView[] {
    return [...(this.#ofPerson.get(personId) ?? [])]
      .filter((sessionId) => this.look(sessionId) !== null)
      .flatMap((sessionId) => {
        const session = this.#sessions.get(sessionId);
        return session === undefined ? [] : [{ sessionId, session }];
      })
      .toSorted((a, b) => b.session.seenAt - a.session.seenAt)
      .map(({ sessionId, session: { browser, madeAt, seenAt } }) => ({
        sessionId,
        browser,
        madeAt: isoTime(madeAt),
        seenAt: isoTime(seenAt),
      }));
  }

  /** False when the person has no such session. */
  async end(personId: string, sessionId: string): Promise<boolean> {
    const found = this.look(sessionId);
    if (found?.personId !== personId) return false;
    await this.#erase(sessionId);
    return true;
  }

  /** Ends all of a person's but `except`, dead ones included. How many live ones there were. */
  async endAll(personId: string, except: string | null = null): Promise<number> {
    const all = [...(this.#ofPerson.get(personId) ?? [])].filter((sessionId) => sessionId !== except);
    const live = all.filter((sessionId) => this.look(sessionId) !== null).length;
    await Promise.all(all.map((sessionId) => this.#erase(sessionId)));
    return live;
  }

  /** Those that will never be live again. What is of somebody newer than this gateway knows is not among them. */
  get dead(): readonly string[] {
    const { peopleEver } = this.#ports.fleet();
    return [...this.#sessions]
      .filter(([sessionId, { serial }]) => serial <= peopleEver && this.look(sessionId) === null)
      .map(([sessionId]) => nameOf.session(sessionId));
  }

  #note(name: string): void {
    const sessionId = name.slice(PREFIX.length);
    const session = read(this.#ports.secrets, 'session', name)?.value;
    const before = this.#sessions.get(sessionId);
    if (before !== undefined) this.#ofPerson.get(before.personId)?.delete(sessionId);
    if (before !== undefined && this.#ofPerson.get(before.personId)?.size === 0) this.#ofPerson.delete(before.personId);
    if (session === undefined) {
      this.#sessions.delete(sessionId);
      return;
    }
    this.#sessions.set(sessionId, session);
    const of = this.#ofPerson.get(session.personId) ?? new Set();
    this.#ofPerson.set(session.personId, of.add(sessionId));
  }

  async #erase(sessionId: string): Promise<void> {
    const name = nameOf.session(sessionId);
    await erase(this.#ports.secrets, this.#ports.clock, name);
    this.#note(name);
  }

  async #makeRoom(personId: string): Promise<void> {
    const tooMany = this.list(personId).slice(MOST_OF_ONE - 1);
    await Promise.all(tooMany.map(({ sessionId }) => this.#erase(sessionId)));
    if (this.#sessions.size < MOST_OF_ALL) return;
    const [oldest] = [...this.#sessions].toSorted(([, a], [, b]) => a.seenAt - b.seenAt);
    if (oldest !== undefined) await this.#erase(oldest[0]);
  }

  /** Beside the request, and not more often than it matters. Whoever ends the session meanwhile wins. */
  #see(sessionId: string): void {
    const { secrets, clock, onTrouble } = this.#ports;
    const name = nameOf.session(sessionId);
    const stored = read(secrets, 'session', name);
    if (stored === null || clock.now() - stored.value.seenAt < SEEN_MS || this.#beingSeen.has(name)) return;
    this.#beingSeen.add(name);
    write(secrets, 'session', name, { ...stored.value, seenAt: clock.now() }, stored.revision)
      .catch((error: unknown) => {
        // Another gateway wrote the same, or the next request will: nothing is lost by it.
        if (!isSecretConflict(error) && !isSecretsUnavailable(error)) onTrouble('a session was not noted', error);
      })
      .finally(() => this.#beingSeen.delete(name));
  }

  #serialOf(personId: string): number | null {
    if (personId === LOCAL_ADMIN) return LOCAL_SERIAL;
    return this.#ports.fleet().people.get(personId)?.serial ?? null;
  }

  #roleOf(personId: string, serial: number): Role | null {
    if (this.#serialOf(personId) !== serial) return null;
    return personId === LOCAL_ADMIN ? 'admin' : (this.#ports.fleet().people.get(personId)?.role ?? null);
  }
}

function endOf({ madeAt, seenAt }: Session): number {
  return Math.min(madeAt + LONGEST_MS, seenAt + IDLE_MS);
}
