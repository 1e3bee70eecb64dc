/** `wrong` stops sessions, all of them or those with GPUs; a `warning` does not, yet. */
export type Level = 'ok' | 'warning' | 'wrong';

/** One line of what the check of a host says. */
export type Finding = {
  /** What was looked at, in a word or two. */
  readonly check: string;
  readonly level: Level;
  readonly text: string;
  /** The command or the step that mends it; null where there is nothing to mend, or the text says it. */
  readonly mend: string | null;
};

export function ok(check: string, text: string): Finding {
  return { check, level: 'ok', text, mend: null };
}

export function warning(check: string, text: string, mend: string | null = null): Finding {
  return { check, level: 'warning', text, mend };
}

export function wrong(check: string, text: string, mend: string | null = null): Finding {
  return { check, level: 'wrong', text, mend };
}
