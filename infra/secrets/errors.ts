/** Why a secret was not written or the store not opened, as data: callers ask the predicates. No message holds a secret. */
export const SecretErrorCode = {
  Conflict: 'SECRET_CONFLICT',
  Unavailable: 'SECRETS_UNAVAILABLE',
  Full: 'SECRETS_FULL',
  Invalid: 'SECRET_INVALID',
  KeyFile: 'SECRETS_KEY_FILE',
  KeyWrong: 'SECRETS_KEY_WRONG',
} as const;
export type SecretErrorCode = (typeof SecretErrorCode)[keyof typeof SecretErrorCode];

export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly code: SecretErrorCode;
  constructor(code: SecretErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
  }
}

/** Somebody else has written this name; what stands there now is what `get` shows, or will in a moment. */
export function isSecretConflict(error: unknown): boolean {
  return hasCode(error, SecretErrorCode.Conflict);
}

/** The bus is away: whether it was written is known once it is back. */
export function isSecretsUnavailable(error: unknown): boolean {
  return hasCode(error, SecretErrorCode.Unavailable);
}

/** There is no room for another name. */
export function isSecretsFull(error: unknown): boolean {
  return hasCode(error, SecretErrorCode.Full);
}

/** The store cannot be opened with this key; trying again is in vain until somebody has mended the key file. */
export function isSecretsKeyRefused(error: unknown): error is SecretError {
  return hasCode(error, SecretErrorCode.KeyFile) || hasCode(error, SecretErrorCode.KeyWrong);
}

function hasCode(error: unknown, code: SecretErrorCode): boolean {
  return error instanceof SecretError && error.code === code;
}
