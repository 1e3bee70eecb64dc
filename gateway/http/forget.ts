import { isSecretsUnavailable } from '../../infra/secrets/errors.ts';
import type { Edge } from './edge.ts';

/** Removes what opens nothing any more, now; while the store is away it stays, still opens nothing, and is swept later. */
export async function forgetNow({ log }: Edge, what: string, forget: () => Promise<unknown>): Promise<void> {
  try {
    await forget();
  } catch (error) {
    if (!isSecretsUnavailable(error)) log.warn({ err: error }, `${what} is still kept`);
  }
}
