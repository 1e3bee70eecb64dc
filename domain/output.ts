import * as z from 'zod';

/** What a session's program has printed. It is passed on as it comes, and kept nowhere but on the session's host. */

export const outputLine = z.object({
  /** ISO 8601 to the nanosecond, by the engine's clock; null when the engine did not tell. */
  at: z.string().max(40).nullable(),
  from: z.enum(['stdout', 'stderr']),
  text: z.string(),
  /** The line was too long, or is not over: the next one from the same place goes on with it. */
  goesOn: z.boolean(),
});
export type OutputLine = z.infer<typeof outputLine>;

/** Lines from the end that can be asked for at once; also what a page keeps. */
export const MOST_OUTPUT_LINES = 5000;

/** Why output ended. Stable: programs match on them. The first two are as it should be. */
export const OUTPUT_ENDS = [
  'COMPLETE',
  'CONTAINER_ENDED',
  'CONTAINER_GONE',
  'ENGINE_DOWN',
  'ENGINE_REFUSED',
  'OTHER_LOG',
  'TOO_MANY_READERS',
  'AGENT_STOPPING',
  'AGENT_NO_ANSWER',
  'AGENT_SILENT',
  'LINES_LOST',
  'BUS_AWAY',
  'GATEWAY_STOPPING',
] as const;
export type OutputEndCode = (typeof OUTPUT_ENDS)[number];

export const outputEnd = z.object({ code: z.enum(OUTPUT_ENDS), sentence: z.string().max(2000) });
/** `sentence` is for people: what happened, and what to do. */
export type OutputEnd = z.infer<typeof outputEnd>;
