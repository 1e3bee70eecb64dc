import type { Actor } from '../../domain/events.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { AgentView, ImageView, SessionView, UtilizationView } from '../../projections/views.ts';
import { GatewayUnreachable, Problem, type ProblemDetails } from './problem.ts';

/** The REST calls of this page, one function each. They throw `Problem` or `GatewayUnreachable`, nothing else. */

const BASE = '/api/v1';

export interface Me {
  readonly actor: Actor;
  readonly role: string;
  readonly simulated: boolean;
  readonly version: string;
  readonly zones: readonly string[];
}

export interface OverrideChange {
  readonly coresOverride?: string | null;
  readonly memoryOverride?: string | null;
  readonly confirm?: boolean;
  readonly reason?: string;
}

export interface ImageBody {
  readonly name: string;
  readonly reference: string;
  readonly cores: string;
  readonly memory: string;
  readonly cpuMode: 'shares' | 'quota';
  readonly requireGpu: boolean;
  readonly gpuCount: number;
  readonly gpuModel?: string;
  readonly gpuMemory?: string;
  readonly ports: readonly { readonly containerPort: number; readonly protocol: 'tcp' | 'udp' }[];
  readonly shm?: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
}

export interface PlanBody {
  readonly imageId: string;
  readonly agentId?: string;
}

export interface StartBody extends PlanBody {
  readonly whenFull: 'queue' | 'fail';
}

export interface Started {
  readonly session: SessionView;
  readonly placement: Explanation;
}

export const whoAmI = (): Promise<Me> => call('GET', '/me');
export const signIn = (token: string): Promise<void> => call('POST', '/sign-in', { token });
export const signOut = (): Promise<void> => call('POST', '/sign-out');

export const approveAgent = (agentId: string): Promise<AgentView> => call('POST', `/agents/${agentId}/approve`, {});
export const setEnabled = (agentId: string, enabled: boolean): Promise<AgentView> =>
  call('POST', `/agents/${agentId}/${enabled ? 'enable' : 'disable'}`, {});
export const declareLost = (agentId: string, reason: string): Promise<AgentView> =>
  call('POST', `/agents/${agentId}/declare-lost`, { reason });
export const changeOverrides = (
  agentId: string,
  change: OverrideChange,
): Promise<{ readonly agent: AgentView; readonly echoes: readonly string[] }> =>
  call('PATCH', `/agents/${agentId}`, change);
export const utilizationOf = (agentId: string): Promise<UtilizationView> =>
  call('GET', `/agents/${agentId}/utilization?hours=24`);

export const saveImage = (
  imageId: string,
  body: ImageBody,
  revision: number | null,
): Promise<ImageView & { readonly echoes?: readonly string[] }> =>
  call(
    'PUT',
    `/images/${imageId}`,
    body,
    revision === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${revision}"` },
  );
export const retireImage = (imageId: string): Promise<void> => call('DELETE', `/images/${imageId}`);

export const planPlacement = (body: PlanBody, signal: AbortSignal): Promise<Explanation> =>
  call('POST', '/placement/plan', body, {}, signal);
/** The key makes a repeated request the same request: a lost answer never starts two sessions. */
export const startSession = (body: StartBody, key: string): Promise<Started> =>
  call('POST', '/sessions', body, { 'Idempotency-Key': key });
export const stopSession = (sessionId: string, reason: string): Promise<SessionView> =>
  call('DELETE', `/sessions/${sessionId}`, reason === '' ? {} : { reason });
export const placementOf = (sessionId: string): Promise<Explanation> => call('GET', `/sessions/${sessionId}/placement`);

/** `T` is the gateway's word: both ends are built from one commit, so the answer is not checked a second time here. */
async function call<T>(
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<T> {
  const response = await answer(BASE + path, {
    method,
    credentials: 'same-origin',
    headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  if (!response.ok) throw new Problem(problemFrom(response.status, text));
  const value: T = text === '' ? undefined : JSON.parse(text);
  return value;
}

async function answer(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new GatewayUnreachable(error);
  }
}

/** A proxy in between may answer with something that is no problem document; the status still says something. */
function problemFrom(status: number, text: string): ProblemDetails {
  const fallback = { status, code: `HTTP_${status}`, title: `The gateway answered ${status}`, detail: '' };
  try {
    const parsed: Partial<ProblemDetails> | null = JSON.parse(text);
    return { ...fallback, ...parsed };
  } catch (error) {
    if (error instanceof SyntaxError) return fallback;
    throw error;
  }
}
