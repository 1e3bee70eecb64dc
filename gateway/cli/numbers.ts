import { CliError, ExitCode } from './exitCodes.ts';

/** The number that an option was given. Throws CliError when it is none, or outside of what the option takes. */
export function wholeNumber(option: string, text: string, least = -Infinity, most = Infinity): number {
  const number = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  const range = Number.isFinite(most) ? ` from ${least} to ${most}` : '';
  throw new CliError(ExitCode.usage, `${option} takes a whole number${range}, not "${text}"`);
}
