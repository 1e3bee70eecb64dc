import { closeConnection, DEADLINE_MS, dial, translated } from './client.ts';
import { shownUrl, withConnectionName } from './url.ts';

/** What EventStoreDB says of one of its projections. */
export interface ProjectionState {
  /** `Running`, `Stopped`, `Faulted`, or what it is on the way to, in EventStoreDB's words. */
  readonly status: string;
  /** Why, when it is faulted; else mostly empty. */
  readonly reason: string;
  /** How much of all events it has seen, 0 to 100. */
  readonly percent: number;
}

/**
 * The projections that a store runs: programs of its own that write links. Who changes one must be of `$ops` or `$admins`.
 * Everything rejects with StoreError; STORE_AWAY also from a store that runs no projections, which does not answer.
 */
export interface Projections {
  /** Null: there is none of that name. */
  stateOf(name: string): Promise<ProjectionState | null>;
  /** Makes a projection, or gives the one of that name this program; either way it may write, and is told to run. */
  run(name: string, program: string): Promise<void>;
  /** It goes on from where it was when it is told to run again; what it wrote stays. */
  stop(name: string): Promise<void>;
  close(): Promise<void>;
}

/** Connects to nothing yet. Throws StoreError MALFORMED at a wrong connection string. */
export function openProjections({ url, name }: { readonly url: string; readonly name: string }): Projections {
  const client = dial(withConnectionName(url, name), shownUrl(url));
  const options = { deadline: DEADLINE_MS, requiresLeader: true };
  let wasAsked = false;

  async function asked<Answer>(projection: string, work: () => Promise<Answer>): Promise<Answer> {
    wasAsked = true;
    try {
      return await work();
    } catch (error) {
      throw translated(error, `the projection ${projection}`);
    }
  }

  /** Among all of them: asked for by its name, one that is not there is an error of no kind of its own. */
  async function stateOf(projection: string): Promise<ProjectionState | null> {
    const all = await asked(projection, () => client.listProjections(options));
    const found = all.find((each) => each.name === projection);
    if (found === undefined) return null;
    return { status: found.projectionStatus, reason: found.stateReason, percent: found.progress };
  }

  return {
    stateOf,
    async run(projection, program) {
      const emitting = { ...options, emitEnabled: true };
      // Made, it runs at once.
      if ((await stateOf(projection)) === null) {
        return await asked(projection, () => client.createProjection(projection, program, emitting));
      }
      await asked(projection, () => client.updateProjection(projection, program, emitting));
      await asked(projection, () => client.enableProjection(projection, options));
    },
    stop: (projection) => asked(projection, () => client.disableProjection(projection, options)),
    async close() {
      await client.dispose();
      if (wasAsked) await closeConnection(client);
    },
  };
}
