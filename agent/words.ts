import { parseArgs } from 'node:util';

/** What the operator asks of this program. */
export type Words =
  | { readonly kind: 'run' }
  | { readonly kind: 'check'; readonly json: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'misused'; readonly problem: string };

export const USAGE = `muster agent                  run the agent of this machine, for a gateway elsewhere
muster agent check [--json]   tell what is wrong with this host, and how to mend it

check ends with 0 when sessions can run here (warnings included), 1 when something stops them, 2 on wrong usage.
MUSTER_CONFIG names a file with the configuration; npx muster config lists what can be set.
`;

export function readWords(args: readonly string[]): Words {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    });
    if (values.help === true) return { kind: 'help' };
    const [word, ...more] = positionals;
    if (more[0] !== undefined) return { kind: 'misused', problem: `"${more[0]}" is one word too many` };
    if (word === 'check') return { kind: 'check', json: values.json === true };
    if (word !== undefined) return { kind: 'misused', problem: `there is no "muster agent ${word}"` };
    if (values.json === true) return { kind: 'misused', problem: '--json goes with check' };
    return { kind: 'run' };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { kind: 'misused', problem: error.message };
  }
}
