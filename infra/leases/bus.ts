import { headers } from 'nats';
import { z } from 'zod';
import { getMessage, publishAcked } from '../bus/api.ts';
import type { Bus } from '../bus/connect.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from '../bus/errors.ts';
import { busTime } from '../bus/time.ts';
import type { Clock } from '../clock.ts';
import { LEASES_STREAM, leaseSubject } from '../names.ts';
import type { LeaseRecord, LeaseStore } from './port.ts';

const leaseRecord = z.object({
  holder: z.string().max(64).nullable(),
  term: z.int().min(1),
  logId: z.string().max(64).exactOptional(),
});

/** Leases in a key-value bucket of the account LOG. */
export function createBusLeases(bus: Bus, clock: Pick<Clock, 'now'>): LeaseStore {
  return {
    async read(log) {
      const message = await getMessage(bus, LEASES_STREAM, { last_by_subj: leaseSubject(log) });
      return message === null ? null : { record: parse(log, message.data), revision: message.sequence };
    },

    async write(log, record, revision) {
      const expectation = headers();
      expectation.set('Nats-Expected-Last-Subject-Sequence', String(revision));
      try {
        return await publishAcked(bus, leaseSubject(log), Buffer.from(JSON.stringify(record)), expectation);
      } catch (error) {
        if (hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) return null;
        throw error;
      }
    },

    time: () => busTime(bus, clock, LEASES_STREAM),
  };
}

function parse(log: string, data: Uint8Array): LeaseRecord {
  try {
    return leaseRecord.parse(JSON.parse(Buffer.from(data).toString('utf8')));
  } catch (error) {
    throw new BusError(BusErrorCode.Malformed, `the lease of ${log} is malformed`, { cause: error });
  }
}
