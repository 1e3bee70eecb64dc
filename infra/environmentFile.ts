/** One `NAME=value` of an environment file. `line` is where it begins, from 1. */
export type EnvironmentEntry = { readonly name: string; readonly value: string; readonly line: number };

/** A line that is none of: assignment, comment, blank. */
export type EnvironmentFault = { readonly line: number; readonly message: string };

export type EnvironmentFile = {
  readonly entries: readonly EnvironmentEntry[];
  readonly faults: readonly EnvironmentFault[];
};

const NOT_SAID = /[ \t\r]*(?:[#;][^\n]*)?(?:\n|$)/y;
const NAME = /[ \t]*([^\n=]*?)[ \t]*=[ \t]*/y;
const REST_OF_LINE = /[^\n]*(?:\n|$)/y;
const BLANKS = /[ \t\r]*/y;
const SINGLE = /'([^']*)'/y;
const DOUBLE = /"((?:\\[\s\S]|[^"\\])*)"/y;
/** Quotes in the middle of it are part of it; a backslash takes the next character as it is, the end of a line too. */
const PLAIN = /(?:\\[\s\S]|[^\\\n])*?(?=[ \t\r]*(?:\n|$))/y;

/**
 * Reads a file as systemd reads an `EnvironmentFile`: comments after `#` or `;`, values plain, in single or in double quotes,
 * several quoted pieces in a row joined, a backslash at the end of a line to go on. Only what systemd would pass over in
 * silence, a line that says nothing, is a fault here.
 */
export function parseEnvironmentFile(text: string): EnvironmentFile {
  const entries: EnvironmentEntry[] = [];
  const faults: EnvironmentFault[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < text.length) {
    if (take(NOT_SAID) !== null) continue;
    const line = lineAt(text, at);
    const fault = (message: string) => {
      faults.push({ line, message });
      take(REST_OF_LINE);
    };
    const name = take(NAME)?.[1];
    if (name === undefined) {
      fault('is not like NAME=value');
      continue;
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      fault('has no name before its "=" that is made of letters, digits and _ alone');
      continue;
    }
    const value = takeValue(take, () => text[at]);
    if (value === null) fault('has a quote that is not closed');
    else entries.push({ name, value, line });
  }
  return { entries, faults };
}

/** Null: a quote is not closed. */
function takeValue(take: (pattern: RegExp) => RegExpExecArray | null, next: () => string | undefined): string | null {
  let value = '';
  for (;;) {
    take(BLANKS);
    switch (next()) {
      case undefined:
      case '\n':
        return value;
      case "'": {
        const quoted = take(SINGLE);
        if (quoted === null) return null;
        value += quoted[1] ?? '';
        break;
      }
      case '"': {
        const quoted = take(DOUBLE);
        if (quoted === null) return null;
        value += (quoted[1] ?? '').replaceAll(/\\(\n|["\\`$])/g, (_pair, char: string) => (char === '\n' ? '' : char));
        break;
      }
      default: {
        const plain = take(PLAIN)?.[0] ?? '';
        return value + plain.replaceAll(/\\([\s\S])/g, (_pair, char: string) => (char === '\n' ? '' : char));
      }
    }
  }
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
