import type { Actor, AnyEvent, FleetEvent } from '../../domain/events.ts';
import type { ManagerToken } from '../../domain/managerTokens/state.ts';
import type { Role } from '../../domain/people/role.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { ActivePruneMode, PruneReport } from '../../domain/pruning/record.ts';
import type {
  AccessKeyView,
  AgentHostView,
  AgentView,
  ImageView,
  PersonView,
  SessionView,
  UtilizationView,
} from '../../projections/views.ts';
import type { AgentEventsPage } from './agentEvents.ts';
import type { SettingChange } from './agentSettings.ts';
import type { PruneBody } from './pruning.ts';
import { GatewayUnreachable, Problem, type ProblemDetails } from './problem.ts';
import type { CapacityView, Span } from './agentHistory.ts';

/** The REST calls of this page, one function each. They throw `Problem` or `GatewayUnreachable`, nothing else. */

const BASE = '/api/v1';

export interface Me {
  readonly actor: Actor;
  /** Of the person; of the machine's administrator it is the account. */
  readonly name: string;
  readonly role: Role;
  /** Signs in by account and password: a person, and not the machine's administrator. */
  readonly hasPassword: boolean;
  /** Nobody can sign in by password yet who may let others in. */
  readonly firstAccountNeeded: boolean;
  readonly simulated: boolean;
  readonly version: string;
  readonly zones: readonly string[];
}

/** A browser in which somebody is signed in. Times are ISO 8601. */
export interface BrowserSession {
  readonly sessionId: string;
  readonly browser: string;
  readonly madeAt: string;
  readonly seenAt: string;
  readonly current: boolean;
}

/** Somebody who may sign in. Times are ISO 8601. */
export interface PersonRow extends PersonView {
  readonly hasPassword: boolean;
  /** Until when the link to set a password may be used; null: there is none. */
  readonly linkUntil: string | null;
  /** Until when no password of theirs is taken, after too many wrong ones. */
  readonly lockedUntil: string | null;
  readonly browserSessions: number;
  /** In a browser that is still signed in, to about ten minutes. */
  readonly seenAt: string | null;
}

export interface PersonBody {
  readonly personId: string;
  readonly name: string;
  readonly role: Role;
}

/** A link with which a person sets a password, once. */
export interface PasswordLink {
  readonly personId: string;
  readonly url: string;
  readonly expiresAt: string;
}

export interface KeyRow extends AccessKeyView {
  /** To the minute, on the gateway that answers, since it started. */
  readonly lastUsedAt: string | null;
}

export interface KeyBody {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: string | null;
}

/** `secret` is null when the request was repeated: it stood in the first answer, which was lost. */
export interface IssuedKey {
  readonly key: KeyRow;
  readonly secret: string | null;
}

/** What agents show to be admitted to the bus. Times are ISO 8601. */
export interface TokenRow extends ManagerToken {
  /** To the minute, on the gateway that answers, since it started. */
  readonly lastUsedAt: string | null;
}

/** `text` is null when the request was repeated: it stood in the first answer, which was lost. */
export interface IssuedToken {
  readonly managerToken: TokenRow;
  readonly text: string | null;
}

/** Who writes each log, as far as the gateway that answers knows. */
export interface LogsAnswer {
  readonly gatewayId: string;
  readonly logs: readonly {
    readonly log: string;
    readonly leader: string | null;
    /** Why the gateway that answers shows the log and does not write it. */
    readonly readOnly: string | null;
  }[];
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
  readonly includeLabels: readonly string[];
  readonly excludeLabels: readonly string[];
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
export const signInByLink = (token: string): Promise<void> => call('POST', '/sign-in', { token });
export const signInByPassword = (account: string, password: string): Promise<void> =>
  call('POST', '/sign-in', { account, password });
export const setPassword = (token: string, password: string): Promise<void> =>
  call('POST', '/set-password', { token, password });
export const changePassword = (current: string, password: string): Promise<void> =>
  call('PUT', '/me/password', { current, password });
export const mySessions = (): Promise<{ readonly sessions: readonly BrowserSession[] }> => call('GET', '/me/sessions');
export const endMySession = (sessionId: string): Promise<void> => call('DELETE', `/me/sessions/${sessionId}`);
export const endMySessions = (): Promise<void> => call('DELETE', '/me/sessions');
export const makeFirstAccount = (account: {
  readonly personId: string;
  readonly name: string;
  readonly password: string;
}): Promise<void> => call('POST', '/first-account', account);
export const signOut = (): Promise<void> => call('POST', '/sign-out');

export const listPeople = (): Promise<{ readonly people: readonly PersonRow[] }> => call('GET', '/people');
export const addPerson = (body: PersonBody, key: string): Promise<PersonRow> =>
  call('POST', '/people', body, { 'Idempotency-Key': key });
export const changeRole = (personId: string, role: Role, reason: string): Promise<PersonRow> =>
  call('PATCH', `/people/${personId}`, { role, ...reasonIn(reason) });
export const makePasswordLink = (personId: string): Promise<PasswordLink> =>
  call('POST', `/people/${personId}/sign-in-link`);
export const endSessionsOf = (personId: string): Promise<{ readonly ended: number }> =>
  call('DELETE', `/people/${personId}/browser-sessions`);
export const removePerson = (personId: string, reason: string): Promise<void> =>
  call('DELETE', `/people/${personId}`, reasonIn(reason));
export const listKeys = (): Promise<{ readonly keys: readonly KeyRow[] }> => call('GET', '/keys');
export const issueKey = (body: KeyBody, key: string): Promise<IssuedKey> =>
  call('POST', '/keys', body, { 'Idempotency-Key': key });
export const revokeKey = (keyId: string, reason: string): Promise<void> => call('DELETE', `/keys/${keyId}`, { reason });

export const listTokens = (): Promise<{ readonly managerTokens: readonly TokenRow[] }> =>
  call('GET', '/manager-tokens');
export const issueToken = (reason: string, key: string): Promise<IssuedToken> =>
  call('POST', '/manager-tokens', reasonIn(reason), { 'Idempotency-Key': key });
/** The last one is revoked by force only. */
export const revokeToken = (tokenId: string, reason: string, force: boolean): Promise<void> =>
  call('DELETE', `/manager-tokens/${tokenId}?force=${force}`, { reason });

/** With the fingerprint that was on the page, so that no other agent of that name is approved. */
export const approveAgent = ({ agentId, fingerprint }: AgentView): Promise<AgentView> =>
  call('POST', `/agents/${agentId}/approve`, fingerprint === null ? {} : { fingerprint });
export const setEnabled = (agentId: string, enabled: boolean, reason = ''): Promise<AgentView> =>
  call('POST', `/agents/${agentId}/${enabled ? 'enable' : 'disable'}`, reasonIn(reason));
export const declareLost = (agentId: string, reason: string): Promise<AgentView> =>
  call('POST', `/agents/${agentId}/declare-lost`, { reason });
export const revokeAgent = (agentId: string, reason: string): Promise<AgentView> =>
  call('POST', `/agents/${agentId}/revoke`, { reason });
export const removeAgent = (agentId: string): Promise<void> => call('DELETE', `/agents/${agentId}`);
export const changeOverrides = (
  agentId: string,
  change: OverrideChange,
): Promise<{ readonly agent: AgentView; readonly echoes: readonly string[] }> =>
  call('PATCH', `/agents/${agentId}`, change);
/** Only at the version of the settings that was on the page. */
export const changeSettings = (
  agentId: string,
  { reason, ...change }: SettingChange & { readonly reason: string },
  version: number,
): Promise<{ readonly agent: AgentView; readonly echoes: readonly string[] }> =>
  call('PATCH', `/agents/${agentId}`, { ...change, ...reasonIn(reason) }, { 'If-Match': `"${version}"` });
export const previewPrune = (agentId: string, mode: ActivePruneMode): Promise<PruneReport> =>
  call('GET', `/agents/${agentId}/prune?mode=${mode}`);
/** The key makes a repeated request the same request: after a lost answer it is told what was done. */
export const pruneNow = (agentId: string, { mode, reason }: PruneBody, key: string): Promise<PruneReport> =>
  call('POST', `/agents/${agentId}/prune`, { mode, ...reasonIn(reason) }, { 'Idempotency-Key': key });
/** Ms since 1970. */
export const utilizationIn = (agentId: string, { from, to }: Span): Promise<UtilizationView> =>
  call('GET', `/agents/${agentId}/utilization?since=${iso(from)}&until=${iso(to)}`);
export const capacityIn = (agentId: string, { from, to }: Span): Promise<CapacityView> =>
  call('GET', `/agents/${agentId}/capacity?since=${iso(from)}&until=${iso(to)}`);
export const agentEventsOf = (agentId: string, before: string | null): Promise<AgentEventsPage> =>
  call('GET', `/agents/${agentId}/events?limit=30${before === null ? '' : `&before=${before}`}`);
export const hostOf = (agentId: string): Promise<AgentHostView> => call('GET', `/agents/${agentId}/host`);

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
/** Only the revision that was on the page. */
export const retireImage = (imageId: string, revision: number): Promise<void> =>
  call('DELETE', `/images/${imageId}`, undefined, { 'If-Match': `"${revision}"` });

/** The same with how many agents fit, and how many of the others give each reason. */
export const countPlacement = (imageId: string): Promise<Explanation> =>
  call('POST', '/placement/plan', { imageId, counted: true });
export const planPlacement = (body: PlanBody, signal: AbortSignal): Promise<Explanation> =>
  call('POST', '/placement/plan', body, {}, signal);
/** The key makes a repeated request the same request: a lost answer never starts two sessions. */
export const startSession = (body: StartBody, key: string): Promise<Started> =>
  call('POST', '/sessions', body, { 'Idempotency-Key': key });
export const stopSession = (sessionId: string, reason: string): Promise<SessionView> =>
  call('DELETE', `/sessions/${sessionId}`, reasonIn(reason));
export const placementOf = (sessionId: string): Promise<Explanation> => call('GET', `/sessions/${sessionId}/placement`);

/** What happened to a session, oldest first, as far as the log reaches back. */
export const eventsOf = (
  sessionId: string,
): Promise<{ readonly events: readonly AnyEvent[]; readonly complete: boolean }> =>
  call('GET', `/sessions/${sessionId}/events`);

/** What a session prints, as server-sent events: the last lines, or all after a time. */
export async function openOutput(
  sessionId: string,
  after: string | null,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await answer(`${BASE}/sessions/${sessionId}/logs?follow=true&tail=1000`, {
    credentials: 'same-origin',
    headers: after === null ? {} : { 'Last-Event-ID': after },
    signal,
  });
  if (!response.ok) throw new Problem(problemFrom(response.status, await response.text()));
  if (response.body === null) throw new GatewayUnreachable(null);
  return response.body;
}

/** Why the gateway cannot decide anything just now, as it says itself; null: it can. */
export async function whyNotReady(): Promise<string | null> {
  const response = await answer('/readyz', { credentials: 'same-origin' });
  if (response.ok) return null;
  const text = await response.text();
  try {
    const said: { readonly why?: string } = JSON.parse(text);
    return said.why ?? `it answers ${response.status}`;
  } catch (error) {
    // A proxy in between has its own words.
    if (error instanceof SyntaxError) return `it answers ${response.status}`;
    throw error;
  }
}
/** The last events of the fleet's log, oldest first. */
export const lastFleetEvents = (count: number): Promise<{ readonly events: readonly FleetEvent[] }> =>
  call('GET', `/events?log=fleet&last=${count}`);
export const listLogs = (): Promise<LogsAnswer> => call('GET', '/logs');

/** A reason that was not given is left out. */
function reasonIn(reason: string): { readonly reason?: string } {
  return reason === '' ? {} : { reason };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

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
