/** The numbers with which EventStoreDB says what a writer expects of a stream, and what it has. */
export const ANY = -2;
export const NO_STREAM = -1;
export const STREAM_EXISTS = -4;

/** Stands for the 64-bit maximum: the number of the event that ends a tombstoned stream, and a soft deletion's `$tb`. */
export const DELETED = Number.MAX_SAFE_INTEGER;
const DELETED_ON_THE_WIRE = '9223372036854775807';

export function numberToWire(number: number): string {
  return number === DELETED ? DELETED_ON_THE_WIRE : String(number);
}
