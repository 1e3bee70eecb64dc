import type { DesiredDocument } from '../../domain/desired.ts';
import type { ZoneFact } from '../../domain/events.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { zoneLog, type StoredCommit } from '../../infra/log/port.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import type { ZoneProjection } from '../../projections/zoneProjection.ts';
import { CheckInDesk } from '../controller/checkInDesk.ts';
import { DesiredWriter } from '../controller/desiredWriter.ts';
import type { Replica, Role } from '../controller/replica.ts';
import type { Patience } from '../controller/silence.ts';
import { zoneMachine } from '../controller/zoneMachine.ts';
import { zoneRules } from './foldRules.ts';
import { openLog, type LogPorts } from './openLog.ts';

/** What the core needs of the world; the simulation gives it a virtual one. */
export interface CorePorts extends LogPorts {
  /** Never with a lower version. `look`: read first what stands there, whatever this gateway has written. */
  readonly putDesired: (document: DesiredDocument, look: boolean) => Promise<unknown>;
  readonly patience: Patience;
}

/** One zone in this gateway: its log, what is shown of it, and what the gateway that leads it keeps for its agents. */
export interface Zone {
  readonly replica: Replica<ZoneState, ZoneCommand, ZoneFact, ZoneProjection>;
  readonly projection: ZoneProjection;
  readonly desk: CheckInDesk;
  readonly writer: DesiredWriter;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** One second has passed. */
  readonly tick: () => Promise<void>;
  /** Bus or log cannot be reached, or can again. */
  readonly setAway: (away: boolean) => void;
}

/** Why nobody's silence counts. */
type Deafness = 'not leading' | 'away' | 'stalled';

/** Within so many ticks the document of every agent is looked at once, should the bus have lost it. */
const LOOK_TICKS = 60;

/** `onCommit` is called after the projection has folded the commit. */
export function makeZone(zone: string, ports: CorePorts, onCommit: (stored: StoredCommit) => void): Zone {
  const { putDesired, patience, clock, onTrouble } = ports;
  const { replica, start, stop } = openLog<ZoneState, ZoneCommand, ZoneFact, ZoneProjection>(ports, {
    log: zoneLog(zone),
    machine: zoneMachine,
    rules: zoneRules(zone),
    onCommit: (stored) => {
      if (replica.role === 'leading') {
        for (const agentId of changedDocuments(replica.view, stored)) writer.changed(agentId);
      }
      for (const { type, data } of stored.commit.events) if (type === 'AgentLeft') desk.forget(data.agentId);
      onCommit(stored);
    },
    onRole: (role) => takeRole(role),
    onStall: (stalled) => setDeaf('stalled', stalled),
  });
  const documentOf = (agentId: string) =>
    replica.logId === null ? null : desiredDocumentOf(replica.view.state, agentId, replica.logId);
  const writer = new DesiredWriter({ documentOf, put: putDesired, clock, onTrouble });
  const desk = new CheckInDesk({
    clock,
    patience,
    state: () => replica.view.state,
    submit: (submission) => replica.submitHere(submission),
    onTrouble,
  });
  const deaf = new Set<Deafness>(['not leading']);
  /**
   * What cannot be heard is no silence; and what is heard while the log takes nothing cannot be recorded, so that nothing
   * may come due by it either. When the last reason is gone everybody gets a fresh window.
   */
  function setDeaf(why: Deafness, isSo: boolean): void {
    if (isSo) deaf.add(why);
    else deaf.delete(why);
    if (deaf.size === 0) desk.freshWindow();
    else desk.pause();
  }
  /** Whoever comes to lead looks after every document, since the one before may have ended between log and document. */
  function takeRole(role: Role): void {
    setDeaf('not leading', role !== 'leading');
    if (role !== 'leading') return;
    for (const agentId of replica.view.state.agents.keys()) writer.changed(agentId);
  }
  let ticks = 0;
  function lookAfterSome(): void {
    ticks += 1;
    let index = 0;
    for (const agentId of replica.view.state.agents.keys()) {
      if (index % LOOK_TICKS === ticks % LOOK_TICKS) writer.lookAfter(agentId);
      index += 1;
    }
  }
  return {
    async tick() {
      if (replica.role !== 'leading') return;
      lookAfterSome();
      await desk.tick();
    },
    setAway: (away) => setDeaf('away', away),
    replica,
    get projection() {
      return replica.view;
    },
    desk,
    writer,
    start,
    async stop() {
      await stop();
      await writer.stop();
    },
  };
}

/** The agents whose document the commit just folded has changed: among those that its events name. */
function changedDocuments({ state }: ZoneProjection, { commit }: StoredCommit): ReadonlySet<string> {
  const named = commit.events.flatMap(({ data }) => {
    if ('agentId' in data && data.agentId !== null) return [data.agentId];
    return [];
  });
  return new Set(named.filter((agentId) => state.agents.get(agentId)?.desiredVersion === commit.version));
}
