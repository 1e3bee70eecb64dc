export const PASSWORD_LEAST = 12;
export const PASSWORD_MOST = 128;

/** Whose password it is: it must not be what everybody knows of them. */
export interface PasswordOwner {
  readonly personId: string;
  readonly name: string;
}

/**
 * Why a password is not taken, as a sentence, or null when it is. Length is counted in characters as people see them
 * typed. No rule of composition: such rules make passwords that are easy to guess and hard to remember.
 */
export function passwordProblem(password: string, { personId, name }: PasswordOwner): string | null {
  const length = Array.from(password).length;
  if (length < PASSWORD_LEAST) return `a password has at least ${PASSWORD_LEAST} characters; this one has ${length}`;
  if (length > PASSWORD_MOST) return `a password has at most ${PASSWORD_MOST} characters; this one has ${length}`;
  if (isOnly(password.toLowerCase(), [name.toLowerCase(), personId])) return OWN_NAME;
  if (new Set(password).size === 1) return 'a password must not be one character over and over';
  return null;
}

const OWN_NAME = 'a password must not be the name of who it belongs to';

/** Nothing but these words, the longer ones first, since one may be part of another. */
function isOnly(text: string, words: readonly string[]): boolean {
  const longestFirst = words.toSorted((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, word) => rest.replaceAll(word, ''), text).trim() === '';
}
