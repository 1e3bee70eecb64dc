/** What scripts can rely on. */
export const ExitCode = {
  ok: 0,
  failure: 1,
  usage: 2,
  refused: 3,
  notFound: 4,
  unreachable: 5,
  unauthorized: 6,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  failed, or refused by a rule other than placement
  2  wrong usage or configuration
  3  no agent takes the session
  4  no such agent, image, session, zone, log, person, key or manager token
  5  the gateway, or a store of logs, does not answer
  6  not authorised
  141  nobody reads what it prints any more (| head -1)

Environment:
  MUSTER_HTTP       the gateway's address (127.0.0.1:8080)
  MUSTER_ADMIN_KEY  the key, also one that was issued; without it, admin.key in MUSTER_DATA (./.muster) is used
  npx muster config lists everything that can be set`;

/** Ends the command with one sentence on standard error. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: ExitCode;
  /** Further lines: numbers, reasons, what to do. */
  readonly lines: readonly string[];

  constructor(code: ExitCode, message: string, lines: readonly string[] = [], cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.lines = lines;
  }
}
