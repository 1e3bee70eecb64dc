import { openEventStore } from '../../infra/eventStore/client.ts';
import { freeLoopbackPort } from '../../infra/start/ports.ts';
import { dockerOf, testEngine } from './engine.ts';
import { answers } from './eventStoreHarness.ts';
import { until } from './until.ts';

/** The EventStoreDB that infra/deploy pins: the newest patch of its last long-term release. */
export const PINNED_ESDB_IMAGE = 'eventstore/eventstore:24.10.14';
const NAMED_IMAGE = process.env['MUSTER_TEST_ESDB_IMAGE'];
/** The one that the tests take where they can have it. */
export const ESDB_IMAGE = NAMED_IMAGE ?? PINNED_ESDB_IMAGE;

/** A registry that says nothing for so long is not there; an image that is on its way may take longer. */
const SILENCE_LIMIT_MS = 20_000;
const START_LIMIT_MS = 60_000;

/** The real EventStoreDB in a container. */
export interface EventStoreContainer {
  readonly url: string;
  /** Stops and starts the server on what it has written; resolves when the container runs. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** No real EventStoreDB can be had here. The message says why. */
export class NoEventStoreImage extends Error {
  override readonly name = 'NoEventStoreImage';
}

/**
 * Starts the real EventStoreDB in the engine of the tests; it ends with the engine at the latest. Throws NoEventStoreImage when there is no
 * such engine, or the image is not to be had and nobody has asked for it by MUSTER_TEST_ESDB_IMAGE.
 */
export async function startEventStoreContainer(say: (line: string) => void): Promise<EventStoreContainer> {
  const engine = await testEngine({ log: say });
  if (engine === null) throw new NoEventStoreImage('no container engine can run here');
  if (engine.network === 'private') {
    throw new NoEventStoreImage('another container engine runs here, so ports of the tests’ own are not published');
  }
  await fetchImage(engine.host);
  process.env['DOCKER_HOST'] = engine.host;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';
  const { GenericContainer, Network } = await import('testcontainers');
  // The engine of the tests has no network but those that are made.
  const network = await new Network().start();
  // A port of its own, because one that the engine chooses is another one after a restart.
  const port = await freeLoopbackPort();
  const container = await new GenericContainer(ESDB_IMAGE)
    .withEnvironment({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_CLUSTER_SIZE: '1', EVENTSTORE_TELEMETRY_OPTOUT: 'true' })
    .withNetwork(network)
    .withExposedPorts({ container: 2113, host: port })
    .start();
  const url = `esdb://127.0.0.1:${port}?tls=false`;
  await untilItLeads(url);
  return {
    url,
    restart: async () => await container.restart(),
    async stop() {
      await container.stop();
      await network.stop();
    },
  };
}

/** It listens before it has elected itself. */
async function untilItLeads(url: string): Promise<void> {
  const store = openEventStore({ url, name: 'test' });
  try {
    await until('the EventStoreDB in the container', async () => await answers(store), Boolean, START_LIMIT_MS);
  } finally {
    await store.close();
  }
}

/** Throws NoEventStoreImage, or what the registry says when the image was asked for by name. */
async function fetchImage(host: string): Promise<void> {
  const docker = dockerOf({ host });
  const present = await docker.listImages({ filters: { reference: [ESDB_IMAGE] } });
  if (present.length > 0) return;
  const silence = new AbortController();
  const limit = setTimeout(() => silence.abort(), SILENCE_LIMIT_MS);
  try {
    const progress = await docker.pull(ESDB_IMAGE, { abortSignal: silence.signal });
    for await (const line of progress) {
      limit.refresh();
      const error = /"error":"([^"]*)"/.exec(String(line))?.[1];
      if (error !== undefined) throw new Error(error);
    }
  } catch (error) {
    const why = silence.signal.aborted ? 'the registry does not answer' : String(error);
    if (NAMED_IMAGE !== undefined) throw new Error(`${ESDB_IMAGE} cannot be had: ${why}`, { cause: error });
    throw new NoEventStoreImage(`${ESDB_IMAGE} cannot be had: ${why}`);
  } finally {
    clearTimeout(limit);
  }
}
