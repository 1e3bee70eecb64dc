import type { Clock } from '../../infra/clock.ts';
import { shortened } from '../containerSpec.ts';
import type { ContainerView, Engine, EngineFacts } from '../engine/port.ts';

/** The engine as one look found it. `facts` of an engine that is down are the last known, so that hardware stays stable. */
export type EngineLook =
  | {
      readonly status: 'up';
      readonly facts: EngineFacts;
      readonly containers: ReadonlyMap<string, readonly ContainerView[]>;
    }
  | { readonly status: 'down'; readonly facts: EngineFacts | null; readonly detail: string; readonly mend: string };

const FACTS_FOR_MS = 60_000;

const MEND =
  'start it with `systemctl start docker`, let the user of the agent open its socket, or set DOCKER_HOST to where it listens';

export class EngineWatch {
  readonly #engine: Engine;
  readonly #clock: Clock;
  #facts: { readonly facts: EngineFacts; readonly at: number } | null = null;
  #up = false;

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Lists the containers of these logs. The facts are read again every minute and when the engine comes back. */
  async look(logIds: readonly string[]): Promise<EngineLook> {
    try {
      const facts = await this.#currentFacts();
      const lists = await Promise.all(logIds.map((logId) => this.#engine.list(logId)));
      this.#up = true;
      return { status: 'up', facts, containers: new Map(logIds.map((logId, index) => [logId, lists[index] ?? []])) };
    } catch (error) {
      this.#up = false;
      const detail = shortened(error instanceof Error ? error.message : String(error));
      return { status: 'down', facts: this.#facts?.facts ?? null, detail, mend: MEND };
    }
  }

  async #currentFacts(): Promise<EngineFacts> {
    const known = this.#facts;
    const now = this.#clock.now();
    if (known !== null && this.#up && now - known.at < FACTS_FOR_MS) return known.facts;
    const facts = await this.#engine.facts();
    this.#facts = { facts, at: now };
    return facts;
  }
}
