import { hostname } from 'node:os';
import { checkHost } from './host.ts';
import { inJson, inWords, isWrong } from './say.ts';

const SAY_EVERY_MS = 1000;

/** `muster agent check`: says how this host stands and returns the exit code. Progress goes to standard error. */
export async function runCheck(options: { readonly json: boolean }): Promise<number> {
  let waiting: readonly string[] = [];
  const begun = performance.now();
  const ticker = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000);
    process.stderr.write(`still looking at ${waiting.join(', ')} (${seconds} s)\n`);
  }, SAY_EVERY_MS);
  try {
    const check = await checkHost(process.env, (names) => (waiting = names));
    const host = hostname();
    process.stdout.write(`${options.json ? inJson(host, check) : inWords(host, check)}\n`);
    return check.findings.some(isWrong) ? 1 : 0;
  } finally {
    clearInterval(ticker);
  }
}
