import { randomBytes } from 'node:crypto';
import type { FleetState } from '../../domain/fleet/state.ts';
import { passwordProblem } from '../../domain/people/password.ts';
import type { Person } from '../../domain/people/state.ts';
import { isoTime, type Clock } from '../../infra/clock.ts';
import { isSecretConflict } from '../../infra/secrets/errors.ts';
import type { SecretStore } from '../../infra/secrets/port.ts';
import { AccessRefused } from './errors.ts';
import { LockOut } from './lockOut.ts';
import type { Passwords } from './passwords.ts';
import { placeOf } from './place.ts';
import { erase, hashOf, isSame, nameOf, read, write } from './stored.ts';

/** How long a link to set a password may be used. */
export const PASSWORD_LINK_HOURS = 24;

/** Somebody who has forgotten tries a few times; somebody who guesses tries on. */
const OF_ACCOUNT = { free: 5, firstMs: 30_000, mostMs: 15 * 60_000 };
/** Behind a proxy everybody has one address, so it takes more of them. */
const OF_ADDRESS = { free: 50, firstMs: 10_000, mostMs: 5 * 60_000 };
/** Guessing a token of 256 bits is hopeless anyway; this keeps the tries from costing anything. */
const OF_TOKENS = { free: 10, firstMs: 60_000, mostMs: 15 * 60_000 };

/** What is shown where, so that nobody learns from it which accounts there are. */
const WRONG = 'account or password is wrong';
const LINK_INVALID =
  'this link was used before, was replaced by a newer one, or is too old; ask an admin for a new one';

interface Ports {
  readonly secrets: SecretStore;
  readonly fleet: () => Pick<FleetState, 'people'>;
  readonly clock: Clock;
  readonly passwords: Passwords;
  readonly onLocked: (sentence: string) => void;
}

interface PasswordTry {
  readonly account: string;
  readonly password: string;
  readonly address: string;
}

/** People's passwords: checked, set and changed, and the links with which they are set for the first time. */
export class Accounts {
  readonly #ports: Ports;
  readonly #byAccount: LockOut;
  readonly #byAddress: LockOut;
  readonly #tokens: LockOut;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#byAccount = new LockOut(ports.clock, OF_ACCOUNT);
    this.#byAddress = new LockOut(ports.clock, OF_ADDRESS);
    this.#tokens = new LockOut(ports.clock, OF_TOKENS);
  }

  hasPassword(person: Person): boolean {
    return this.#standing(person) !== null;
  }

  /** Whether somebody can sign in who may let others in. */
  get isAnyAdminReady(): boolean {
    return [...this.#ports.fleet().people.values()].some(
      (person) => person.role === 'admin' && this.hasPassword(person),
    );
  }

  /** Whose account and password these are. Rejects with AccessRefused, after the same time whether there is one or not. */
  async check({ account, password, address }: PasswordTry): Promise<Person> {
    const { fleet, passwords } = this.#ports;
    const place = placeOf(address);
    this.#refuseLocked(account, place);
    this.#byAccount.count(account);
    this.#byAddress.count(place);
    const person = fleet().people.get(account) ?? null;
    const standing = person === null ? null : this.#standing(person);
    let matches: boolean;
    try {
      matches = await passwords.matches(password, standing?.hash ?? null);
    } catch (error) {
      this.#byAccount.takeBack(account);
      this.#byAddress.takeBack(place);
      throw error;
    }
    if (person === null || !matches) {
      this.#tellLocked(person, account, place);
      throw new AccessRefused('SIGN_IN_WRONG', WRONG);
    }
    this.#byAccount.clear(account);
    this.#byAddress.takeBack(place);
    return person;
  }

  /** Sets a password for which the person has shown the one before. Rejects with AccessRefused. */
  async change(person: Person, change: { readonly current: string; readonly next: string; readonly address: string }) {
    const { current, next, address } = change;
    refuseUnfit(next, person);
    const standing = this.#standing(person)?.revision ?? null;
    try {
      await this.check({ account: person.personId, password: current, address });
    } catch (error) {
      if (!(error instanceof AccessRefused) || error.code !== 'SIGN_IN_WRONG') throw error;
      throw new AccessRefused('PASSWORD_REFUSED', 'this is not the password so far', { field: 'current' });
    }
    await this.#put(person, next, standing);
  }

  /** Sets the first password of somebody who has none. Rejects with AccessRefused. */
  async setFirst(person: Person, password: string): Promise<void> {
    refuseUnfit(password, person);
    await this.#put(person, password, this.#revisionOf(person));
  }

  /**
   * A link with which the person sets a password, once. It is void as soon as the password is another, however that
   * came, and as soon as a newer link is made.
   */
  async makeLink(person: Person): Promise<{ readonly token: string; readonly expiresAt: string }> {
    const { secrets, clock } = this.#ports;
    const secret = randomBytes(32).toString('base64url');
    const expiresAt = clock.now() + PASSWORD_LINK_HOURS * 3_600_000;
    const name = nameOf.link(person.personId);
    const link = {
      serial: person.serial,
      tokenHash: hashOf(secret),
      standing: this.#revisionOf(person),
      expiresAt,
    };
    await write(secrets, 'link', name, link, secrets.get(name)?.revision ?? null);
    return { token: `${person.personId}.${secret}`, expiresAt: isoTime(expiresAt) };
  }

  /** When the person's open link ends, ms since 1970; null when there is none. */
  linkUntil(person: Person): number | null {
    const link = this.#link(person);
    return link === null ? null : link.expiresAt;
  }

  /** Until when no password of the person is taken, ms since 1970, as this gateway counts tries; null: it is not locked. */
  lockedUntil({ personId }: Person): number | null {
    const wait = this.#byAccount.waitMs(personId);
    return wait === 0 ? null : this.#ports.clock.now() + wait;
  }

  /** Whose link it is, so that the page can greet them. Rejects with AccessRefused. */
  ownerOfLink(token: string, address: string): Person {
    const [personId = '', secret = ''] = token.split('.');
    const person = this.#ports.fleet().people.get(personId);
    const link = person === undefined ? null : this.#link(person);
    if (person !== undefined && link !== null && isSame(link.tokenHash, hashOf(secret))) return person;
    throw this.wrongToken(address, LINK_INVALID);
  }

  /** Sets the password that comes with a link. The link is used up. Rejects with AccessRefused. */
  async setByLink(token: string, password: string, address: string): Promise<Person> {
    const person = this.ownerOfLink(token, address);
    refuseUnfit(password, person);
    const { standing } = this.#link(person) ?? { standing: null };
    try {
      await this.#put(person, password, standing);
    } catch (error) {
      if (isSecretConflict(error)) throw this.wrongToken(address, LINK_INVALID);
      throw error;
    }
    this.#byAccount.clear(person.personId);
    await erase(this.#ports.secrets, this.#ports.clock, nameOf.link(person.personId));
    return person;
  }

  /** Why a token is not taken. It is asked only about wrong ones, so a good link works however many others were tried. */
  wrongToken(address: string, sentence: string): AccessRefused {
    const place = placeOf(address);
    const wait = this.#tokens.waitMs(place);
    if (wait > 0) return locked('too many wrong links were tried from here', wait);
    this.#tokens.count(place);
    return new AccessRefused('SIGN_IN_LINK_INVALID', sentence);
  }

  /** Forgets all that was kept for an account. */
  async forget(personId: string): Promise<void> {
    const { secrets, clock } = this.#ports;
    await Promise.all([nameOf.person(personId), nameOf.link(personId)].map((name) => erase(secrets, clock, name)));
  }

  async #put(person: Person, password: string, expected: number | null): Promise<void> {
    const { secrets, passwords } = this.#ports;
    const { personId, serial } = person;
    const hash = await passwords.hash(password);
    await write(secrets, 'person', nameOf.person(personId), { serial, hash }, expected);
  }

  /** The password that is the person's, and not that of somebody who had the account before. */
  #standing({ personId, serial }: Person): { readonly hash: string; readonly revision: number } | null {
    const stored = read(this.#ports.secrets, 'person', nameOf.person(personId));
    return stored?.value.serial === serial ? { hash: stored.value.hash, revision: stored.revision } : null;
  }

  /** Of whatever stands there, also for somebody before: the next write replaces it. */
  #revisionOf({ personId }: Person): number | null {
    return this.#ports.secrets.get(nameOf.person(personId))?.revision ?? null;
  }

  #link(person: Person) {
    const stored = read(this.#ports.secrets, 'link', nameOf.link(person.personId));
    if (stored === null) return null;
    const { serial, standing, expiresAt } = stored.value;
    const holds =
      serial === person.serial && standing === this.#revisionOf(person) && this.#ports.clock.now() < expiresAt;
    return holds ? stored.value : null;
  }

  #refuseLocked(account: string, place: string): void {
    const ofAccount = this.#byAccount.waitMs(account);
    if (ofAccount > 0) throw locked('too many wrong passwords for this account', ofAccount);
    const ofAddress = this.#byAddress.waitMs(place);
    if (ofAddress > 0) throw locked('too many wrong passwords from here', ofAddress);
  }

  /** What was typed as an account is told only when it is one: it may have been a password in the wrong field. */
  #tellLocked(person: Person | null, account: string, place: string): void {
    const { onLocked } = this.#ports;
    const ofAccount = this.#byAccount.waitMs(account);
    const name = person === null ? 'an account that there is not' : person.personId;
    if (ofAccount > 0) onLocked(`too many wrong passwords for ${name}: locked for ${seconds(ofAccount)} s`);
    const ofAddress = this.#byAddress.waitMs(place);
    if (ofAddress > 0) onLocked(`too many wrong passwords from ${place}: locked for ${seconds(ofAddress)} s`);
  }
}

function refuseUnfit(password: string, person: Person): void {
  const problem = passwordProblem(password, person);
  if (problem !== null) throw new AccessRefused('PASSWORD_REFUSED', problem, { field: 'password' });
}

function locked(what: string, waitMs: number): AccessRefused {
  const retryAfterSeconds = seconds(waitMs);
  const sentence = `${what}; try again in ${retryAfterSeconds} s, or use a sign-in link`;
  return new AccessRefused('LOCKED_OUT', sentence, { retryAfterSeconds });
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
