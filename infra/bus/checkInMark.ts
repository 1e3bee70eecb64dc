import { z } from 'zod';

/**
 * Where a check-in stands on the bus. Its sequence alone does not tell: a stream that was made anew counts from 1 again, and
 * one that lost its end in a crash, since check-ins are not synced one by one, counts on from before.
 */
export const checkInMark = z.object({
  /** When the stream was made, which tells it from one made anew. */
  stream: z.string().min(1),
  sequence: z.int().min(1),
  /** The bus's time. */
  receivedAt: z.iso.datetime(),
});
export type CheckInMark = Readonly<z.infer<typeof checkInMark>>;

/**
 * Whether whoever has read up to `last` has read what stands at `mark`. A low sequence that was received later was given a
 * second time.
 */
export function isReadUpTo(mark: CheckInMark, last: CheckInMark): boolean {
  if (mark.stream === last.stream && mark.sequence > last.sequence) return false;
  return mark.receivedAt <= last.receivedAt;
}
