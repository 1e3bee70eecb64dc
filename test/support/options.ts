/**
 * What `read` makes of the words on the command line. Ends the process with the usage when help is asked for, and with a sentence
 * besides and exit code 2 when `read` throws a RangeError, or what `parseArgs` throws of unknown options.
 */
export function optionsOrUsage<Options>(usage: string, read: () => Options): Options {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return read();
  } catch (error) {
    if (!isMisuse(error)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}\n`);
    process.exit(2);
  }
}

function isMisuse(error: unknown): error is Error {
  if (error instanceof RangeError) return true;
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
