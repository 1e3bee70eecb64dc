import type { LiveStream } from './stream.ts';

/** Ids of rows that somebody has to be told, and whether what is told as one piece is among it. */
export interface Owed {
  readonly agents: readonly string[];
  readonly sessions: readonly string[];
  readonly images: readonly string[];
  /** Zones, totals and changes. */
  readonly whole: boolean;
}

/**
 * Somebody who follows the fleet. What could not be sent at once is kept by id, so that it is no more than the fleet has
 * rows, and is told as it is when its turn comes.
 */
export class Follower {
  readonly stream: LiveStream;
  /** Somebody is at it. */
  paying = false;
  readonly #agents = new Set<string>();
  readonly #sessions = new Set<string>();
  readonly #images = new Set<string>();
  #whole = false;

  constructor(stream: LiveStream) {
    this.stream = stream;
  }

  owe({ agents, sessions, images, whole }: Owed): void {
    for (const agentId of agents) this.#agents.add(agentId);
    for (const sessionId of sessions) this.#sessions.add(sessionId);
    for (const imageId of images) this.#images.add(imageId);
    this.#whole ||= whole;
  }

  get isOwed(): boolean {
    return this.#whole || this.#agents.size + this.#sessions.size + this.#images.size > 0;
  }

  /** How many rows are still to come. */
  get more(): { readonly agents: number; readonly sessions: number } {
    return { agents: this.#agents.size, sessions: this.#sessions.size };
  }

  /** The next of what is owed, at most so many rows of a kind. */
  take(rows: number): Owed {
    const whole = this.#whole;
    this.#whole = false;
    const [agents, sessions] = [taken(this.#agents, rows), taken(this.#sessions, rows)];
    return { agents, sessions, images: taken(this.#images, rows), whole };
  }
}

function taken(ids: Set<string>, most: number): readonly string[] {
  const first: string[] = [];
  for (const id of ids) {
    if (first.length === most) break;
    first.push(id);
    ids.delete(id);
  }
  return first;
}
