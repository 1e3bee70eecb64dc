import { EngineError, EngineErrorCode, explainEngineFailure, type EngineTask } from './errors.ts';

/**
 * Runs one call to the engine with a time limit, and turns whatever it throws into an `EngineError`. The signal ends
 * the request where the client can; the answer does not wait for that.
 */
export async function limited<T>(
  task: EngineTask,
  subject: string,
  limitMs: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(limitMs);
  const late = new Promise<never>((_resolve, reject) => {
    const message = `The container engine did not answer within ${limitMs / 1_000} s for ${subject}. Look at its load and its log.`;
    signal.addEventListener('abort', () => reject(new EngineError(EngineErrorCode.timeout, message)), { once: true });
  });
  try {
    return await Promise.race([call(signal), late]);
  } catch (error) {
    if (signal.aborted) await late;
    throw explainEngineFailure(error, task, subject);
  }
}

/** The answer, or undefined when the engine answered with one of these HTTP status codes. */
export async function unlessStatus<T>(codes: readonly number[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (codes.includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}

/** The HTTP status code that the engine refused a call with. */
export function statusOf(error: unknown): number | undefined {
  if (error instanceof EngineError) return statusOf(error.cause);
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** Lines of a stream. Unlike node:readline it throws when the stream breaks. */
export async function* linesOf(stream: AsyncIterable<string | Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let partial = '';
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (partial.trim() !== '') yield partial;
}
