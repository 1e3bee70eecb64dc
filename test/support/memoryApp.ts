import type { ExecutionContext } from 'ava';
import type { FastifyInstance } from 'fastify';
import pino from 'pino';
import { Core } from '../../gateway/core/core.ts';
import { openAccess, type Access } from '../../gateway/auth/access.ts';
import { buildApp } from '../../gateway/http/app.ts';
import type { Edge } from '../../gateway/http/edge.ts';
import { LogReader } from '../../gateway/http/logReader.ts';
import { OutputUnavailable } from '../../gateway/output/errors.ts';
import { PruneRefused } from '../../gateway/prune/errors.ts';
import { createMetrics } from '../../gateway/http/metrics.ts';
import { LiveHub } from '../../gateway/live/hub.ts';
import { RecentChanges } from '../../gateway/live/recentChanges.ts';
import { realClock, type Clock } from '../../infra/clock.ts';
import { createMemorySecrets, sharedSecrets, type SharedSecrets } from '../../infra/secrets/memory.ts';
import type { EventRow } from '../../gateway/live/eventRows.ts';
import { utilizationView } from '../../projections/utilizationView.ts';
import { memoryCorePorts } from './corePorts.ts';
import type { ProblemBody } from './gateway.ts';

export const LOCAL_KEY = 'the-key-of-the-machine-under-test';
export const HOST = '127.0.0.1:8080';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Parsed JSON; null when there was no body, the text when it was no JSON. */
  readonly body: unknown;
  readonly text: string;
  /** `muster=…`, ready to be sent back; null when none was set. */
  readonly cookie: string | null;
}

export interface Asking {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Buffer;
  /** Shown as `Bearer`. */
  readonly key?: string;
  /** Sent as a browser sends it from our own page. */
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

export interface MemoryApp {
  readonly app: FastifyInstance;
  readonly core: Core;
  readonly access: Access;
  readonly edge: Edge;
  readonly secrets: SharedSecrets;
  /** Moves the time of sign-ins, keys and sessions on, in ms. */
  jump(ms: number): void;
  ask(method: string, path: string, asking?: Asking): Promise<Answer>;
  /** The same as the machine's administrator; throws when it is refused. */
  admin<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  /** An account that can sign in. */
  person(personId: string, role: string, password?: string): Promise<void>;
  /** The cookie of a browser that signed in by password. */
  signIn(account: string, password?: string): Promise<string>;
  /** The cookie of a browser that signed in by the machine's own link. */
  signInLocally(): Promise<string>;
}

export const PASSWORD = 'a password for the tests';

/** The whole HTTP edge on a core, a log and secrets in memory: nothing listens, and time of sign-ins is the test's. */
export async function memoryApp(t: ExecutionContext, lines: string[] = []): Promise<MemoryApp> {
  let offset = 0;
  const clock: Clock = { ...realClock, now: () => realClock.now() + offset };
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const ports = memoryCorePorts(realClock, (sentence, cause) => t.fail(`${sentence}: ${String(cause)}`));
  const core = new Core(ports);
  await core.start();
  const secrets = sharedSecrets();
  const store = createMemorySecrets(secrets);
  const access = await openAccess({
    dataDir: '/nowhere',
    adminKey: LOCAL_KEY,
    secrets: store,
    fleet: () => core.fleetProjection.state,
    clock,
    onTrouble: (sentence, cause) => log.warn({ err: cause }, sentence),
  });
  const edge: Edge = {
    core,
    eventLog: ports.eventLog,
    snapshots: ports.snapshots,
    secrets: store,
    clock,
    access,
    logs: { shown: { store: 'NATS JetStream', at: 'memory' }, offline: async () => ({ stream: 'none', how: 'wait' }) },
    live: new LiveHub(core, realClock, new RecentChanges()),
    output: {
      open: () => Promise.reject(new OutputUnavailable({ code: 'BUS_AWAY', sentence: 'there is no bus here' })),
      close: () => undefined,
    },
    prune: { ask: () => Promise.reject(new PruneRefused('BUS_AWAY', 'there is no bus here')), close: () => undefined },
    metrics: createMetrics(),
    logReader: new LogReader(ports.eventLog),
    history: { read: async (agentId, range, { bucketSeconds }) => utilizationView(agentId, range, bucketSeconds, []) },
    agentEvents: { page: async () => ({ events: [], next: null, since: null }) },
    capacity: { read: async () => ({ steps: [], changes: [], since: 0, thinnedTo: null }) },
    log,
    version: '0.0.0',
    simulated: false,
    authority: HOST,
    origin: `http://${HOST}`,
    dashboard: '/nowhere',
    notReady: () => null,
  };
  const app = await buildApp(edge);
  await app.ready();
  t.teardown(async () => {
    await app.close();
    await core.stop();
  });

  async function ask(method: string, path: string, asking: Asking = {}): Promise<Answer> {
    const { body, raw, key, cookie, headers = {}, address } = asking;
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await app.inject({
      method,
      url: path.startsWith('//') ? path.slice(1) : `/api/v1${path}`,
      headers: {
        host: HOST,
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(cookie === undefined ? {} : { cookie, origin: `http://${HOST}`, 'sec-fetch-site': 'same-origin' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload }),
      ...(address === undefined ? {} : { remoteAddress: address }),
    });
    const set = response.headers['set-cookie'];
    const cookieSet = (Array.isArray(set) ? set[0] : set)?.split(';')[0] ?? null;
    const text = response.payload;
    return { status: response.statusCode, headers: response.headers, body: parsed(text), text, cookie: cookieSet };
  }

  async function admin<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await ask(method, path, { key: LOCAL_KEY, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body as Body;
  }

  async function cookieOf(answering: Promise<Answer>): Promise<string> {
    const { cookie, status, text } = await answering;
    if (cookie === null) throw new Error(`no cookie: ${status} ${text}`);
    return cookie;
  }

  return {
    app,
    core,
    access,
    edge,
    secrets,
    jump(ms) {
      offset += ms;
    },
    ask,
    admin,
    async person(personId, role, password = PASSWORD) {
      await admin('POST', '/people', { personId, name: `Person ${personId}`, role });
      const { url } = await admin<{ readonly url: string }>('POST', `/people/${personId}/sign-in-link`);
      const { status, text } = await ask('POST', '/set-password', { body: { token: tokenOf(url), password } });
      if (status !== 204) throw new Error(`${status} ${text}`);
    },
    signIn: (account, password = PASSWORD) => cookieOf(ask('POST', '/sign-in', { body: { account, password } })),
    async signInLocally() {
      const { url } = await admin<{ readonly url: string }>('POST', '/sign-in-links');
      return await cookieOf(ask('POST', '/sign-in', { body: { token: tokenOf(url) } }));
    },
  };
}

/** `[409, 'LAST_ADMIN']`; the code is null where there is none. */
export function codeOf({ status, body }: Answer): readonly [number, string | null] {
  return [status, (body as Partial<ProblemBody> | null)?.code ?? null];
}

/** The first place that is wrong. */
export function fieldOf({ body }: Answer): string | undefined {
  return (body as ProblemBody).errors?.[0]?.path;
}

/** The token of a link with which the person sets a password. */
export async function linkFor(muster: MemoryApp, personId: string): Promise<string> {
  return tokenOf((await muster.admin<{ readonly url: string }>('POST', `/people/${personId}/sign-in-link`)).url);
}

export async function fleetEvents(muster: MemoryApp): Promise<readonly EventRow[]> {
  return (await muster.admin<{ readonly events: readonly EventRow[] }>('GET', '/events?log=fleet&limit=1000')).events;
}

/** What stands behind `#sign-in=` or `#set-password=`. */
export function tokenOf(url: string): string {
  return new URL(url).hash.split('=')[1] ?? '';
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
