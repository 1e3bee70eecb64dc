import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readConfig } from '../../infra/config/config.ts';
import { openEventStore } from '../../infra/eventStore/client.ts';
import { hostsOf } from '../../infra/eventStore/connectionString.ts';
import { StoreError, StoreErrorCode, isStoreAway } from '../../infra/eventStore/errors.ts';
import { openProjections, type Projections, type ProjectionState } from '../../infra/eventStore/projections.ts';
import { whyAway } from '../../infra/eventStore/reasons.ts';
import { CliError, ExitCode } from './exitCodes.ts';
import { print, printJson, type JsonOption } from './output.ts';

/** What the store calls it. */
const PROJECTION = 'muster-links';
const PROGRAM = join(import.meta.dirname, '../../infra/deploy/eventstore/links.js');
/** So long a projection may take to say that it runs. */
const LIMIT_MS = 10_000;
const POLL_MS = 200;
const NAME = 'log links';
const RUN_PROJECTIONS = 'Start EventStoreDB with EVENTSTORE_RUN_PROJECTIONS=All.';

const VERBS = ['on', 'off', 'status'] as const;
type Verb = (typeof VERBS)[number];

/** What `--json` prints. */
interface LinksAnswer {
  readonly projection: string;
  /** `off` when it was never on. */
  readonly status: string;
  readonly percent: number;
  readonly reason: string;
}

/** Has the store link events by agent and by session, or ends that, or says how far it is. Asks the store itself. */
export async function changeLinks(what: string, { json }: JsonOption): Promise<void> {
  const verb = VERBS.find((each) => each === what);
  if (verb === undefined) throw new CliError(ExitCode.usage, `log links takes ${VERBS.join(', ')}, not "${what}"`);
  const { eventLog } = readConfig(process.env);
  if (eventLog.kind === 'nats') {
    throw new CliError(ExitCode.failure, 'links need EventStoreDB, and the event logs are on the bus', [
      'Where they are kept is said by MUSTER_EVENT_LOG, for this command too. On the bus, the feed has one subject for each agent.',
    ]);
  }
  const { url } = eventLog;
  const state = await onStore(url, (projections) => carryOut(verb, projections));
  const { status, percent, reason } = state ?? { status: 'off', percent: 0, reason: '' };
  if (json === true) printJson({ projection: PROJECTION, status, percent, reason } satisfies LinksAnswer);
  else print(sentence(state, hostsOf(url)));
}

async function carryOut(verb: Verb, projections: Projections): Promise<ProjectionState | null> {
  switch (verb) {
    case 'on':
      await projections.run(PROJECTION, await readFile(PROGRAM, 'utf8'));
      return await untilRunning(projections);
    case 'off':
      if ((await projections.stateOf(PROJECTION)) !== null) await projections.stop(PROJECTION);
      return await projections.stateOf(PROJECTION);
    case 'status':
      return await projections.stateOf(PROJECTION);
  }
}

/** It compiles and starts after it was told to. Throws CliError when it does not come to run. */
async function untilRunning(projections: Projections): Promise<ProjectionState> {
  const startedAt = performance.now();
  for (;;) {
    const state = await projections.stateOf(PROJECTION);
    if (state?.status === 'Running') return state;
    if (state?.status === 'Faulted') {
      throw new CliError(ExitCode.failure, `EventStoreDB gave up ${PROJECTION}: ${state.reason}`);
    }
    if (performance.now() - startedAt > LIMIT_MS) {
      const seen = state === null ? 'not there' : state.status;
      throw new CliError(ExitCode.failure, `EventStoreDB does not run ${PROJECTION}: it is ${seen}`, [RUN_PROJECTIONS]);
    }
    await pause(POLL_MS);
  }
}

/** Says what to mend: a store that answers and says nothing of projections runs none. */
async function onStore<Result>(url: string, work: (projections: Projections) => Promise<Result>): Promise<Result> {
  const store = openEventStore({ url, name: NAME });
  const projections = openProjections({ url, name: NAME });
  try {
    await store.check();
    try {
      return await work(projections);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw refused(url, error);
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const code = isStoreAway(error) ? ExitCode.unreachable : ExitCode.failure;
    throw new CliError(
      error.code === StoreErrorCode.Denied ? ExitCode.unauthorized : code,
      whyAway(url, error),
      [],
      error,
    );
  } finally {
    await Promise.all([store.close(), projections.close()]);
  }
}

function refused(url: string, error: StoreError): CliError {
  const store = `EventStoreDB at ${hostsOf(url)}`;
  if (error.code === StoreErrorCode.Denied) {
    const lines = ['Name a user of the group $ops or $admins in MUSTER_EVENT_LOG, for this command.'];
    return new CliError(ExitCode.unauthorized, `${store} lets only its operators change projections`, lines, error);
  }
  if (isStoreAway(error)) {
    const message = `${store} answers, but says nothing of its projections`;
    return new CliError(ExitCode.failure, message, [RUN_PROJECTIONS], error);
  }
  return new CliError(ExitCode.failure, `${store} refuses: ${error.message}`, [RUN_PROJECTIONS], error);
}

function sentence(state: ProjectionState | null, hosts: string): string {
  const where = `${PROJECTION} in EventStoreDB at ${hosts}`;
  if (state === null) return `${where}: off, and never was on`;
  const { status, percent, reason } = state;
  if (status === 'Stopped') return `${where}: off; what was linked stays, and on goes on from there`;
  if (status !== 'Running') return `${where}: ${status}${reason === '' ? '' : `, ${reason}`}`;
  return `${where}: running, has seen ${Math.floor(percent)} % of all events; read agent-<id> and session-<id>`;
}
