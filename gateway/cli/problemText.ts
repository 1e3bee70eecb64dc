import type { Candidate, Explanation } from '../../domain/placement/explanation.ts';
import { otherRulesSentence, restSentence } from '../../domain/placement/restSentence.ts';
import { CliError, ExitCode } from './exitCodes.ts';

interface WrongPlace {
  readonly path: string;
  readonly message: string;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly numbers?: Readonly<Record<string, number>>;
  readonly errors?: readonly WrongPlace[];
  readonly placement?: Explanation;
  readonly sessionId?: string;
}

/** A problem document as the error that ends the command: its sentence, code and numbers, and what to do. */
export function errorOf(status: number, text: string): CliError {
  const problem = parsed(text);
  const { code = `HTTP_${status}`, detail = `the gateway answered ${status}`, numbers = {}, errors = [] } = problem;
  const lines = [
    `Code: ${code}`,
    ...Object.entries(numbers).map(([name, value]) => `${name}: ${value}`),
    ...errors.filter(({ message }) => !detail.includes(message)).map(placeText),
    ...(problem.sessionId === undefined ? [] : [`Session: ${problem.sessionId}`]),
    ...(problem.placement ? placementLines(problem.placement) : []),
    ...(HINTS[code] === undefined ? [] : [HINTS[code]]),
  ];
  return new CliError(exitCodeFor(status, code), detail.replace(WHERE_IN_HTTP, ''), lines);
}

/** What the gateway says before it says what is wrong; the command line has no body and no query. */
const WHERE_IN_HTTP = /^the \w+ is not as it should be: /;

function placeText({ path, message }: WrongPlace): string {
  return `${path === '' ? 'request' : path}: ${message}`;
}

const HINTS: Readonly<Record<string, string>> = {
  CONFIRM_NEEDED: 'Say it again with --confirm if it is meant.',
  KEY_WRONG: 'Set MUSTER_ADMIN_KEY, or run this where the data folder is (MUSTER_DATA).',
  ROLE_NEEDED: 'Ask an admin for another role, or use a key that has it.',
  PERSON_UNKNOWN: 'See who there is: npx muster people',
  KEY_UNKNOWN: 'See which there are: npx muster keys',
  MANAGER_TOKEN_UNKNOWN: 'See which there are: npx muster manager-token',
  MANAGER_TOKEN_LAST: 'Issue another one first, or say it again with --force if it is meant.',
  AGENT_NOT_REVOKED: 'Revoke it first: npx muster agents revoke <id> --reason <text>',
  AGENT_HAS_SESSIONS: 'Give it up once it is missing: npx muster agents declare-lost <id> --reason <text>',
  FINGERPRINT_DIFFERS: 'See what is recorded: npx muster agents show <id>',
  AGENT_NOT_APPROVED: 'Approve it: npx muster agents approve <id>',
  AGENT_UNKNOWN: 'See which there are: npx muster agents',
  IMAGE_UNKNOWN: 'See which there are: npx muster images',
  SESSION_UNKNOWN: 'See which there are: npx muster sessions',
  LOG_UNKNOWN: 'See which there are: npx muster log list',
  UNAVAILABLE: 'Sessions go on; try again in a moment.',
};

function exitCodeFor(status: number, code: string): ExitCode {
  if (code === 'SESSION_REFUSED') return ExitCode.refused;
  if (code === 'INVALID_REQUEST' || code === 'UNKNOWN_FIELD') return ExitCode.usage;
  if (code === 'UNAVAILABLE') return ExitCode.unreachable;
  if (status === 404) return ExitCode.notFound;
  if (status === 401 || status === 403) return ExitCode.unauthorized;
  return ExitCode.failure;
}

function placementLines(placement: Explanation): readonly string[] {
  return [
    ...reasonLines(placement.candidates),
    ...[restSentence(placement), otherRulesSentence(placement)].filter((sentence) => sentence !== null),
  ];
}

/** Per agent its reasons, with the fix where there is one. */
export function reasonLines(candidates: readonly Candidate[]): readonly string[] {
  return candidates.flatMap(({ agentId, reasons }) =>
    reasons.map(({ code, never, sentence, fix }) => {
      const kind = code === 'LOWER_SCORE' ? '' : never ? ' (never)' : ' (not now)';
      return `${agentId}: ${code}${kind}: ${sentence}${fix === null ? '' : `. Fix: ${fix}`}`;
    }),
  );
}

/** A proxy in between may answer with something else; the status still says something. */
function parsed(text: string): Problem {
  try {
    const value: Problem | null = JSON.parse(text);
    return value ?? {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
