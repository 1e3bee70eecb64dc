import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Turns } from '../turns.ts';
import { AccessRefused } from './errors.ts';

const derive = promisify(argon2);

/** In KiB and passes: the least that OWASP advises for argon2id, about 50 ms of one processor. */
const COST = { memory: 19 * 1024, passes: 2, parallelism: 1 };
const TAG_BYTES = 32;
/** Node's thread pool has four threads, which files and snapshots need too. */
const LIMITS = { atOnce: 2, mostWaiting: 40 };
const BUSY_RETRY_SECONDS = 2;

/** `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`, both in base 64 without padding. */
const HASH_PATTERN =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{22,86})$/;

/** What nobody's password gives: checking against it takes as long as checking anybody's. */
const NOBODY = encode(COST, Buffer.alloc(16), Buffer.alloc(TAG_BYTES));

/** Hashes of passwords, made and checked in the thread pool, two at a time. */
export class Passwords {
  readonly #turns = new Turns(LIMITS, () => {
    const sentence = 'many people are signing in; try again in a moment';
    return new AccessRefused('BUSY', sentence, { retryAfterSeconds: BUSY_RETRY_SECONDS });
  });

  /** Rejects with AccessRefused BUSY, as `matches` does. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(16);
    return encode(COST, salt, await this.#derive(password, salt, COST, TAG_BYTES));
  }

  /** Whether it is the password of that hash; null is nobody's, which takes as long. A hash tells its own cost. */
  async matches(password: string, hash: string | null): Promise<boolean> {
    const [, memory, passes, parallelism, salt = '', tag = ''] = HASH_PATTERN.exec(hash ?? NOBODY) ?? [];
    if (memory === undefined) throw new RangeError('what is kept as a hash of a password is none');
    const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
    const expected = Buffer.from(tag, 'base64');
    const found = await this.#derive(password, Buffer.from(salt, 'base64'), cost, expected.length);
    return timingSafeEqual(found, expected) && hash !== null;
  }

  /** The same characters may be typed as other code points on another keyboard. */
  #derive(password: string, nonce: Buffer, cost: typeof COST, tagLength: number): Promise<Buffer> {
    const message = password.normalize('NFC');
    return this.#turns.run(() => derive('argon2id', { ...cost, message, nonce, tagLength }));
  }
}

function encode({ memory, passes, parallelism }: typeof COST, salt: Buffer, tag: Buffer): string {
  const text = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(salt)}$${text(tag)}`;
}
