import type { ActivePruneMode } from '../../domain/pruning/record.ts';
import type { AgentHost } from './agentHost.ts';
import { JOB_IMAGES } from './images.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What people do to images, and have pruned. Worlds without labels have none of it. */

/** Acts in 100 steps. */
const RATE = 20;

export function somePrunes(world: World, random: Random): void {
  if (!world.plan.labels || !random.chance(RATE / 100)) return;
  const host = random.any(world.hosts);
  if (host === null) return;
  const act = random.pick([tagMoves, pruneNow, pruneNow, definitionsChange]);
  act(world, host, random);
}

/** Somebody pulls a tag that names another content by now: what a session is started from next may be either. */
function tagMoves(_world: World, { engine: { stock } }: AgentHost, random: Random): void {
  const reference = random.pick(JOB_IMAGES);
  if (stock.idOf(reference) === null) return;
  stock.renew(reference);
  stock.arrive(reference);
}

function pruneNow({ bus }: World, { agentId, logId }: AgentHost, random: Random): void {
  const asker = { actor: { kind: 'operator' as const, id: 'op-1' }, reason: null };
  const callId = `prune-${random.int(1, 1e9)}`;
  const mode = random.pick<ActivePruneMode>(['normal', 'aggressive']);
  bus.callForPrune(agentId, { kind: 'prune', callId, logId, mode, dryRun: random.chance(0.2), asker });
}

function definitionsChange({ bus }: World, { agentId }: AgentHost): void {
  bus.callForPrune(agentId, { kind: 'definitions changed' });
}

/**
 * Each removal of an image is in the log once, and nothing else is. After a backup was restored the log lacks some; of an agent
 * that began anew it knows nothing, and is told again what it was told before.
 */
export function prunesAreRecorded({ hosts, witness, isRestored, trust }: World): readonly string[] {
  const problems: string[] = [];
  for (const { agentId, engine, untoldPrunes } of hosts) {
    if (trust?.outcasts.has(agentId) === true) continue;
    if (untoldPrunes > 0) problems.push(`${agentId} has told the log nothing of ${untoldPrunes} prunes`);
    const recorded = witness.removed.filter((each) => each.agentId === agentId).map(({ imageId }) => imageId);
    const strange = recorded.find((imageId) => !engine.stock.removed.includes(imageId));
    if (strange !== undefined) problems.push(`${agentId} did not remove ${strange}, which is recorded`);
    const isOnly = witness.lives.of(agentId).length <= 1;
    if (!isRestored && isOnly && recorded.toSorted().join() !== engine.stock.removed.toSorted().join())
      problems.push(`${agentId} removed ${engine.stock.removed.join()}, recorded is ${recorded.join()}`);
  }
  return problems;
}
