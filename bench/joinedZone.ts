import type { Commit } from '../domain/commit.ts';
import { isZoneEvent, type ZoneFact } from '../domain/events.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { Controller } from '../gateway/controller/controller.ts';
import { zoneMachine } from '../gateway/controller/zoneMachine.ts';
import { realClock } from '../infra/clock.ts';
import { zoneLog, type EventLog } from '../infra/log/port.ts';

/** A zone's real controller with one agent, and a way to make it write commits of an exact number of events. */
export interface JoinedZone {
  /** Submits so many one-event commands at once and waits for all answers: they make one commit. */
  group(events: number): Promise<void>;
  lastCommit(): Commit;
  stop(): Promise<void>;
}

export async function joinedZone(eventLog: EventLog, name: string): Promise<JoinedZone> {
  let last: Commit | null = null;
  let commands = 0;
  const controller = new Controller<ZoneState, ZoneCommand, ZoneFact>({
    log: zoneLog(name),
    eventLog,
    machine: zoneMachine,
    clock: realClock,
    newLogId: () => `bench-${name}`,
    onCommit: ({ commit }) => {
      last = commit;
    },
    onTrouble: (sentence, cause) => {
      throw new Error(sentence, { cause });
    },
  });
  const actor = { kind: 'operator', id: 'bench' } as const;

  async function submit(command: ZoneCommand): Promise<void> {
    commands += 1;
    const answer = await controller.submit({ key: `bench-${commands}`, recorded: true, actor, command });
    if (answer.kind === 'rejected') throw new Error(answer.rejection.message);
  }

  await controller.start();
  await submit({ type: 'JoinAgent', agentId: 'agent-1', hostname: 'bench', simulated: true });
  return {
    async group(events) {
      const before = controller.version;
      const batch = Array.from({ length: events }, (_, index): ZoneCommand => {
        // Every one differs from the one before, so that each is one event.
        const millicores = 1000 + ((commands + index) % 7919);
        return { type: 'SetAgentSettings', agentId: 'agent-1', millicores, confirm: true, ifVersion: null };
      });
      await Promise.all(batch.map(submit));
      const written = last?.events.filter(isZoneEvent).length ?? 0;
      if (controller.version !== before + 1 || written !== events) {
        throw new Error(`expected one commit of ${events} events, got ${controller.version - before} of ${written}`);
      }
    },
    lastCommit() {
      if (last === null) throw new Error('nothing was committed yet');
      return last;
    },
    stop: () => controller.stop(),
  };
}
