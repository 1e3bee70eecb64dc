import { getMessage } from '../../infra/bus/api.ts';
import type { Bus } from '../../infra/bus/connect.ts';
import { CHECKINS_STREAM, checkInSubject } from '../../infra/names.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import { until } from './until.ts';

/** A message to the stream of check-ins: a subject, and what stands there. */
export type CheckInMessage = readonly [subject: string, body: string];

export function checkInMessage(checkIn: CheckIn): CheckInMessage {
  return [checkInSubject('default', checkIn.agentId), JSON.stringify(checkIn)];
}

/**
 * Publishes them in their order and resolves once the last one, and so each, is stored. The bus acknowledges no check-in, so
 * the stream is asked. Nobody else may write under the subject of the last one meanwhile.
 */
export async function storeCheckIns(bus: Bus, ...messages: readonly CheckInMessage[]): Promise<void> {
  const last = messages.at(-1);
  if (last === undefined) return;
  const [subject, body] = last;
  const stored = () => getMessage(bus, CHECKINS_STREAM, { last_by_subj: subject });
  const before = (await stored())?.sequence ?? 0;
  for (const [to, text] of messages) bus.connection.publish(to, text);
  await until(
    `${body.slice(0, 80)} stored under ${subject}`,
    stored,
    (message) => message !== null && message.sequence > before && Buffer.from(message.data).toString('utf8') === body,
  );
}
