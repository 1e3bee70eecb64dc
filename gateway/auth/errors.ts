/** Every way in which somebody is not let in. Stable: clients match on them. */
export type AccessCode = 'SIGN_IN_WRONG' | 'LOCKED_OUT' | 'BUSY' | 'SIGN_IN_LINK_INVALID' | 'PASSWORD_REFUSED';

/** Why somebody is not let in, in words that are theirs to read. `field`: the place of a form that is wrong. */
export class AccessRefused extends Error {
  override readonly name = 'AccessRefused';
  readonly code: AccessCode;
  readonly retryAfterSeconds: number | undefined;
  readonly field: string | undefined;

  constructor(
    code: AccessCode,
    sentence: string,
    options: { readonly retryAfterSeconds?: number; readonly field?: string } = {},
  ) {
    super(sentence);
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.field = options.field;
  }
}

export function isAccessRefused(error: unknown): error is AccessRefused {
  return error instanceof AccessRefused;
}
