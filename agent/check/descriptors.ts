import { readFile } from 'node:fs/promises';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { whyNot, type Look } from './probe.ts';

const CHECK = 'descriptors';
/** A look at 50 sessions asks the engine about each at once, and each question is a connection. */
const WARN_BELOW = 1024;
const WRONG_BELOW = 128;

/** How many files this process may open; Infinity when there is no limit. */
export async function descriptorLimit(): Promise<number> {
  return parseLimits(await readFile('/proc/self/limits', 'utf8'));
}

/** The soft limit in `/proc/<pid>/limits`. Node raises its own to the hard limit at its start. */
export function parseLimits(text: string): number {
  const limit = /^Max open files +(\d+|unlimited) /m.exec(text)?.[1];
  if (limit === undefined) throw new Error('/proc/self/limits has no line "Max open files"');
  return limit === 'unlimited' ? Infinity : Number(limit);
}

/** Whether the agent may open as many files and connections as its sessions need. */
export function judgeDescriptors(look: Look<number>): Finding {
  if (look.kind !== 'seen') return warning(CHECK, `the limit could not be read: ${whyNot(look)}`);
  const mend = 'ulimit -n 8192 in the shell that starts it, or LimitNOFILE=8192 in its unit';
  if (look.facts < WRONG_BELOW)
    return wrong(CHECK, `this user may open ${look.facts} files: too few for any session`, mend);
  if (look.facts < WARN_BELOW)
    return warning(CHECK, `this user may open ${look.facts} files: too few for 50 sessions`, mend);
  return ok(CHECK, look.facts === Infinity ? 'without a limit' : `${look.facts} files may be open`);
}
