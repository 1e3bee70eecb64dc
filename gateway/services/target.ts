import { isId } from '../../domain/ids.ts';
import { FLEET_LOG, zoneLog } from '../../infra/log/port.ts';
import { FLEET_TARGET, requestSubjectShown } from '../../infra/names.ts';
import type { Core } from '../core/core.ts';
import { targetOf } from '../http/onBus.ts';
import { notFound } from '../http/problem.ts';
import { agentOr404, sessionOr404, zoneOr404 } from '../http/routes/find.ts';
import { unknownField, type Fields } from './message.ts';
import type { Operation } from './operations.ts';

/**
 * The fields of a message with what its subject says besides: of which zone or log it is asked. Throws the problem when
 * there is no such zone, or when agent or session are not in it.
 */
export function targeted(core: Core, operation: Operation, target: string | undefined, fields: Fields): Fields {
  const { bus } = operation;
  if (bus.kind === 'query' || target === undefined) return fields;
  if (bus.target === 'fleet' && target !== FLEET_TARGET) {
    const place = requestSubjectShown(bus.name, targetOf(bus));
    throw notFound('COMMAND_UNKNOWN', `${bus.name} is asked of the fleet as a whole: ${place}`);
  }
  if (bus.target === 'zone') requireInZone(core, zoneOr404(core, target).projection.log, namedIn(operation, fields));
  if (bus.fills === undefined) return fields;
  if (Object.hasOwn(fields, bus.fills)) throw unknownField(bus.fills, 'the subject says it');
  return { ...fields, [bus.fills]: bus.target === 'log' ? logOf(target) : target };
}

function logOf(target: string): string {
  return target === FLEET_TARGET ? FLEET_LOG : zoneLog(target);
}

/** What the command is about, not what it only mentions: on that the zone decides. */
function namedIn(operation: Operation, fields: Fields): Fields {
  const params = 'route' in operation ? operation.route.params : [];
  return Object.fromEntries(params.map((name) => [name, fields[name]]));
}

/** What is no id is refused by the route, and so is an agent that has joined no zone yet. */
function requireInZone(core: Core, log: string, { agentId, sessionId }: Fields): void {
  if (typeof sessionId === 'string' && isId(sessionId) && zoneLog(sessionOr404(core, sessionId).zone) !== log) {
    throw notFound('SESSION_UNKNOWN', `session "${sessionId}" is not in ${log}`);
  }
  if (typeof agentId !== 'string' || !isId(agentId)) return;
  const { intent, zone } = agentOr404(core, agentId);
  if (intent !== 'pending' && zoneLog(zone) !== log) {
    throw notFound('AGENT_UNKNOWN', `agent "${agentId}" is not in ${log}`);
  }
}
