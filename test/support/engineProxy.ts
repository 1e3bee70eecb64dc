import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import type { TestEngine } from './engine.ts';

/** `before`: the engine has not heard of it. `during`: it has just heard. `after`: it has done it, and nobody knows. */
export type Moment = 'before' | 'during' | 'after';

/** The first call of this name from now on, or the first that begins after another one was answered. */
export interface HoldPoint {
  readonly call: string;
  readonly since?: string;
  readonly moment: Moment;
}

/** An engine's socket with somebody on the line, who knows each call by name and can keep one from arriving or returning. */
export interface EngineProxy {
  readonly host: string;
  /** Names of all calls since the last `hold`, in the order of their arrival. */
  readonly calls: readonly string[];
  /** Keeps one call for good. `reached` resolves when it has come to that point. */
  hold(point: HoldPoint | null): { readonly reached: Promise<void> };
}

const CALLS: readonly (readonly [method: string, path: RegExp, name: string])[] = [
  ['GET', /^\/info$/, 'read the facts'],
  ['GET', /^\/version$/, 'read the version'],
  ['GET', /^\/events\?/, 'follow the events'],
  ['GET', /^\/containers\/json\?.*muster\.log=/, 'list the containers of a log'],
  ['GET', /^\/containers\/json\?.*muster\.session=/, 'find the container of a session'],
  ['GET', /^\/containers\/json\?.*muster\.session"/, 'list what to measure'],
  ['GET', /^\/containers\/json/, 'list all containers'],
  ['GET', /^\/containers\/[^/]+\/json/, 'inspect the container'],
  ['GET', /^\/containers\/[^/]+\/stats/, 'measure the container'],
  ['GET', /^\/images\/json/, 'list all images'],
  ['GET', /^\/images\/.+\/json/, 'inspect the image'],
  ['POST', /^\/images\/create\?/, 'pull the image'],
  ['DELETE', /^\/images\//, 'remove the image'],
  ['GET', /^\/networks\/[^/]+$/, 'inspect a network'],
  ['POST', /^\/networks\/[^/]+\/connect/, 'join the second network'],
  ['POST', /^\/containers\/create/, 'create the container'],
  ['POST', /^\/containers\/[^/]+\/start/, 'start the container'],
  ['POST', /^\/containers\/[^/]+\/stop/, 'stop the container'],
  ['DELETE', /^\/containers\//, 'remove the container'],
];

export async function engineProxy(
  t: ExecutionContext,
  engine: Pick<TestEngine, 'host'>,
  folder: string,
): Promise<EngineProxy> {
  const socketPath = join(folder, 'engine.sock');
  const engineSocket = engine.host.slice('unix://'.length);
  const line = new Line();
  const server = createServer((asked, answer) => {
    void serve(asked, answer, engineSocket, line).catch((error: unknown) => {
      // A caller that was killed, or an engine's call cut with it, is what this is for.
      if (!answer.destroyed && !asked.destroyed) t.fail(`the line to the engine broke: ${String(error)}`);
      answer.destroy();
    });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    host: `unix://${socketPath}`,
    get calls() {
      return line.calls;
    },
    hold: (point) => ({ reached: line.hold(point) }),
  };
}

/** What is known of the calls, and which one is to be kept. */
class Line {
  calls: string[] = [];
  readonly #answered = new Set<string>();
  #point: HoldPoint | null = null;
  #reached = Promise.withResolvers<void>();

  hold(point: HoldPoint | null): Promise<void> {
    this.calls = [];
    this.#answered.clear();
    this.#point = point;
    this.#reached = Promise.withResolvers<void>();
    return this.#reached.promise;
  }

  /** Where to keep the call that begins now; only one call is ever kept. Null: it goes through. */
  begin(call: string): { readonly moment: Moment; readonly reached: () => void } | null {
    this.calls.push(call);
    const point = this.#point;
    if (point === null || point.call !== call) return null;
    if (point.since !== undefined && !this.#answered.has(point.since)) return null;
    this.#point = null;
    return { moment: point.moment, reached: this.#reached.resolve };
  }

  answered(call: string): void {
    this.#answered.add(call);
  }
}

async function serve(asked: IncomingMessage, answer: ServerResponse, socketPath: string, line: Line): Promise<void> {
  const call = nameOf(asked);
  const kept = line.begin(call);
  const body = await buffer(asked);
  if (kept?.moment === 'before') return kept.reached();
  const asking = request({ socketPath, method: asked.method, path: asked.url, headers: asked.headers, agent: false });
  answer.once('close', () => asking.destroy());
  asking.end(body);
  if (kept?.moment === 'during') {
    await once(asking, 'finish');
    asking.on('error', () => {});
    return kept.reached();
  }
  const [told] = (await once(asking, 'response')) as [IncomingMessage];
  if (kept !== null) {
    await buffer(told);
    return kept.reached();
  }
  line.answered(call);
  answer.writeHead(told.statusCode ?? 500, told.headers);
  answer.flushHeaders();
  told.on('error', () => answer.destroy());
  told.pipe(answer);
}

function nameOf({ method = '', url = '' }: IncomingMessage): string {
  const path = decodeURIComponent(url).replace(/^\/v[\d.]+/, '');
  const known = CALLS.find(([verb, pattern]) => verb === method && pattern.test(path));
  return known?.[2] ?? `${method} ${path}`;
}
