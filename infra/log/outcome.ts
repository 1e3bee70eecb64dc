import type { Msg } from 'nats';
import { apiAnswer, getMessage, sequenceOf, type StoredMessage } from '../bus/api.ts';
import type { Bus } from '../bus/connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from '../bus/errors.ts';
import { NOT_THIS_STREAM, streamState, type Epoch } from '../bus/logStreams.ts';
import { hashOf } from './codec.ts';
import { LogError, LogErrorCode } from './errors.ts';
import type { LogName } from './port.ts';
import { unavailable } from './unavailable.ts';

/** A commit on its way: it becomes version `expected + 1` or nothing. */
export interface Pending {
  readonly log: LogName;
  readonly expected: number;
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/**
 * What the server's answer says of our commit. True: it stands at its version. False: nothing was stored in this epoch,
 * whose stream has lost the log's subject. Throws the LogError that the answer means otherwise.
 */
export async function settled(bus: Bus, pending: Pending, epoch: Epoch, answer: Msg): Promise<boolean> {
  const { log, expected } = pending;
  if (answer.headers?.code === 503) {
    throw unavailable(log, new BusError(BusErrorCode.JetStreamAway, 'JetStream does not answer'));
  }
  try {
    const version = epoch.base + sequenceOf(apiAnswer(answer.data, log), 'seq');
    if (version === expected + 1) return true;
    throw new LogError(LogErrorCode.LogCorrupt, `${log}: commit ${expected + 1} became version ${version}`);
  } catch (error) {
    if (hasServerCode(error, ...NOT_THIS_STREAM)) return false;
    if (!(error instanceof BusError)) throw error;
    if (!hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) {
      throw unavailable(log, error);
    }
    return await afterConflict(bus, pending, epoch, error);
  }
}

/**
 * The commit was refused because the log is elsewhere. It may have been our own commit that moved it, when an earlier
 * answer was lost; the leader tells what stands in its place. A cluster sometimes refuses while nothing has moved.
 */
async function afterConflict(bus: Bus, pending: Pending, epoch: Epoch, cause: unknown): Promise<boolean> {
  const { log, expected, hash } = pending;
  const standing = await standingAt(bus, pending, epoch);
  if (standing !== null && hashOf(standing.data) === hash) return true;
  if (standing !== null) throw versionConflict(pending, cause);
  const state = await streamState(bus, epoch.stream);
  if (state !== null && epoch.base + state.lastSequence === expected) {
    throw new LogError(LogErrorCode.LogUnavailable, `${log}: refused though nothing has moved; try again`, cause);
  }
  throw versionConflict(pending, cause);
}

/** Whether our very commit stands where it should go, in an epoch that is over. */
export async function isOurs(bus: Bus, pending: Pending, epoch: Epoch): Promise<boolean> {
  const standing = await standingAt(bus, pending, epoch);
  return standing !== null && hashOf(standing.data) === pending.hash;
}

async function standingAt(bus: Bus, { log, expected }: Pending, epoch: Epoch): Promise<StoredMessage | null> {
  try {
    return await getMessage(bus, epoch.stream, { seq: expected + 1 - epoch.base });
  } catch (error) {
    const message = `${log}: a conflict, and the log cannot be read to settle it`;
    throw new LogError(LogErrorCode.OutcomeUnknown, message, error);
  }
}

export function versionConflict({ log, expected }: Pending, cause?: unknown): LogError {
  return new LogError(LogErrorCode.VersionConflict, `${log} is not at version ${expected}`, cause);
}

/** The commit went after its log from epoch to epoch, and nobody can say where it arrived. */
export function lostOnTheWay({ log, expected }: Pending, cause?: unknown): LogError {
  const message = `${log} went on to its next epoch while commit ${expected + 1} was on its way; read it to find out`;
  return new LogError(LogErrorCode.OutcomeUnknown, message, cause);
}
