import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import pino from 'pino';
import type { Explanation } from '../../domain/placement/explanation.ts';
import { openGateway, type Gateway } from '../../gateway/gateway.ts';
import type { EventRow } from '../../gateway/live/eventRows.ts';
import { readConfig } from '../../infra/config/config.ts';
import { freeLoopbackPort } from '../../infra/start/ports.ts';
import type { AgentView, SessionView } from '../../projections/views.ts';
import { startFakeAgent, type FakeAgent, type FakeAgentOptions } from './fakeAgent.ts';
import { temporaryFolder } from './folder.ts';
import { busGatewayVariables } from '../../infra/start/busSecrets.ts';
import { BUS_SECRETS, startNats, type TestNats } from './nats.ts';
import { sharedKeyFile } from './secretsKey.ts';
import { until } from './until.ts';

export const ADMIN_KEY = 'a-key-of-the-gateway-tests';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; null when there was no body. Tests name the shape they expect. */
  readonly body: unknown;
}

export interface RequestOptions {
  readonly body?: unknown;
  /** Sent as it is, for what is no JSON. */
  readonly raw?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without the admin key. */
  readonly anonymous?: boolean;
}

/** A gateway's REST API as a test uses it. */
export interface Rest {
  readonly url: string;
  request(method: string, path: string, options?: RequestOptions): Promise<Reply>;
  /** The body of a GET that must succeed. */
  read<View>(path: string): Promise<View>;
  agent(agentId: string): Promise<AgentView>;
  readonly agents: () => Promise<readonly AgentView[]>;
  readonly sessions: () => Promise<readonly SessionView[]>;
  events(query?: string): Promise<readonly EventRow[]>;
  /** `PUT /images/<id>` with 1 CPU and 1 GiB unless said. */
  defineImage(imageId: string, changes?: object): Promise<void>;
}

export interface TestGateway extends Rest {
  readonly nats: TestNats;
  readonly dataDir: string;
  readonly gateway: Gateway;
  /** An agent that has checked in, was approved and is online. */
  agentOnline(options: FakeAgentOptions): Promise<FakeAgent>;
}

export interface StartAnswer {
  readonly session: SessionView;
  readonly placement: Explanation;
}

export interface ProblemBody {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly numbers?: Readonly<Record<string, number>>;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** The environment of a gateway on a bus of its own. */
export async function gatewayEnvironment(
  nats: Pick<TestNats, 'url'>,
  dataDir: string,
): Promise<Readonly<Record<string, string>>> {
  return {
    MUSTER_DATA: dataDir,
    MUSTER_SECRETS_KEY: sharedKeyFile(),
    MUSTER_HTTP: `127.0.0.1:${await freeLoopbackPort()}`,
    MUSTER_NATS_URL: nats.url,
    ...busGatewayVariables(BUS_SECRETS),
    MUSTER_ADMIN_KEY: ADMIN_KEY,
    MUSTER_LOG_LEVEL: 'silent',
  };
}

/** The real gateway in this process, on a real bus, with an empty log unless it goes on with an earlier one. */
export async function startGateway(
  t: ExecutionContext,
  earlier: {
    readonly nats?: TestNats;
    readonly dataDir?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<TestGateway> {
  const nats = earlier.nats ?? (await startNats());
  const dataDir = earlier.dataDir ?? join(await temporaryFolder(t), 'data');
  const config = readConfig({ ...(await gatewayEnvironment(nats, dataDir)), ...earlier.env });
  const log = pino({ level: config.logLevel });
  const gateway = await openGateway({ config, log, signal: new AbortController().signal });
  const agents: FakeAgent[] = [];
  t.teardown(async () => {
    for (const agent of agents) agent.stop();
    await gateway.stop();
    if (earlier.nats === undefined) await nats.stop();
  });
  const rest = restOf(gateway.url);
  return {
    ...rest,
    nats,
    dataDir,
    gateway,
    async agentOnline(options) {
      const agent = startFakeAgent(await nats.connect('app'), options);
      agents.push(agent);
      await untilOnline(rest, agent.agentId);
      return agent;
    },
  };
}

/** Has the gateway issue a manager token into a file, as an operator does for an agent elsewhere. */
export async function writeManagerToken(rest: Rest, path: string): Promise<void> {
  const { status, body } = await rest.request('POST', '/manager-tokens', { body: {} });
  if (status !== 201) throw new Error(JSON.stringify(body));
  const { text } = body as { readonly text: string };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${text}\n`, { mode: 0o600 });
}

/** Approves the agent once it has checked in, and waits until it is a candidate. */
export async function untilOnline(rest: Rest, agentId: string): Promise<void> {
  const has = (connectivity: string) => (agents: readonly AgentView[]) =>
    agents.some((agent) => agent.agentId === agentId && (connectivity === '' || agent.connectivity === connectivity));
  await until(`${agentId} pending`, rest.agents, has(''));
  await rest.request('POST', `/agents/${agentId}/approve`, { body: {} });
  await until(`${agentId} online`, rest.agents, has('online'));
}

export function restOf(url: string): Rest {
  async function request(method: string, path: string, options: RequestOptions = {}): Promise<Reply> {
    const { body, raw, headers = {}, anonymous = false } = options;
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(path.startsWith('/') ? `${url}/api/v1${path}` : path, {
      method,
      redirect: 'manual',
      headers: {
        ...(anonymous ? {} : { authorization: `Bearer ${ADMIN_KEY}` }),
        ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
    });
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
  }

  async function read<View>(path: string): Promise<View> {
    const { status, body } = await request('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body as View;
  }

  return {
    url,
    request,
    read,
    agent: (agentId) => read<AgentView>(`/agents/${agentId}`),
    agents: async () => (await read<{ readonly agents: readonly AgentView[] }>('/agents')).agents,
    sessions: async () => (await read<{ readonly sessions: readonly SessionView[] }>('/sessions')).sessions,
    events: async (query = '?limit=1000') =>
      (await read<{ readonly events: readonly EventRow[] }>(`/events${query}`)).events,
    async defineImage(imageId, changes = {}) {
      const body = { name: imageId, reference: 'busybox', cores: 1, memory: '1GiB', ...changes };
      const { status, body: answer } = await request('PUT', `/images/${imageId}`, { body });
      if (status >= 300) throw new Error(JSON.stringify(answer));
    },
  };
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
