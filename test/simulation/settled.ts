import { isDeepStrictEqual } from 'node:util';
import { decideWaiting } from '../../domain/sessions/decide.ts';
import { desiredDocumentOf } from '../../projections/desired.ts';
import { explainAt } from '../../projections/explainAt.ts';
import { prunesAreRecorded } from './prunes.ts';
import { trustProblems } from './settledTrust.ts';
import type { World } from './world.ts';

/** What must be true once nothing goes wrong any more and everything had its time. Answers what is not. */
export function unsettled(world: World): readonly string[] {
  return [
    ...answerProblems(world),
    ...agentProblems(world),
    ...sessionProblems(world),
    ...feedProblems(world),
    ...prunesAreRecorded(world),
    ...trustProblems(world),
  ];
}

function agentProblems({ hosts, witness, bus, trust }: World): string[] {
  const problems: string[] = [];
  for (const { agentId, engine, appliedVersion } of hosts) {
    if (trust?.outcasts.has(agentId) === true) continue;
    const agent = witness.zone.agents.get(agentId);
    if (agent?.connectivity !== 'online') problems.push(`${agentId} is ${agent?.connectivity ?? 'unknown'}`);
    const document = bus.documentOf(agentId);
    const wanted = document?.sessions.map(({ sessionId }) => sessionId).toSorted() ?? [];
    const running = engine.containers.filter(({ status }) => status === 'running').map(({ sessionId }) => sessionId);
    const other = engine.containers.filter(({ status }) => status !== 'running').map(({ sessionId }) => sessionId);
    if (running.toSorted().join() !== wanted.join())
      problems.push(`${agentId} runs ${running.join()}, not ${wanted.join()}`);
    if (other.length > 0) problems.push(`${agentId} has kept ${other.join()}`);
    const newest = desiredDocumentOf(witness.zone, agentId, document?.logId ?? '');
    if (!isDeepStrictEqual(newest, document))
      problems.push(`${agentId} has document ${document?.version ?? 0}, not ${newest?.version ?? 0}`);
    if (appliedVersion < (newest?.version ?? 0))
      problems.push(`${agentId} has applied ${appliedVersion}, not ${newest?.version ?? 0}`);
  }
  return problems;
}

function sessionProblems({ witness: { zone } }: World): string[] {
  const problems: string[] = [];
  for (const session of zone.sessions.values()) {
    if (session.phase !== 'waiting' && session.phase !== 'running')
      problems.push(`${session.sessionId} is ${session.phase}`);
  }
  const decision = decideWaiting(zone);
  const facts = decision.kind === 'accepted' ? decision.facts : [];
  if (facts.length > 0) problems.push(`${facts.length} wait although they fit: ${JSON.stringify(facts[0])}`);
  return problems;
}

/** After a restored backup the feed ends with what the log does not hold, and waits for people. */
function feedProblems({ feedWatch, witness, isRestored }: World): string[] {
  const behind = isRestored ? null : feedWatch.behind(witness);
  return behind === null ? [] : [behind];
}

function answerProblems({ client }: World): string[] {
  return client.unanswered === 0 ? [] : [`${client.unanswered} commands have no answer`];
}

const EXPLAINED = 5;

/** Some placements, explained again from the log alone, must come out as they were decided. */
export async function unexplained({ witness }: World): Promise<string | null> {
  const every = Math.max(1, Math.floor(witness.placed.length / EXPLAINED));
  for (const { sessionId, agentId, claim } of witness.placed.filter((_, index) => index % every === 0)) {
    const explanation = await explainAt(witness.commits(), sessionId);
    const same = explanation?.agentId === agentId && explanation.gpuUuids.join() === claim.gpuUuids.join();
    if (!same) return `${sessionId} went to ${agentId}, explained is ${explanation?.agentId ?? 'nowhere'}`;
  }
  return null;
}
