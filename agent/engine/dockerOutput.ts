import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { OutputLine } from '../../domain/output.ts';
import { limited, statusOf, unlessStatus } from './calls.ts';
import { LABEL_LOG, LABEL_SESSION } from './containerOptions.ts';
import { EngineError, EngineErrorCode, explainEngineFailure, isEngineTimeout } from './errors.ts';
import { OutputFrames } from './outputFrames.ts';
import type { OutputWanted } from './port.ts';

const ENDED_WITHIN_MS = 5000;

/** See `Engine.output`. */
export async function readOutput(
  docker: Docker,
  limitMs: number,
  wanted: OutputWanted,
  signal: AbortSignal,
): Promise<AsyncIterable<readonly OutputLine[]>> {
  const containerId = await containerOf(docker, limitMs, wanted);
  try {
    const stream = await limited('call', wanted.sessionId, limitMs, () => open(docker, containerId, wanted, signal));
    return pieces(stream, docker.getContainer(containerId), wanted, signal);
  } catch (error) {
    throw statusOf(error) === 404 ? gone(wanted.sessionId, error) : error;
  }
}

/** Found by both labels, so that no other container of this host is ever read, whatever is asked for. */
async function containerOf(docker: Docker, limitMs: number, { logId, sessionId }: OutputWanted): Promise<string> {
  const filters = { label: [`${LABEL_LOG}=${logId}`, `${LABEL_SESSION}=${sessionId}`] };
  const found = await limited('call', sessionId, limitMs, (abortSignal) =>
    docker.listContainers({ all: true, filters, abortSignal }),
  );
  const [container] = found;
  if (container === undefined) throw gone(sessionId);
  return container.Id;
}

function gone(sessionId: string, cause?: unknown): EngineError {
  const message = `The container of ${sessionId} is not there any more, and what it printed went with it.`;
  return new EngineError(EngineErrorCode.containerGone, message, cause);
}

function open(
  docker: Docker,
  containerId: string,
  { tail, after, follow }: OutputWanted,
  abortSignal: AbortSignal,
): Promise<Readable> {
  // The client's own `logs` holds all in memory unless it follows.
  const options = {
    path: `/containers/${containerId}/logs?`,
    method: 'GET',
    isStream: true,
    abortSignal,
    options: { stdout: true, stderr: true, timestamps: true, tail, follow, ...sinceOf(after) },
    statusCodes: { 200: true, 404: 'no such container', 409: 'being removed', 500: 'server error' },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options, (error: unknown, stream: unknown) => {
      if (stream instanceof Readable && error === null) resolve(stream);
      else reject(error instanceof Error ? error : new Error('the engine gave no stream', { cause: error }));
    });
  });
}

/** The engine takes seconds since 1970 with nine digits behind the point, and tells that moment too. */
function sinceOf(after: string | null): { readonly since?: string } {
  if (after === null) return {};
  const fraction = /\.(\d+)Z$/.exec(after)?.[1] ?? '';
  return { since: `${Math.floor(Date.parse(after) / 1000)}.${fraction.padEnd(9, '0').slice(0, 9)}` };
}

async function* pieces(
  stream: Readable,
  container: Docker.Container,
  wanted: OutputWanted,
  signal: AbortSignal,
): AsyncIterable<readonly OutputLine[]> {
  const { after, follow, sessionId } = wanted;
  const frames = new OutputFrames();
  const end = (): void => void stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const lines = frames.push(chunk).filter(({ at }) => after === null || at === null || at > after);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    if (!signal.aborted) throw explainEngineFailure(error, 'call', sessionId);
  } finally {
    signal.removeEventListener('abort', end);
    stream.destroy();
  }
  if (follow && !signal.aborted) await requireEnded(container, sessionId);
}

/**
 * An engine that is shut down ends the stream as if the container had ended; one whose container has ended says so a moment
 * later than it ends the stream.
 */
async function requireEnded(container: Docker.Container, sessionId: string): Promise<void> {
  try {
    await limited('call', sessionId, ENDED_WITHIN_MS, (abortSignal) =>
      unlessStatus([404], container.wait({ condition: 'not-running', abortSignal })),
    );
  } catch (error) {
    if (!isEngineTimeout(error)) throw error;
    const message = 'The container engine broke off what the session prints.';
    throw new EngineError(EngineErrorCode.engineDown, message, error);
  }
}
