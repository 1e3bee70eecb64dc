import type { CheckIn, Health, ObservedPull } from '../domain/checkIn.ts';

/** What the newest check-in tells of a session and no event says. It is shown, and decides nothing. */
export interface SessionTelemetry {
  /** How far its image is, while that is being pulled. */
  readonly pull: ObservedPull | null;
  /** What the image's own health check says; null when it has none. */
  readonly health: Health | null;
}

/** By session, and only of those that there is something to tell of. */
export type TelemetryOfSessions = ReadonlyMap<string, SessionTelemetry>;

const NOTHING: TelemetryOfSessions = new Map();

export function telemetryOf({ sessions }: CheckIn): TelemetryOfSessions {
  const told = new Map<string, SessionTelemetry>();
  for (const { sessionId, pull = null, health = null } of sessions)
    if (pull !== null || health !== null) told.set(sessionId, { pull, health });
  return told.size === 0 ? NOTHING : told;
}

/** The sessions of which the later one tells something else. */
export function changedTelemetry(before: TelemetryOfSessions, after: TelemetryOfSessions): readonly string[] {
  const all = new Set([...before.keys(), ...after.keys()]);
  return [...all].filter((sessionId) => JSON.stringify(before.get(sessionId)) !== JSON.stringify(after.get(sessionId)));
}

/** `pulling its image, 45 % (3 of 7 layers), try 2` */
export function pullText({ layersDone, layersTotal, bytesDone, bytesTotal, attempt }: ObservedPull): string {
  const percent = bytesTotal === 0 ? '' : `${Math.floor((100 * Math.min(bytesDone, bytesTotal)) / bytesTotal)} % `;
  const layers = layersTotal === 0 ? '' : `${percent}(${layersDone} of ${layersTotal} layers)`;
  return ['pulling its image', layers, attempt === 1 ? '' : `try ${attempt}`].filter((part) => part !== '').join(', ');
}
