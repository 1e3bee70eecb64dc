import fastifyStatic from '@fastify/static';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { LivePatch, LiveSnapshot } from '../../ui/data/fleet.ts';
import { imageRow, placedExplanation, sessionRow, snapshot, utilization } from '../../ui/gallery/fixtures.ts';
import { runCommand } from '../../infra/tools/command.ts';

/** The content security policy under which the dashboard must work. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

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
  /** Tokens of sign-in links that still work. */
  readonly tokens = new Set<string>();
  plan: Explanation = placedExplanation();
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
      const open = path === '/api/v1/sign-in' || !path.startsWith('/api/');
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
    this.#liveStream(app);
    this.url = await app.listen({ host: '127.0.0.1', port: 0 });
  }

  /** Sends rows down every live stream, and keeps them for the next snapshot. */
  patch(change: Omit<LivePatch, 'serverTime'>): void {
    const rows: LivePatch = { ...change, serverTime: new Date().toISOString() };
    this.fleet = {
      ...this.fleet,
      agents: replaced(this.fleet.agents, rows.agents ?? [], (row) => row.agentId),
      sessions: replaced(this.fleet.sessions, rows.sessions ?? [], (row) => row.sessionId),
      images: replaced(this.fleet.images, rows.images ?? [], (row) => row.imageId).filter(
        (image) => !(rows.removedImages ?? []).includes(image.imageId),
      ),
      zones: replaced(this.fleet.zones, rows.zones ?? [], (row) => row.zone),
    };
    for (const stream of this.#live) send(stream, 'patch', rows);
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
    await this.#app.close();
  }

  #access(app: FastifyInstance): void {
    app.post<{ Body: { token: string } }>('/api/v1/sign-in', async (request, reply) => {
      this.signedIn = this.tokens.delete(request.body.token);
      if (this.signedIn) return reply.status(204).send();
      return refuse(reply, {
        status: 401,
        body: problem(401, 'LINK_USED', 'This sign-in link was used already or is too old.'),
      });
    });
    app.post('/api/v1/sign-out', async (_request, reply) => {
      this.signedIn = false;
      return reply.status(204).send();
    });
    app.get('/api/v1/me', () => ({
      actor: { kind: 'operator', id: 'admin' },
      role: 'admin',
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
    app.patch<{ Params: { id: string } }>('/api/v1/agents/:id', (request) => ({
      agent: found(request.params.id),
      echoes: ['12 cores, x2.0 of 6 cores'],
    }));
    app.get<{ Params: { id: string } }>('/api/v1/agents/:id/utilization', (request) =>
      utilization(request.params.id, Date.now()),
    );
  }

  #imagesAndSessions(app: FastifyInstance): void {
    app.put<{ Params: { id: string }; Body: { name: string } }>('/api/v1/images/:id', (request, reply) => {
      const image = imageRow({ imageId: request.params.id, name: request.body.name });
      return reply.status(201).send({ ...image, echoes: [] });
    });
    app.delete('/api/v1/images/:id', (_request, reply) => reply.status(204).send());
    app.post('/api/v1/placement/plan', () => this.plan);
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
  }

  #liveStream(app: FastifyInstance): void {
    app.get('/api/v1/live', (request, reply) => {
      reply.hijack();
      reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      send(reply.raw, 'snapshot', { ...this.fleet, serverTime: new Date().toISOString() });
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

function send(stream: ServerResponse, event: string, data: object): void {
  stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function replaced<T>(rows: readonly T[], changed: readonly T[], keyOf: (row: T) => string): readonly T[] {
  const keys = new Set(changed.map(keyOf));
  return [...changed, ...rows.filter((row) => !keys.has(keyOf(row)))];
}
