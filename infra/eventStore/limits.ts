import { StoreError, StoreErrorCode } from './errors.ts';
import type { StoredEvent, StreamLimits } from './port.ts';

/** EventStoreDB's own names for what a stream's metadata limits. */
const NAMES = { maxAgeSeconds: '$maxAge', maxCount: '$maxCount', truncateBefore: '$tb' } as const;
type Limit = keyof typeof NAMES;
const LIMITS: readonly Limit[] = ['maxAgeSeconds', 'maxCount', 'truncateBefore'];

/** The limits that the last event of a metadata stream sets; null: there is none. */
export function limitsIn(standing: StoredEvent | null): StreamLimits {
  const data = dataOf(standing);
  const limits: { [name in Limit]?: number } = {};
  for (const limit of LIMITS) {
    const value = data[NAMES[limit]];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number') {
      throw new StoreError(StoreErrorCode.Malformed, `the metadata's ${NAMES[limit]} is ${typeof value}, not a number`);
    }
    limits[limit] = value;
  }
  return limits;
}

/** A stream's metadata with these limits; what else it says stays. */
export function metadataWith(standing: StoredEvent | null, limits: StreamLimits): Record<string, unknown> {
  const data: Record<string, unknown> = { ...dataOf(standing) };
  for (const limit of LIMITS) {
    if (limits[limit] !== undefined) data[NAMES[limit]] = limits[limit];
  }
  return data;
}

function dataOf(standing: StoredEvent | null): Readonly<Record<string, unknown>> {
  if (standing === null) return {};
  const { data } = standing;
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return { ...data };
  throw new StoreError(StoreErrorCode.Malformed, 'the metadata of the stream is not a JSON object');
}
