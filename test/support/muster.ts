import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { AgentView, SessionView } from '../../projections/views.ts';
import { freeLoopbackPort } from '../../infra/start/ports.ts';
import { TEST_GPU_UUIDS } from './engine.ts';
import { fakeNvidiaSmi } from './nvidiaSmi.ts';
import { temporaryFolder } from './folder.ts';
import { startProgram, type Program } from './program.ts';
import { until } from './until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN_MS = 60_000;

/** The whole product, started as an operator starts it, on data of its own. */
export interface RunningMuster {
  readonly url: string;
  readonly key: string;
  readonly dataDir: string;
  readonly signInUrl: string;
  readonly program: Program;
  /** One HTTP request with the admin key; the body of the answer as JSON. */
  request(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
  agents(): Promise<readonly AgentView[]>;
  /** The agent of this machine. */
  agent(): Promise<AgentView>;
  session(sessionId: string): Promise<SessionView>;
  /** Polls the session until it is as wanted. */
  untilSession(sessionId: string, wanted: (session: SessionView) => boolean): Promise<SessionView>;
  /** The process of one part: `gateway/main.ts`, `agent/main.ts`. */
  pidOf(part: string): Promise<number>;
}

export interface MusterOptions {
  readonly engineHost: string;
  /** Continue on the data of an earlier start. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  /** Undefined: not even what is set unless said. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** `npm start` without npm, with GPUs that the test engine can inject and the driver's program pretends to list. */
export async function startMuster(t: ExecutionContext, options: MusterOptions): Promise<RunningMuster> {
  const dataDir = options.dataDir ?? join(await temporaryFolder(t), 'data');
  const gpus = TEST_GPU_UUIDS.map((uuid) => ({ uuid }));
  const bin = await fakeNvidiaSmi(await temporaryFolder(t), gpus);
  const key = 'a-key-of-the-end-to-end-tests';
  const port = await freeLoopbackPort();
  const program = startProgram(
    t,
    process.execPath,
    [join(ROOT, 'infra/run.mjs'), 'infra/main.ts', ...(options.args ?? [])],
    {
      cwd: ROOT,
      env: {
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        MUSTER_DATA: dataDir,
        MUSTER_HTTP: `127.0.0.1:${port}`,
        MUSTER_ADMIN_KEY: key,
        MUSTER_AGENT_ID: 'this-machine',
        DOCKER_HOST: options.engineHost,
        ...options.env,
      },
    },
  );
  t.teardown(async () => {
    program.kill('SIGTERM');
    await program.ended;
  });
  const [, signInUrl = ''] = await withTimeout(program.says(/Sign in\s+(\S+)/), program);
  const url = `http://127.0.0.1:${port}`;

  async function request(method: string, path: string, body?: unknown) {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json: unknown = text === '' ? null : JSON.parse(text);
    return { status: response.status, body: json };
  }

  async function read<View>(path: string): Promise<View> {
    const { status, body } = await request('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body as View;
  }

  const session = (sessionId: string) => read<SessionView>(`/sessions/${sessionId}`);
  return {
    url,
    key,
    dataDir,
    signInUrl,
    program,
    request,
    agents: async () => (await read<{ readonly agents: readonly AgentView[] }>('/agents')).agents,
    agent: () => read<AgentView>('/agents/this-machine'),
    session,
    untilSession: (sessionId, wanted) => until(`session ${sessionId}`, () => session(sessionId), wanted),
    pidOf: (part) =>
      until(
        part,
        () => descendantRunning(program.pid, part),
        (pid) => pid !== null,
      ).then((pid) => pid ?? 0),
  };
}

/** What `POST /sessions` answers, and the problem it answers when it refuses. */
export interface StartAnswer {
  readonly session: SessionView;
  readonly placement: Explanation;
}

async function descendantRunning(ancestor: number, part: string): Promise<number | null> {
  const children = await childrenOf(ancestor);
  for (const pid of children) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(part)) return pid;
    const below = await descendantRunning(pid, part);
    if (below !== null) return below;
  }
  return null;
}

/** Every process below one; a process that ended meanwhile has none. */
export async function descendantsOf(pid: number): Promise<readonly number[]> {
  const children = await childrenOf(pid);
  const below = await Promise.all(children.map(descendantsOf));
  return [...children, ...below.flat()];
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

async function withTimeout<Value>(value: Promise<Value>, program: Program): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`not ready in time; it said:\n${program.output()}`)),
    READY_WITHIN_MS,
  );
  try {
    return await Promise.race([value, promise]);
  } finally {
    clearTimeout(timer);
  }
}
