import type { Clock } from '../clock.ts';
import {
  expiryWarning,
  isCertificateError,
  readCertificate,
  type Certificate,
  type CertificateFiles,
} from './certificate.ts';

export interface FollowOptions {
  readonly files: CertificateFiles;
  /** The one that is used now. */
  readonly current: Certificate;
  readonly clock: Clock;
  /** Called with each one that stands in the files afterwards. */
  readonly onNew: (certificate: Certificate) => void;
  readonly onWarning: (sentence: string) => void;
}

const LOOK_MS = 2000;
const WARN_AGAIN_MS = 86_400_000;

/**
 * Looks at the files every two seconds until `signal` aborts. Their content is compared, and not who wrote them when: they may be
 * replaced by renaming, by other links, or in place. What cannot be used is told, and the one from before stays in use; the
 * two files are rarely replaced at the same moment, so only what is still wrong at the next look is. An end that is near
 * is told once a day.
 */
export async function followCertificate(options: FollowOptions, signal: AbortSignal): Promise<void> {
  const { files, clock, onNew, onWarning } = options;
  let { current } = options;
  let lastProblem: string | null = null;
  let told: string | null = null;
  let warnedAt = -Infinity;

  function warnOfEnd(): void {
    const warning = expiryWarning(current.leaf, files.cert, clock.now());
    if (warning === null || clock.now() - warnedAt < WARN_AGAIN_MS) return;
    warnedAt = clock.now();
    onWarning(warning);
  }

  function tellProblem(problem: string): void {
    if (problem === lastProblem && problem !== told) {
      told = problem;
      onWarning(`${problem}; the certificate from before goes on`);
    }
    lastProblem = problem;
  }

  while (!signal.aborted) {
    warnOfEnd();
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      const found = await readCertificate(files);
      lastProblem = null;
      told = null;
      if (found.cert === current.cert && found.key === current.key) continue;
      current = found;
      warnedAt = -Infinity;
      onNew(found);
    } catch (error) {
      if (!isCertificateError(error)) throw error;
      tellProblem(error.message);
    }
  }
}
