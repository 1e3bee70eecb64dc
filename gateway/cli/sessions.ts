import { setTimeout as pause } from 'node:timers/promises';
import type { Explanation } from '../../domain/placement/explanation.ts';
import { restSentence } from '../../domain/placement/restSentence.ts';
import { pullText } from '../../projections/sessionTelemetry.ts';
import type { AgentView, SessionView } from '../../projections/views.ts';
import { openClient, type Client } from './client.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { wholeNumber } from './numbers.ts';
import {
  age,
  complain,
  facts,
  print,
  printJson,
  table,
  withReason,
  type JsonOption,
  type ReasonOption,
} from './output.ts';
import { reasonLines } from './problemText.ts';

const LOOK_EVERY_MS = 300;
/** Agents, as many as a refusal names. */
const MOST_NAMED = 20;

export async function listSessions({ json, all }: JsonOption & { readonly all?: boolean }): Promise<void> {
  const client = await openClient();
  const answer = await client.call<{ readonly sessions: readonly SessionView[] }>('/sessions');
  if (json === true) return printJson(answer);
  const simulated = await simulatedAgents(client);
  const shown = answer.sessions.filter(({ endedAt }) => all === true || endedAt === null);
  const over = answer.sessions.length - shown.length;
  if (shown.length > 0)
    print(
      table(
        HEAD,
        shown.map((session) => row(session, simulated, Date.now())),
      ),
    );
  if (shown.length === 0) print('No session is live. `npx muster sessions start <image>` starts one.');
  if (over > 0) print(`${over} more ${over === 1 ? 'is' : 'are'} over; --all shows them`);
}

/** A large fleet is not asked for where all of its agents are real. */
async function simulatedAgents(client: Client): Promise<ReadonlySet<string>> {
  const me = await client.call<{ readonly simulated: boolean }>('/me');
  if (!me.simulated) return new Set();
  const { agents } = await client.call<{ readonly agents: readonly AgentView[] }>('/agents');
  return new Set(agents.filter((agent) => agent.simulated).map(({ agentId }) => agentId));
}

const HEAD = ['SESSION', 'IMAGE', 'PHASE', 'AGENT', 'GPUS', 'ENDPOINTS', 'REQUESTED'];

function row(session: SessionView, simulated: ReadonlySet<string>, now: number): readonly string[] {
  const { sessionId, imageId, agentId, claim, endpoints, requestedAt } = session;
  const on = agentId ?? '';
  return [
    sessionId,
    imageId,
    phaseText(session),
    simulated.has(on) ? `${on} (simulated)` : on,
    String(claim?.gpuUuids.length ?? ''),
    endpoints.map(({ hostAddress, hostPort }) => `${hostAddress}:${hostPort}`).join(' '),
    `${age(requestedAt, now)} ago`,
  ];
}

/** One word where that says it all. */
function phaseText({ phase, pull, health }: SessionView): string {
  if (pull !== null) return pullText(pull);
  return health === null ? phase : `${phase}, ${health}`;
}

export async function showSession(sessionId: string, { json }: JsonOption): Promise<void> {
  const session = await find(await openClient(), sessionId);
  if (json === true) return printJson(session);
  print(
    facts([
      ['session', session.sessionId],
      ['image', `${session.imageId}, revision ${session.imageRevision}`],
      ['digest', session.imageDigest ?? ''],
      ['phase', session.phase],
      ['state', session.sentence],
      ['agent', session.agentId ?? ''],
      ['GPUs', session.claim?.gpuUuids.join(', ') ?? ''],
      ['endpoints', session.endpoints.map((each) => `${each.hostAddress}:${each.hostPort}`).join(', ')],
      ['requested', `${session.requestedAt} by ${session.requestedBy.id}`],
      ['started', session.startedAt ?? ''],
      ['ended', session.endedAt ?? ''],
    ]),
  );
}

export interface StartOptions extends JsonOption, ReasonOption {
  readonly agent?: string;
  readonly priority?: string;
  readonly maxWait?: string;
  readonly fail?: boolean;
  readonly wait?: boolean;
  readonly key?: string;
}

interface Started {
  readonly session: SessionView;
  readonly placement: Explanation;
}

export async function startSession(imageId: string, options: StartOptions): Promise<void> {
  const client = await openClient();
  const body = withReason(options, {
    imageId,
    whenFull: options.fail === true ? 'fail' : 'queue',
    ...(options.agent === undefined ? {} : { agentId: options.agent }),
    ...(options.priority === undefined ? {} : { priority: wholeNumber('--priority', options.priority, -1000, 1000) }),
    ...(options.maxWait === undefined ? {} : { maxWaitSeconds: wholeNumber('--max-wait', options.maxWait) }),
  });
  const headers = options.key === undefined ? {} : { 'idempotency-key': options.key };
  const started = await client.call<Started>('/sessions', { method: 'POST', body, headers });
  const { sessionId } = started.session;
  const session =
    options.wait === true ? await untilRunning(client, started.session, options.json !== true) : started.session;
  if (options.json === true) printJson({ ...started, session });
  else print(`${sessionId}: ${session.sentence}`);
  if (options.wait === true && session.phase !== 'running') {
    throw new CliError(ExitCode.failure, `${sessionId} does not run: ${session.sentence}`);
  }
}

/**
 * Looks until the session runs or is over, through lost connections, and says every change of its phase on standard error.
 */
async function untilRunning(client: Client, from: SessionView, say: boolean): Promise<SessionView> {
  let session = from;
  let said = '';
  let away = false;
  while (session.endedAt === null && session.phase !== 'running') {
    if (say && session.sentence !== said) complain(session.sentence);
    said = session.sentence;
    await pause(LOOK_EVERY_MS);
    const seen = await findUnlessAway(client, session.sessionId);
    if (seen === null && !away) process.stderr.write('the connection was lost; trying again\n');
    away = seen === null;
    session = seen ?? session;
  }
  return session;
}

export async function stopSession(sessionId: string, options: JsonOption & ReasonOption): Promise<void> {
  const client = await openClient();
  const path = `/sessions/${encodeURIComponent(sessionId)}`;
  const session = await client.call<SessionView>(path, { method: 'DELETE', body: withReason(options) });
  if (options.json === true) return printJson(session);
  print(`${session.sessionId}: ${session.sentence}`);
}

/** Why it is where it is: each agent, best first, with the reasons of those that did not get it. */
export async function whySession(sessionId: string, { json }: JsonOption): Promise<void> {
  const client = await openClient();
  const explanation = await client.call<Explanation>(`/sessions/${encodeURIComponent(sessionId)}/placement`);
  if (json === true) return printJson(explanation);
  const { decision, agentId, gpuUuids } = explanation;
  const candidates = explanation.candidates.slice(0, MOST_NAMED);
  const gpus = gpuUuids.length === 0 ? '' : ` with ${gpuUuids.join(', ')}`;
  print(`${sessionId}: ${decision}${agentId === null ? '' : ` on ${agentId}`}${gpus}`);
  const fitting = candidates.filter(({ load }) => load !== null);
  for (const { agentId: id, outcome, load } of fitting) {
    print(`  ${id}: ${outcome}, would be loaded to ${Math.round((load ?? 0) * 100)} %`);
  }
  for (const line of reasonLines(candidates)) print(`  ${line}`);
  const isWhole = explanation.complete && candidates.length === explanation.candidates.length;
  const rest = restSentence({ ...explanation, candidates, complete: isWhole });
  if (rest !== null) print(`  ${rest}; --json names ${explanation.complete ? 'all' : explanation.candidates.length}`);
}

/** Null when no gateway answers: the session is in the log all the same. */
async function findUnlessAway(client: Client, sessionId: string): Promise<SessionView | null> {
  try {
    return await find(client, sessionId);
  } catch (error) {
    if (error instanceof CliError && error.code === ExitCode.unreachable) return null;
    throw error;
  }
}

function find(client: Client, sessionId: string): Promise<SessionView> {
  return client.call<SessionView>(`/sessions/${encodeURIComponent(sessionId)}`);
}
