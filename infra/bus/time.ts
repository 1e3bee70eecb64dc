import type { Clock } from '../clock.ts';
import { jetStreamApi } from './api.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';

/** A clock's time in ms since 1970, and how long it took to learn it. */
export type ForeignTime = { readonly ms: number; readonly withinMs: number };

/** The bus's own time: each description of a stream says when its leader gave it, also to those who may write nothing. */
export async function busTime(bus: Bus, clock: Pick<Clock, 'now'>, stream: string): Promise<ForeignTime> {
  const asked = clock.now();
  const { ts } = await jetStreamApi(bus, `STREAM.INFO.${stream}`);
  const withinMs = clock.now() - asked;
  const ms = typeof ts === 'string' ? Date.parse(ts) : Number.NaN;
  if (Number.isNaN(ms)) throw new BusError(BusErrorCode.Malformed, 'the bus does not tell its time');
  // Given between asking and the answer; the middle is the best guess of when.
  return { ms: ms + withinMs / 2, withinMs };
}
