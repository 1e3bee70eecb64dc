import { parseArgs } from 'node:util';

/** What the operator asks of this program. */
export type Words =
  /** `join`: the bus, `tokenFile`: the file with the manager token; null: as configured. */
  | { readonly kind: 'run'; readonly join: string | null; readonly tokenFile: string | null }
  | { readonly kind: 'check'; readonly json: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'misused'; readonly problem: string };

export const USAGE = `muster agent                  run the agent of this machine, for a gateway elsewhere
  --join URL                  the bus it joins: tls://HOST:PORT, or nats://HOST:PORT where the way to it is safe
  --token-file FILE           the manager token that admits it (mode 0600); an operator issues it
muster agent check [--json]   tell what is wrong with this host, and how to mend it

check ends with 0 when sessions can run here (warnings included), 1 when something stops them, 2 on wrong usage.
MUSTER_CONFIG names a file with the configuration; npx muster config lists what can be set.
`;

export function readWords(args: readonly string[]): Words {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean' },
        join: { type: 'string' },
        'token-file': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
    if (values.help === true) return { kind: 'help' };
    const [word, ...more] = positionals;
    if (more[0] !== undefined) return { kind: 'misused', problem: `"${more[0]}" is one word too many` };
    const { join = null, 'token-file': tokenFile = null } = values;
    if (word === 'check' && (join !== null || tokenFile !== null)) {
      return {
        kind: 'misused',
        problem: '--join and --token-file go with muster agent alone; check reads the configuration',
      };
    }
    if (word === 'check') return { kind: 'check', json: values.json === true };
    if (word !== undefined) return { kind: 'misused', problem: `there is no "muster agent ${word}"` };
    if (values.json === true) return { kind: 'misused', problem: '--json goes with check' };
    if (join !== null && /^https?:/.test(join)) {
      const problem = `an agent joins the bus, not the gateway's page: --join tls://HOST:PORT instead of ${join}`;
      return { kind: 'misused', problem };
    }
    return { kind: 'run', join, tokenFile };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { kind: 'misused', problem: error.message };
  }
}
