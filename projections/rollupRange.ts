import { COARSER, FINE, RESOLUTIONS, startOf, type Resolution } from './rollup.ts';

/** A stretch of the history that is asked for, in ms since 1970, both ends included. */
export interface Range {
  readonly since: number;
  readonly until: number;
}

/** More points than this are never answered; 24 h at 10 s are 8,640, 400 d at 1 h 9,600. */
export const MOST_POINTS = 12_000;
/** So many are enough to draw, and chosen when nobody says how fine it has to be. */
const ENOUGH_POINTS = 1500;

export function pointsIn({ since, until }: Range, { bucketSeconds }: Resolution): number {
  return Math.floor((until - since) / (bucketSeconds * 1000)) + 1;
}

export function resolutionOf(bucketSeconds: number): Resolution | null {
  return RESOLUTIONS.find((resolution) => resolution.bucketSeconds === bucketSeconds) ?? null;
}

/** The finest that is still kept for the whole range and does not answer more points than can be drawn. */
export function resolutionFor(range: Range, now: number): Resolution {
  const fits = (resolution: Resolution) =>
    range.since >= now - resolution.keptSeconds * 1000 && pointsIn(range, resolution) <= ENOUGH_POINTS;
  return RESOLUTIONS.find(fits) ?? COARSER.at(-1) ?? FINE;
}

/** The starts, in ms, of the chunks that a range touches and that may still be kept. */
export function chunksIn({ since, until }: Range, resolution: Resolution, now: number): readonly number[] {
  const { chunkSeconds, keptSeconds } = resolution;
  const first = startOf(Math.max(0, since, now - keptSeconds * 1000), chunkSeconds);
  const last = startOf(Math.min(until, now), chunkSeconds);
  const chunks = Math.max(0, Math.floor((last - first) / (chunkSeconds * 1000)) + 1);
  return Array.from({ length: chunks }, (_, index) => first + index * chunkSeconds * 1000);
}
