import type Docker from 'dockerode';
import { linesOf } from './calls.ts';
import { EngineError, EngineErrorCode, explainEngineFailure } from './errors.ts';
import type { PullOptions } from './port.ts';
import { foldPullLine, nothingPulled, parsePullLine, pullProgress } from './pullProgress.ts';

/** Pulls an image to its end. A pull may take hours, so it is silence that is limited and not the whole. */
export async function pullImage(
  docker: Docker,
  reference: string,
  silenceMs: number,
  options: PullOptions,
): Promise<void> {
  const silence = new AbortController();
  const onSilence = (): void =>
    silence.abort(
      new EngineError(
        EngineErrorCode.timeout,
        `Nothing of ${reference} arrived for ${silenceMs / 1_000} s. Check this host's network and try again.`,
      ),
    );
  const timer = setTimeout(onSilence, silenceMs);
  const abortSignal = AbortSignal.any([options.signal, silence.signal]);
  try {
    const stream = await docker.pull(reference, { abortSignal });
    let state = nothingPulled;
    for await (const text of linesOf(stream)) {
      timer.refresh();
      const line = parsePullLine(text);
      if (line.error !== undefined) throw explainEngineFailure(new Error(line.error), 'pull', reference);
      state = foldPullLine(state, line);
      options.onProgress(pullProgress(state));
    }
    abortSignal.throwIfAborted();
  } catch (error) {
    options.signal.throwIfAborted();
    throw explainEngineFailure(silence.signal.aborted ? silence.signal.reason : error, 'pull', reference);
  } finally {
    clearTimeout(timer);
  }
}
