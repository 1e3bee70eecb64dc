import type { DesiredDocument } from '../../domain/desired.ts';
import type { ZoneFact } from '../../domain/events.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import type { Clock } from '../../infra/clock.ts';
import { zoneLog, type EventLog, type StoredCommit } from '../../infra/log/port.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import { applyZoneCommit, emptyZoneProjection, type ZoneProjection } from '../../projections/zoneProjection.ts';
import { CheckInDesk } from '../controller/checkInDesk.ts';
import { Controller } from '../controller/controller.ts';
import { DesiredWriter } from '../controller/desiredWriter.ts';
import { zoneMachine } from '../controller/zoneMachine.ts';

/** What the core needs of the world; the simulation gives it a virtual one. */
export interface CorePorts {
  readonly eventLog: EventLog;
  readonly clock: Clock;
  readonly newLogId: () => string;
  readonly putDesired: (document: DesiredDocument) => Promise<unknown>;
  readonly checkInSeconds: number;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/** One zone in this gateway: its controller, what is shown of it, and the writer of its agents' desired documents. */
export interface Zone {
  readonly controller: Controller<ZoneState, ZoneCommand, ZoneFact>;
  readonly desk: CheckInDesk;
  readonly projection: ZoneProjection;
  readonly writer: DesiredWriter;
}

/** `onCommit` is called after the projection has folded the commit. */
export function makeZone(zone: string, ports: CorePorts, onCommit: (stored: StoredCommit) => void): Zone {
  const { eventLog, clock, newLogId, putDesired, checkInSeconds, onTrouble } = ports;
  const log = zoneLog(zone);
  const projection = emptyZoneProjection(zone, log);
  const documentOf = (agentId: string) =>
    projection.logId === null ? null : desiredDocumentOf(projection.state, agentId, projection.logId);
  const writer = new DesiredWriter({ documentOf, put: putDesired, clock, onTrouble });
  const controller = new Controller({
    log,
    eventLog,
    machine: zoneMachine,
    clock,
    newLogId,
    onTrouble,
    onCommit: (stored) => {
      applyZoneCommit(projection, stored.commit);
      for (const agentId of changedDocuments(projection, stored)) writer.changed(agentId);
      onCommit(stored);
    },
  });
  const desk = new CheckInDesk({ clock, checkInSeconds, controller, onTrouble });
  return { controller, desk, projection, writer };
}

/** The agents whose document the commit just folded has changed: among those that its events name. */
function changedDocuments({ state }: ZoneProjection, { commit }: StoredCommit): ReadonlySet<string> {
  const named = commit.events.flatMap(({ data }) => {
    if ('agentId' in data && data.agentId !== null) return [data.agentId];
    return [];
  });
  return new Set(named.filter((agentId) => state.agents.get(agentId)?.desiredVersion === commit.version));
}
