/**
 * The account of a person: what they sign in with and what the log calls them. Small letters only, so that two accounts
 * never differ by case alone. No e-mail address fits, because what is in the log stays in the log.
 */
export const ACCOUNT_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/**
 * Who acts with the key that the gateway's machine keeps, before there are people and when all of them are locked out. No
 * person can have this account, so the log never mixes the two up.
 */
export const LOCAL_ADMIN = 'admin';

/** Names of people and keys: something to read, without what only steers a terminal or a page. */
export const NAME_PATTERN = /^\P{C}{1,120}$/u;

/** An e-mail address would be personal data in a log that is kept for ever. */
export function looksLikeAddress(name: string): boolean {
  return /\S@\S/.test(name);
}
