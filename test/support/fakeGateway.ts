import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import type { AnyEvent } from '../../domain/events.ts';
import type { OutputEnd, OutputLine } from '../../domain/output.ts';
import type { Role } from '../../domain/people/role.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { ActivePruneMode } from '../../domain/pruning/record.ts';
import type { BrowserSession, ImageBody } from '../../ui/data/gateway.ts';
import { countAgent, countSession, emptyTotals, fleetTotals } from '../../projections/fleetTotals.ts';
import type { FleetTotals } from '../../projections/views.ts';
import type { LivePatch, LiveSnapshot } from '../../ui/data/fleet.ts';
import type { UtilizationView } from '../../projections/views.ts';
import type { SettingChange } from '../../ui/data/agentSettings.ts';
import type { AgentEventsPage } from '../../ui/data/agentEvents.ts';
import type { CapacityView } from '../../ui/data/agentHistory.ts';
import { agentEventsPage, capacityView, dayOfUse, hostRow } from '../../ui/gallery/agentRows.ts';
import { countedExplanation, imageRow, placedExplanation, sessionRow, snapshot } from '../../ui/gallery/fixtures.ts';
import { prunedAnswer, pruneAnswer } from '../../ui/gallery/pruneRows.ts';
import { runCommand } from '../../infra/tools/command.ts';
import { FakeAccess } from './fakeAccess.ts';

const NO_EVENTS: AgentEventsPage = { events: [], next: null, since: null };

/** The content security policy under which the dashboard must work. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const DOORS: ReadonlySet<string> = new Set(['/api/v1/sign-in', '/api/v1/set-password']);

/** An answer that a spec puts in place of the usual one, for the next such request or until taken away. */
export type Answer = { readonly status: number; readonly body: object };

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/**
 * Serves the built dashboard with canned data that a spec changes as it likes: a gateway without rules. It shows what
 * the page does with every answer; that the answers are right is the business of the real gateway's specs.
 */
export class FakeGateway {
  fleet: LiveSnapshot;
  signedIn = true;
  simulated = false;
  /** Who is signed in. */
  account = 'admin';
  role: Role = 'admin';
  firstAccountNeeded = false;
  /** Accounts that can sign in, with their passwords. */
  readonly passwords = new Map<string, string>();
  browsers: readonly BrowserSession[] = [];
  /** The page for people and keys. */
  readonly access = new FakeAccess();
  /** Tokens of sign-in links that still work. */
  readonly tokens = new Set<string>();
  plan: Explanation = placedExplanation();
  /** What happened to every session. */
  events: readonly AnyEvent[] = [];
  /** What every session prints at first; a spec sends more, and the end, with `print`. */
  output: readonly OutputLine[] = [];
  readonly #readers = new Set<ServerResponse>();
  /** Of whichever agent is asked for. */
  use: UtilizationView = dayOfUse(Date.now());
  capacity: CapacityView = capacityView(Date.now());
  /** The newest first; the others by their number, from 0, as `next` has it. */
  eventPages: readonly AgentEventsPage[] = [agentEventsPage(Date.now())];
  /** The answer to a plan that counts. */
  counted: Explanation = countedExplanation();
  fleetEvents: readonly AnyEvent[] = [];
  /** `POST /sessions` and the like: what to answer instead of the usual. */
  readonly answers = new Map<string, Answer>();
  readonly sent: Sent[] = [];
  readonly #live = new Set<ServerResponse>();
  readonly #app: FastifyInstance;
  url = '';

  constructor(fleet: LiveSnapshot, app: FastifyInstance) {
    this.fleet = fleet;
    this.#app = app;
  }

  async listen(folder: string): Promise<void> {
    const app = this.#app;
    app.addHook('onRequest', async (request, reply) => {
      reply.header('Content-Security-Policy', POLICY);
      const path = request.url.split('?')[0] ?? '';
      const open = DOORS.has(path) || !path.startsWith('/api/');
      if (!open && !this.signedIn)
        await refuse(reply, { status: 401, body: problem(401, 'SIGNED_OUT', 'Sign in first.') });
    });
    // Every request to the API is noted, and answered by the spec where it wants to.
    app.addHook('preHandler', async (request, reply) => {
      const path = (request.url.split('?')[0] ?? '').replace('/api/v1', '');
      if (request.method !== 'GET') this.sent.push({ method: request.method, path, body: request.body ?? null });
      const answer = this.answers.get(`${request.method} ${path}`);
      if (answer !== undefined) await refuse(reply, answer);
    });
    await app.register(fastifyStatic, { root: folder });
    this.#access(app);
    this.#agents(app);
    this.#imagesAndSessions(app);
    this.access.register(app);
    this.#liveStream(app);
    app.get('/api/v1/events', () => ({ events: this.fleetEvents, next: null }));
    app.get('/readyz', () => ({ status: 'ready' }));
    app.get('/api/v1/logs', () => ({
      gatewayId: 'gateway-1',
      logs: [
        { log: 'fleet', leader: 'gateway-1', readOnly: null },
        { log: 'zone-default', leader: null, readOnly: null },
      ],
    }));
    this.url = await app.listen({ host: '127.0.0.1', port: 0 });
  }

  /** Sends rows down every live stream, and keeps them for the next snapshot. */
  patch(change: Omit<LivePatch, 'serverTime'>): void {
    const serverTime = new Date().toISOString();
    const rows: LivePatch = { ...change, serverTime };
    this.fleet = {
      ...this.fleet,
      agents: replaced(this.fleet.agents, rows.agents ?? [], (row) => row.agentId).filter(
        (agent) => !(rows.removedAgents ?? []).includes(agent.agentId),
      ),
      sessions: replaced(this.fleet.sessions, rows.sessions ?? [], (row) => row.sessionId),
      images: replaced(this.fleet.images, rows.images ?? [], (row) => row.imageId).filter(
        (image) => !(rows.removedImages ?? []).includes(image.imageId),
      ),
      zones: replaced(this.fleet.zones, rows.zones ?? [], (row) => row.zone),
      changes: rows.changes ?? this.fleet.changes,
    };
    for (const stream of this.#live) send(stream, 'patch', { ...rows, totals: totalsOf(this.fleet) });
  }

  /** Cuts every live stream, as a network does. */
  cutLive(): void {
    for (const stream of this.#live) stream.destroy();
    this.#live.clear();
  }

  sentTo(method: string, path: string): readonly unknown[] {
    return this.sent.filter((each) => each.method === method && each.path === path).map((each) => each.body);
  }

  async close(): Promise<void> {
    this.cutLive();
    this.print(null);
    await this.#app.close();
  }

  #access(app: FastifyInstance): void {
    type Body = { readonly token?: string; readonly account?: string; readonly password?: string };
    app.post<{ Body: Body }>('/api/v1/sign-in', async (request, reply) => {
      const { token, account = '', password = '' } = request.body;
      this.signedIn = token === undefined ? this.passwords.get(account) === password : this.tokens.delete(token);
      if (this.signedIn) return reply.status(204).send();
      const [code, detail] =
        token === undefined
          ? (['SIGN_IN_WRONG', 'account or password is wrong'] as const)
          : (['LINK_USED', 'This sign-in link was used already or is too old.'] as const);
      return refuse(reply, { status: 401, body: problem(401, code, detail) });
    });
    app.post<{ Body: Body }>('/api/v1/set-password', async (request, reply) => {
      this.signedIn = this.tokens.delete(request.body.token ?? '');
      if (this.signedIn) return reply.status(204).send();
      return refuse(reply, { status: 401, body: problem(401, 'SIGN_IN_LINK_INVALID', 'this link was used before') });
    });
    app.post<{ Body: { readonly personId: string } }>('/api/v1/first-account', async (request, reply) => {
      this.account = request.body.personId;
      this.firstAccountNeeded = false;
      return reply.status(201).send({});
    });
    app.post('/api/v1/sign-out', async (_request, reply) => {
      this.signedIn = false;
      return reply.status(204).send();
    });
    app.put('/api/v1/me/password', (_request, reply) => reply.status(204).send());
    app.get('/api/v1/me/sessions', () => ({ sessions: this.browsers }));
    app.delete('/api/v1/me/sessions', async (_request, reply) => {
      this.signedIn = false;
      return reply.status(204).send();
    });
    app.delete<{ Params: { id: string } }>('/api/v1/me/sessions/:id', async (request, reply) => {
      this.browsers = this.browsers.filter(({ sessionId }) => sessionId !== request.params.id);
      return reply.status(204).send();
    });
    app.get('/api/v1/me', () => ({
      actor: { kind: 'operator', id: this.account },
      name: this.account,
      role: this.role,
      hasPassword: this.passwords.has(this.account),
      by: 'cookie',
      firstAccountNeeded: this.firstAccountNeeded,
      simulated: this.simulated,
      version: '0.2.0',
      zones: ['default'],
    }));
  }

  #agents(app: FastifyInstance): void {
    const found = (agentId: string) => {
      const agent = this.fleet.agents.find((each) => each.agentId === agentId);
      if (agent === undefined) throw new Error(`no agent ${agentId}`);
      return agent;
    };
    for (const [verb, intent] of [
      ['approve', 'enabled'],
      ['enable', 'enabled'],
      ['disable', 'disabled'],
    ] as const) {
      app.post<{ Params: { id: string } }>(`/api/v1/agents/:id/${verb}`, (request) => {
        const agent = { ...found(request.params.id), intent, zone: 'default', sentence: `It was asked to ${verb}.` };
        this.patch({ agents: [agent] });
        return agent;
      });
    }
    app.post<{ Params: { id: string } }>('/api/v1/agents/:id/declare-lost', (request) => {
      const agent = {
        ...found(request.params.id),
        connectivity: 'lost' as const,
        sessions: 0,
        sentence: 'Declared lost.',
      };
      this.patch({ agents: [agent] });
      return agent;
    });
    app.post<{ Params: { id: string } }>('/api/v1/agents/:id/revoke', (request) => {
      const revokedAt = new Date().toISOString();
      const agent = {
        ...found(request.params.id),
        intent: 'revoked' as const,
        revokedAt,
        sessions: 0,
        sentence: 'Revoked.',
      };
      this.patch({ agents: [agent] });
      return agent;
    });
    app.delete<{ Params: { id: string } }>('/api/v1/agents/:id', (request, reply) => {
      this.patch({ removedAgents: [request.params.id] });
      return reply.code(204).send();
    });
    app.patch<{ Params: { id: string }; Body: SettingChange }>('/api/v1/agents/:id', (request) => {
      const before = found(request.params.id);
      const {
        enabled = before.intent === 'enabled',
        labels = before.labels,
        pruneMode = before.pruneMode,
      } = request.body;
      const intent = enabled ? ('enabled' as const) : ('disabled' as const);
      const agent = { ...before, intent, labels, pruneMode, settingsVersion: before.settingsVersion + 1 };
      this.patch({ agents: [agent] });
      return { agent, echoes: ['12 cores, x2.0 of 6 cores'] };
    });
    app.get<{ Querystring: { mode: ActivePruneMode } }>('/api/v1/agents/:id/prune', ({ query }) =>
      pruneAnswer(query.mode),
    );
    app.post<{ Body: { mode: ActivePruneMode } }>('/api/v1/agents/:id/prune', ({ body }) => prunedAnswer(body.mode));
    app.get<{ Params: { id: string } }>('/api/v1/agents/:id/utilization', (request) => ({
      ...this.use,
      agentId: request.params.id,
    }));
    app.get('/api/v1/agents/:id/capacity', () => this.capacity);
    app.get('/api/v1/agents/:id/host', () => hostRow({}, Date.now()));
    app.get<{ Querystring: { before?: string } }>('/api/v1/agents/:id/events', (request) => {
      const [first, ...older] = this.eventPages;
      return (request.query.before === undefined ? first : older[Number(request.query.before)]) ?? NO_EVENTS;
    });
  }

  #imagesAndSessions(app: FastifyInstance): void {
    app.put<{ Params: { id: string }; Body: ImageBody }>('/api/v1/images/:id', (request, reply) => {
      const { name, includeLabels, excludeLabels } = request.body;
      const known = this.fleet.images.find(({ imageId }) => imageId === request.params.id);
      const revision = (known?.revision ?? 0) + 1;
      const image = imageRow({
        ...known,
        imageId: request.params.id,
        name,
        includeLabels: [...includeLabels],
        excludeLabels: [...excludeLabels],
        revision,
      });
      return reply.status(known === undefined ? 201 : 200).send({ ...image, echoes: [] });
    });
    app.delete('/api/v1/images/:id', (_request, reply) => reply.status(204).send());
    app.post<{ Body: { counted?: boolean } }>('/api/v1/placement/plan', ({ body }) =>
      body.counted === true ? this.counted : this.plan,
    );
    app.post('/api/v1/sessions', (_request, reply) => {
      const started = sessionRow({
        sessionId: `s-${randomUUID().slice(0, 8)}`,
        phase: 'placed',
        agentId: this.plan.agentId,
        sentence: `Placed on ${this.plan.agentId}.`,
        endpoints: [],
        requestedAt: new Date().toISOString(),
        startedAt: null,
      });
      this.patch({ sessions: [started] });
      return reply.status(201).send({ session: started, placement: this.plan });
    });
    app.delete<{ Params: { id: string } }>('/api/v1/sessions/:id', (request, reply) => {
      const stopping = sessionRow({
        sessionId: request.params.id,
        phase: 'stopping',
        sentence: 'Stopping: an operator stopped it.',
      });
      this.patch({ sessions: [stopping] });
      return reply.status(202).send(stopping);
    });
    app.get('/api/v1/sessions/:id/placement', () => this.plan);
    app.get('/api/v1/sessions/:id/events', () => ({ events: this.events, complete: true }));
    app.get('/api/v1/sessions/:id/logs', (request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      reply.raw.flushHeaders();
      if (this.output.length > 0) send(reply.raw, 'lines', this.output);
      this.#readers.add(reply.raw);
      request.raw.once('close', () => this.#readers.delete(reply.raw));
    });
  }

  /** How many read what sessions print. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Every session prints this; `null` cuts the connections. */
  print(said: { readonly lines: readonly OutputLine[] } | { readonly end: OutputEnd } | null): void {
    for (const reader of this.#readers) {
      if (said === null) reader.destroy();
      else if ('lines' in said) send(reader, 'lines', said.lines);
      else send(reader, 'end', said.end);
    }
  }

  #liveStream(app: FastifyInstance): void {
    app.get('/api/v1/live', (request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      const totals = totalsOf(this.fleet);
      send(reply.raw, 'snapshot', { ...this.fleet, totals, serverTime: new Date().toISOString() });
      this.#live.add(reply.raw);
      request.raw.once('close', () => this.#live.delete(reply.raw));
    });
  }
}

/** Builds the dashboard into a folder of its own; the caller removes it. */
export async function buildDashboard(): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-ui-'));
  const built = await runCommand(process.execPath, ['ui/build.mjs', folder], { timeoutMs: 60_000 });
  if (built.code !== 0) throw new Error(`the dashboard does not build: ${built.stderr}${built.stdout}`);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

export async function startFakeGateway(folder: string, fleet: Partial<LiveSnapshot> = {}): Promise<FakeGateway> {
  const gateway = new FakeGateway(snapshot(fleet, Date.now()), fastify({ forceCloseConnections: true }));
  await gateway.listen(folder);
  return gateway;
}

export function problem(status: number, code: string, detail: string, extra: object = {}): object {
  return { type: `urn:muster:problem:${code}`, title: code, status, code, detail, ...extra };
}

async function refuse(reply: FastifyReply, { status, body }: Answer): Promise<void> {
  await reply.status(status).header('Content-Type', 'application/problem+json').send(JSON.stringify(body));
}

function totalsOf({ agents, sessions }: LiveSnapshot): FleetTotals {
  const book = emptyTotals();
  for (const agent of agents) countAgent(book, agent.agentId, agent);
  for (const session of sessions) countSession(book, session.sessionId, session);
  return fleetTotals(book);
}

function send(stream: ServerResponse, event: string, data: object): void {
  stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function replaced<T>(rows: readonly T[], changed: readonly T[], keyOf: (row: T) => string): readonly T[] {
  const keys = new Set(changed.map(keyOf));
  return [...changed, ...rows.filter((row) => !keys.has(keyOf(row)))];
}
