import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** The file and everything of the project that it runs: imports of types are not run. */
export function importedFrom(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const path of importsOf(readFileSync(file, 'utf8'))) {
    if (path.startsWith('.') && path.endsWith('.ts')) importedFrom(normalize(join(dirname(file), path)), seen);
  }
  return seen;
}

/** What a text imports to run it, in the words in which it says so. */
export function importsOf(text: string): readonly string[] {
  const statements = text.matchAll(/^(?:import|export)(?! type )(?:[^;']*? from)? '([^']+)'/gm);
  return [...statements].map(([, path]) => path ?? '');
}

/** Without what is only said in a comment of its own line. */
export function withoutComment(line: string): string {
  return line.replace(/^\s*(\*|\/\/|\/\*).*/, '');
}
