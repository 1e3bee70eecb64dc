import { decideAgentSettings, decideJoin, decideLeave, decideLost } from '../agents/decide.ts';
import { decideCheckIn } from '../agents/decideCheckIn.ts';
import type { Decision } from '../decision.ts';
import type { ZoneFact } from '../events.ts';
import { decideSeal } from '../logs/seal.ts';
import { decideRequest, decideStop, decideWaiting } from '../sessions/decide.ts';
import { decideTime } from './decideTime.ts';
import type { ZoneCommand, ZoneContext } from './commands.ts';
import type { ZoneState } from './state.ts';

/** The only place that may say no. Reads the state, never changes it. */
export function decideZone(state: ZoneState, command: ZoneCommand, context: ZoneContext): Decision<ZoneFact> {
  switch (command.type) {
    case 'JoinAgent':
      return decideJoin(state, command);
    case 'LeaveAgent':
      return decideLeave(state, command);
    case 'SetAgentSettings':
      return decideAgentSettings(state, command);
    case 'RequestSession':
      return decideRequest(state, command);
    case 'StopSession':
      return decideStop(state, command);
    case 'DeclareAgentLost':
      return decideLost(state, command);
    case 'RecordCheckIn':
      return decideCheckIn(state, command.checkIn, context);
    case 'AdvanceTime':
      return decideTime(state, command, context);
    case 'PlaceWaiting':
      return decideWaiting(state);
    case 'SealLog':
      return decideSeal(state.epoch, context.version);
  }
}
