import { checkIn as checkInSchema, type CheckIn } from '../../domain/checkIn.ts';
import { CHECKINS_STREAM, checkInPlace, checkInSubject } from '../names.ts';
import { jetStreamApi, objectIn, sequenceOf } from './api.ts';
import { AgentBudget } from './agentBudget.ts';
import type { Bus } from './connect.ts';
import { parseJson } from './json.ts';
import { orderedMessages, type StreamMessage } from './ordered.ts';

/** A check-in as it was received. `receivedAt` is the bus's time, the only one that counts for silence. */
export interface ReceivedCheckIn {
  readonly checkIn: CheckIn;
  readonly zone: string;
  readonly receivedAt: string;
}

/** A message among the check-ins that is none. */
export interface MalformedCheckIn {
  readonly subject: string;
  readonly receivedAt: string;
  readonly problem: string;
  /** The agent that has said more than it may; it was not even looked at. */
  readonly flooding?: string;
}

const READ_ATTEMPTS = 20;

/**
 * Sends an agent's check-in and tells whether it was sent. While the connection is away nothing is sent or kept: the next
 * check-in says everything that this one would have.
 */
export function publishCheckIn(bus: Bus, zone: string, checkIn: CheckIn): boolean {
  if (!bus.isConnected()) return false;
  bus.connection.publish(checkInSubject(zone, checkIn.agentId), Buffer.from(JSON.stringify(checkIn)));
  return true;
}

/**
 * First the latest check-in of every agent, then each as it arrives, until `signal` aborts. After a lost connection it
 * goes on with the latest of every agent, where that is a new one: check-ins are not synced one by one, so a bus that
 * crashed may have lost the last of them and counts on from before. A handler that returns a promise holds up the next call.
 */
export async function followCheckIns(
  bus: Bus,
  options: {
    readonly onCheckIn: (received: ReceivedCheckIn) => void | Promise<void>;
    readonly onMalformed: (malformed: MalformedCheckIn) => void;
    readonly budget?: AgentBudget;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { budget = new AgentBudget() } = options;
  const latest = new Map<string, string>();
  const messages = orderedMessages(bus, {
    stream: CHECKINS_STREAM,
    start: { kind: 'last-per-subject' },
    resume: 'as-at-start',
    signal: options.signal,
  });
  for await (const message of messages) {
    const identity = `${message.sequence} ${message.storedAt}`;
    if (latest.get(message.subject) === identity) continue;
    latest.set(message.subject, identity);
    const result = checkInWithin(budget, message);
    if ('problem' in result) options.onMalformed(result);
    else await options.onCheckIn(result);
  }
}

/** The stored check-ins received since a time, in order, up to the last one at the time of the call. Malformed ones are left out. */
export async function* readCheckIns(
  bus: Bus,
  options: { readonly since: string; readonly signal: AbortSignal },
): AsyncGenerator<ReceivedCheckIn> {
  const info = await jetStreamApi(bus, `STREAM.INFO.${CHECKINS_STREAM}`);
  const upTo = sequenceOf(objectIn(info, 'state'), 'last_seq');
  const start = { kind: 'since', time: options.since } as const;
  const { signal } = options;
  const budget = new AgentBudget();
  for await (const message of orderedMessages(bus, {
    stream: CHECKINS_STREAM,
    start,
    upTo,
    signal,
    attempts: READ_ATTEMPTS,
  })) {
    if (message.sequence > upTo) return;
    const result = checkInWithin(budget, message);
    if (!('problem' in result)) yield result;
  }
}

/** The same of an agent that has not said too much: that is not even looked at. */
function checkInWithin(budget: AgentBudget, message: StreamMessage): ReceivedCheckIn | MalformedCheckIn {
  const { subject, data, storedAt: receivedAt } = message;
  const flooding = checkInPlace(subject)?.agentId;
  if (flooding === undefined || budget.take(flooding, data.length, Date.parse(receivedAt)))
    return parseCheckIn(message);
  return { subject, receivedAt, problem: 'it says more than an agent may', flooding };
}

/** What a message of the stream says. */
export function parseCheckIn(
  message: Pick<StreamMessage, 'subject' | 'storedAt' | 'data'>,
): ReceivedCheckIn | MalformedCheckIn {
  const { subject, storedAt: receivedAt } = message;
  const place = checkInPlace(subject);
  if (place === null) return { subject, receivedAt, problem: 'the subject is not muster.checkin.<zone>.<agent>' };
  const json = parseJson(message.data);
  if (json === undefined) return { subject, receivedAt, problem: 'not JSON' };
  const result = checkInSchema.safeParse(json);
  if (!result.success) {
    const issue = result.error.issues[0];
    return { subject, receivedAt, problem: `field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'invalid'}` };
  }
  if (result.data.agentId !== place.agentId) {
    return { subject, receivedAt, problem: `the body is of agent "${result.data.agentId}"` };
  }
  return { checkIn: result.data, zone: place.zone, receivedAt };
}
