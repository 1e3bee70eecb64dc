import { jetStreamApi } from '../../infra/bus/api.ts';
import { listEpochs, makeEpoch, type LogPlace } from '../../infra/bus/logStreams.ts';

/** What tests do to the streams of logs past the adapter. */

export async function makeFirstEpoch(place: LogPlace): Promise<void> {
  if ((await listEpochs(place)).length === 0) await makeEpoch(place, 1, 0);
}

/** Deletes the streams of all sealed epochs, as an operator does who has copied them elsewhere. */
export async function moveOffline(place: LogPlace): Promise<void> {
  for (const { stream, end } of await listEpochs(place)) {
    if (end !== null) await jetStreamApi(place.bus, `STREAM.DELETE.${stream}`);
  }
}
