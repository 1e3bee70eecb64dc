import { busRequest } from './api.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';

/**
 * The last message on a subject of a stream that allows direct gets, null when there is none. Any server that has a copy
 * answers, which may lag behind the leader: for showing, not for compare-and-set. Throws BusError.
 */
export async function directGet(bus: Bus, stream: string, subject: string): Promise<Uint8Array | null> {
  const request = `$JS.API.DIRECT.GET.${stream}.${subject}`;
  const reply = await busRequest(bus, request, new Uint8Array());
  const status = reply.headers?.code ?? 0;
  if (status === 404) return null;
  if (status === 0) return reply.data;
  const message = `${request}: ${status} ${reply.headers?.description ?? ''}`;
  throw new BusError(BusErrorCode.JetStreamRefused, message);
}
