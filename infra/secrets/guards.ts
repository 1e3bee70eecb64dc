import { isSecretName } from '../names.ts';
import { SecretError, SecretErrorCode } from './errors.ts';
import { MOST_SECRETS, MOST_SECRET_BYTES } from './port.ts';

/** What every store refuses in the same words, before anything is written. */
export function requireValidSecret(name: string, value: string): void {
  requireValidName(name);
  const bytes = Buffer.byteLength(value);
  if (bytes > 0 && bytes <= MOST_SECRET_BYTES) return;
  const message = `the secret ${name} has ${bytes} bytes; it must have 1 to ${MOST_SECRET_BYTES}`;
  throw new SecretError(SecretErrorCode.Invalid, message);
}

export function requireValidName(name: string): void {
  if (isSecretName(name)) return;
  const message = `"${name.slice(0, 100)}" is no name of a secret: it must be like cookie or person.anna`;
  throw new SecretError(SecretErrorCode.Invalid, message);
}

/** `kept` is the number of secrets that stand, `isNew` whether this is one more. */
export function requireRoom(kept: number, isNew: boolean): void {
  if (!isNew || kept < MOST_SECRETS) return;
  const message = `${MOST_SECRETS} secrets are kept already: end sessions, or remove keys and people that are not used`;
  throw new SecretError(SecretErrorCode.Full, message);
}

export function conflict(name: string, cause?: unknown): SecretError {
  return new SecretError(SecretErrorCode.Conflict, `somebody else has written the secret ${name} meanwhile`, cause);
}
