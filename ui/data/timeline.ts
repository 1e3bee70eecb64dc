import { END_CAUSES } from '../../domain/endCauses.ts';
import type { AnyEvent } from '../../domain/events.ts';
import type { SessionView } from '../../projections/views.ts';
import { age, requestText } from './amounts.ts';
import { labelsSentence } from './labels.ts';

/** How a step went: each has a shape of its own on the page. */
export type StepTone = 'ok' | 'busy' | 'idle' | 'warn' | 'danger';

/** One thing that happened to a session, in words. */
export interface Step {
  readonly id: string;
  /** ISO 8601; null: it is happening now. */
  readonly at: string | null;
  readonly title: string;
  /** What there is to say beyond the title, each a sentence. */
  readonly details: readonly string[];
  /** `by admin`; null where the system did what follows from what was before. */
  readonly by: string | null;
  /** What somebody gave as their reason. */
  readonly reason: string | null;
  /** How long after the step before it, such as `4 s`; null: there is none before. */
  readonly after: string | null;
  readonly tone: StepTone;
}

/** A session's life from its own events, oldest first, and what it is doing now, if anything. */
export function timelineOf(session: SessionView, events: readonly AnyEvent[], nowMs: number): readonly Step[] {
  const steps: Step[] = [];
  let before: number | null = null;
  for (const event of events.filter(isOfSession)) {
    const atMs = Date.parse(event.occurredAt);
    steps.push({
      id: event.id,
      at: event.occurredAt,
      by: event.actor.kind === 'system' || event.actor.kind === 'agent' ? null : `by ${event.actor.id}`,
      reason: event.reason ?? null,
      after: before === null ? null : age(before, atMs),
      ...tellOf(event),
    });
    before = atMs;
  }
  const now = session.endedAt === null ? nowOf(session) : null;
  if (now !== null) {
    steps.push({
      id: 'now',
      at: null,
      by: null,
      reason: null,
      after: before === null ? null : age(before, nowMs),
      ...now,
    });
  }
  return steps;
}

type Told = Pick<Step, 'title' | 'details' | 'tone'>;

type OfSession = Extract<AnyEvent, { type: `Session${string}` | 'AgentDeclaredLost' }>;

function isOfSession(event: AnyEvent): event is OfSession {
  return event.type.startsWith('Session') || event.type === 'AgentDeclaredLost';
}

function tellOf(event: OfSession): Told {
  switch (event.type) {
    case 'SessionRequested': {
      const { image, priority, agentId, whenFull, maxWaitSeconds } = event.data;
      const labels = labelsSentence(image);
      const gpu =
        image.gpu.kind === 'none' ? null : image.gpu.kind === 'all' ? 'all GPUs of an agent' : `${image.gpu.count} GPU`;
      return told('Requested', 'idle', [
        `Image ${image.imageId}, revision ${image.revision}: ${requestText(image.millicores, image.memoryBytes, gpu)}.`,
        ...(labels === null ? [] : [labels]),
        ...(agentId === null ? [] : [`Only on ${agentId}.`]),
        ...(priority === 0 ? [] : [`Priority ${priority}.`]),
        ...(whenFull === 'fail' ? ['Refused at once when nothing has room.'] : []),
        ...(maxWaitSeconds === null ? [] : [`Waits for at most ${maxWaitSeconds} s.`]),
      ]);
    }
    case 'SessionWaiting':
      return told('Waits in line', 'warn', reasons(event.data.refusal));
    case 'SessionPlaced': {
      const { agentId, claim } = event.data;
      const gpus = claim.gpuUuids.length === 0 ? [] : [`Devices ${claim.gpuUuids.join(', ')}.`];
      return told(`Placed on ${agentId}`, 'idle', gpus);
    }
    case 'SessionRefused':
      return told('Refused', 'danger', reasons(event.data.refusal));
    case 'SessionCancelled':
      return told('Cancelled', 'idle', [capitalised(END_CAUSES[event.data.cause])]);
    case 'SessionStarting':
      return told(`Starting on ${event.data.agentId}`, 'idle', []);
    case 'SessionStarted':
      return told(`Started on ${event.data.agentId}`, 'ok', []);
    case 'SessionStartFailed':
      return told('Could not be started', 'danger', [`${capitalised(event.data.detail)} (${event.data.code})`]);
    case 'SessionStopRequested':
      return told('Stop requested', 'idle', [capitalised(END_CAUSES[event.data.cause])]);
    case 'SessionEnded': {
      const { cause, exitCode } = event.data;
      const bad = cause !== 'OPERATOR' && cause !== 'USER' && exitCode !== 0;
      return told('Ended', bad ? 'warn' : 'idle', [endText(cause, exitCode)]);
    }
    case 'AgentDeclaredLost':
      return told('Ended', 'warn', [capitalised(END_CAUSES.AGENT_LOST)]);
  }
}

/** What it does between its events, or is shown as while its agent is missing. */
function nowOf({ phase, sentence }: SessionView): Told | null {
  switch (phase) {
    case 'placed':
    case 'starting':
    case 'stopping':
      return told(sentence, 'busy', []);
    case 'waiting':
      return told('Still waits', 'busy', []);
    case 'running':
      return told(sentence, 'ok', []);
    case 'unknown':
      return told(sentence, 'warn', []);
    case 'ended':
    case 'refused':
    case 'cancelled':
      return null;
  }
}

function told(title: string, tone: StepTone, details: readonly string[]): Told {
  return { title, tone, details };
}

function endText(cause: keyof typeof END_CAUSES, exitCode: number | null): string {
  return `${capitalised(END_CAUSES[cause]).slice(0, -1)}${exitCode === null ? '' : `, exit code ${exitCode}`}.`;
}

function reasons({
  agents,
  codes,
  nearest,
}: {
  readonly agents: number;
  readonly codes: object;
  readonly nearest: readonly { readonly agentId: string; readonly sentence: string }[];
}): readonly string[] {
  if (agents === 0) return ['No agent had joined the zone.'];
  const counts = Object.entries(codes).map(([code, count]) => `${code} on ${String(count)}`);
  return [
    `${counts.join(', ')} of ${agents}.`,
    ...nearest.map(({ agentId, sentence }) => `Nearest: ${agentId}: ${sentence}.`),
  ];
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
