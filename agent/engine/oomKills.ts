import { containersOutOfMemory } from './kernelKills.ts';
import type { ContainerView } from './port.ts';

/** Containers that were asked about; more would only be of those that nobody removes. */
const MOST_REMEMBERED = 4_096;

/** Completes what the engine says of containers that ended by what the kernel says. Each is asked about once. */
export class OomKills {
  readonly #kernelLog: () => Promise<string | null>;
  readonly #killed = new Map<string, boolean>();

  constructor(kernelLog: () => Promise<string | null>) {
    this.#kernelLog = kernelLog;
  }

  async complete(views: readonly ContainerView[]): Promise<readonly ContainerView[]> {
    const open = views.filter(isInDoubt);
    if (open.some(({ containerId }) => !this.#killed.has(containerId))) await this.#ask(open);
    return views.map((view) =>
      isInDoubt(view) && this.#killed.get(view.containerId) === true ? { ...view, oomKilled: true } : view,
    );
  }

  async #ask(views: readonly ContainerView[]): Promise<void> {
    const killed = containersOutOfMemory((await this.#kernelLog()) ?? '');
    for (const { containerId } of views) this.#killed.set(containerId, killed.has(containerId));
    for (const containerId of this.#killed.keys()) {
      if (this.#killed.size <= MOST_REMEMBERED) return;
      this.#killed.delete(containerId);
    }
  }
}

/** It failed, and the engine knows no reason. */
function isInDoubt({ exitCode, oomKilled }: ContainerView): boolean {
  return exitCode !== null && exitCode !== 0 && !oomKilled;
}
