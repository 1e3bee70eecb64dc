import { headers } from 'nats';
import type { Bus } from '../../bus/connect.ts';
import { BusError } from '../../bus/errors.ts';
import { logSubject } from '../../names.ts';
import type { AckedPublisher } from '../acks.ts';
import type { Epochs } from '../epochs.ts';
import { LogError, isHistoryOffline, isLogUnavailable } from '../errors.ts';
import { isOurs, lostOnTheWay, settled, versionConflict, type Pending } from '../outcome.ts';
import type { LogName } from '../port.ts';
import { unavailable } from '../unavailable.ts';

/** How often a commit goes after its log from one epoch to the next before its outcome is called unknown. */
const MOVES = 3;

export interface Writing {
  readonly bus: Bus;
  readonly epochs: Epochs;
  readonly publisher: AckedPublisher;
}

/**
 * Resolves once the commit stands at its version. Goes after the log into its next epoch: there it is the very same commit
 * at the very same version, so that it cannot be written twice. Rejects with the LogErrors of `append`.
 */
export async function write(writing: Writing, pending: Pending): Promise<void> {
  const { log } = pending;
  for (let moves = 0; moves < MOVES; moves += 1) {
    try {
      if (await tryWrite(writing, pending)) return;
    } catch (error) {
      if (isHistoryOffline(error)) throw versionConflict(pending, error);
      const away = error instanceof BusError ? unavailable(log, error) : error;
      if (!isLogUnavailable(away)) throw error;
      writing.epochs.forget(log);
      throw moves === 0 ? away : lostOnTheWay(pending, away);
    }
    writing.epochs.forget(log);
  }
  throw lostOnTheWay(pending);
}

/** False: the log's subject belongs to another epoch by now, and nothing was stored in this one. */
async function tryWrite({ bus, epochs, publisher }: Writing, pending: Pending): Promise<boolean> {
  const { log, expected, bytes } = pending;
  const epoch = await epochs.after(log, expected);
  if (epoch === null) throw versionConflict(pending);
  if (epoch.end !== null) {
    if (await isOurs(bus, pending, epoch)) return true;
    throw versionConflict(pending);
  }
  await epochs.answers(log, epoch);
  const expectation = headers();
  expectation.set('Nats-Expected-Stream', epoch.stream);
  expectation.set('Nats-Expected-Last-Subject-Sequence', String(expected - epoch.base));
  const answer = await publisher.publish(logSubject(log), bytes, expectation);
  return await settled(bus, pending, epoch, answer);
}

/** Begins the epoch behind a seal. The seal is written, whatever comes now: what fails here the next append does. */
export async function continued(epochs: Epochs, log: LogName, version: number): Promise<void> {
  try {
    await epochs.after(log, version);
  } catch (error) {
    if (!(error instanceof BusError || error instanceof LogError)) throw error;
    epochs.forget(log);
  }
}
