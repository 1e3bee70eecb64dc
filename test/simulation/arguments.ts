/** A whole number, or a RangeError that names the option. */
export function wholeNumber(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) throw new RangeError(`--${option} takes a whole number, not "${text}"`);
  return number;
}
