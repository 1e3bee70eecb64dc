import { schedulableGpus } from '../agents/capacity.ts';
import type { AgentState } from '../agents/state.ts';
import type { GpuNeed } from '../gpuNeed.ts';
import type { ImageNeeds } from '../images/image.ts';
import type { GpuDevice } from '../schemas.ts';
import type { Finding } from './rule.ts';

/** Which devices of an agent a session may hold, and which of them it gets. */

/** Schedulable devices that meet the image's model and memory constraints. */
export function matchingGpus(agent: AgentState, needs: ImageNeeds): readonly GpuDevice[] {
  return schedulableGpus(agent).filter((gpu) => hasModel(gpu, needs) && hasMemory(gpu, needs));
}

export function hasModel(gpu: GpuDevice, needs: Pick<ImageNeeds, 'gpuModel'>): boolean {
  return needs.gpuModel === null || matchesGlob(gpu.model, needs.gpuModel);
}

/** A device whose memory the driver does not tell never meets a minimum. */
export function hasMemory(gpu: GpuDevice, needs: Pick<ImageNeeds, 'gpuMemoryBytes'>): boolean {
  return needs.gpuMemoryBytes === null || (gpu.memoryBytes ?? -1) >= needs.gpuMemoryBytes;
}

/**
 * A narrowing step (detected -> usable -> healthy -> right model) blocks a request when enough devices entered it and too
 * few are left. When already too few entered, the earlier step has said so.
 */
export function enoughOf(need: GpuNeed, before: readonly GpuDevice[], after: readonly GpuDevice[]): Finding | null {
  const requested = need.kind === 'count' ? need.count : need.kind === 'all' ? 1 : 0;
  if (before.length < requested || after.length >= requested) return null;
  return {
    never: false,
    numbers: { requested, of: before.length, left: after.length, short: requested - after.length },
  };
}

/**
 * The devices a session gets on an agent that fits: for a count, unclaimed ones with the largest memory first, ties in
 * PCI order; for all, every schedulable one. UUIDs, in PCI order.
 */
export function chooseDevices(agent: AgentState, needs: ImageNeeds): readonly string[] {
  if (needs.gpu.kind === 'none') return [];
  const matching = matchingGpus(agent, needs);
  const chosen =
    needs.gpu.kind === 'all'
      ? matching
      : matching
          .filter((gpu) => !agent.allocated.gpus.has(gpu.uuid))
          .toSorted((a, b) => (b.memoryBytes ?? 0) - (a.memoryBytes ?? 0) || comparePci(a, b))
          .slice(0, needs.gpu.count);
  return chosen.toSorted(comparePci).map((gpu) => gpu.uuid);
}

function comparePci(a: GpuDevice, b: GpuDevice): number {
  if (a.pciAddress !== b.pciAddress) return a.pciAddress < b.pciAddress ? -1 : 1;
  return a.uuid < b.uuid ? -1 : 1;
}

/**
 * `*` and `?` as in a shell, without regard to case, over the whole text: the greedy match that steps back to the last
 * star, so that a hostile pattern costs length times length and no more.
 */
export function matchesGlob(text: string, pattern: string): boolean {
  const t = text.toLowerCase();
  const p = pattern.toLowerCase();
  let at = 0;
  let next = 0;
  let star = -1;
  let starAt = 0;
  while (at < t.length) {
    if (next < p.length && (p[next] === '?' || p[next] === t[at]) && p[next] !== '*') {
      at += 1;
      next += 1;
    } else if (p[next] === '*') {
      star = next;
      starAt = at;
      next += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      next = star + 1;
    } else return false;
  }
  while (p[next] === '*') next += 1;
  return next === p.length;
}
