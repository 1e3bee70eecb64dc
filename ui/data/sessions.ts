import { END_CAUSES } from '../../domain/endCauses.ts';
import type { AgentView, SessionPhase, SessionView } from '../../projections/views.ts';
import { age, counted, requestText } from './amounts.ts';

/** How serious a phase is. */
type PhaseTone = 'ok' | 'busy' | 'idle' | 'warn' | 'danger';

const TONES: Readonly<Record<SessionPhase, PhaseTone>> = {
  waiting: 'idle',
  placed: 'busy',
  starting: 'busy',
  running: 'ok',
  stopping: 'busy',
  ended: 'idle',
  refused: 'danger',
  cancelled: 'idle',
  unknown: 'warn',
};

export function toneOf({ phase, health }: SessionView): PhaseTone {
  return health === 'unhealthy' ? 'warn' : TONES[phase];
}

const STOPPABLE: ReadonlySet<SessionPhase> = new Set(['waiting', 'placed', 'starting', 'running', 'unknown']);

export function isStoppable({ phase }: SessionView): boolean {
  return STOPPABLE.has(phase);
}

/** A published port as the page shows it; `href` is null for what a browser cannot open. */
export interface EndpointLink {
  readonly text: string;
  readonly href: string | null;
}

/** Ports on which images usually speak TLS. */
const TLS_PORTS: ReadonlySet<number> = new Set([443, 6901, 8443]);

/** An address that means "every interface" is reached where this page was reached. */
export function endpointLinks(session: SessionView, pageHost: string): readonly EndpointLink[] {
  return session.endpoints.map((endpoint) => {
    const everywhere = endpoint.hostAddress === '0.0.0.0' || endpoint.hostAddress === '::';
    const host = everywhere ? pageHost : endpoint.hostAddress;
    const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
    const text = `${bracketed}:${endpoint.hostPort}`;
    const scheme = TLS_PORTS.has(endpoint.containerPort) ? 'https' : 'http';
    return { text, href: endpoint.protocol === 'tcp' ? `${scheme}://${text}/` : null };
  });
}

/** `GPU 0, GPU 1`, by the agent's index; a device that the agent no longer reports keeps the head of its UUID. */
export function devicesText(session: SessionView, agent: AgentView | undefined): string | null {
  const uuids = session.claim?.gpuUuids ?? [];
  if (uuids.length === 0) return null;
  return uuids
    .map((uuid) => {
      const device = agent?.gpus.find((gpu) => gpu.uuid === uuid);
      return device === undefined ? uuid.slice(0, 12) : `GPU ${device.index}`;
    })
    .join(', ');
}

export function claimText(session: SessionView): string | null {
  const { claim } = session;
  if (claim === null) return null;
  const gpus = claim.gpuUuids.length === 0 ? null : counted(claim.gpuUuids.length, 'GPU', 'GPUs');
  return requestText(claim.millicores, claim.memoryBytes, gpus);
}

/** How long it has been what it is: running since its start, over since its end, else since it was asked for. */
export function sessionAge(session: SessionView, nowMs: number): string {
  return age(Date.parse(session.endedAt ?? session.startedAt ?? session.requestedAt), nowMs);
}

/** What stopping does, so that nobody finds out afterwards. */
export function stopConsequences(session: SessionView): readonly string[] {
  if (session.phase === 'waiting') return ['It leaves the line.', 'It holds nothing, so nothing else changes.'];
  const held = claimText(session);
  return [
    `Its container on ${session.agentId ?? 'its agent'} is stopped, and what was not saved elsewhere is lost.`,
    ...(held === null ? [] : [`Its claim (${held}) is released once the agent shows that the container is gone.`]),
  ];
}

/** The sentence of the gateway, and for one that ended the cause in words when the sentence does not carry it. */
export function phaseText(session: SessionView): string {
  if (session.cause === null || session.sentence.includes(END_CAUSES[session.cause])) return session.sentence;
  return `${session.sentence} (${END_CAUSES[session.cause]})`;
}
