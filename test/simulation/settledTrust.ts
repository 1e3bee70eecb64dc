import { isPending } from '../../domain/fleet/state.ts';
import { fingerprintOf, partsOfAgentPassword } from '../../infra/agentIdentity.ts';
import type { Connection } from './entrance.ts';
import type { Trust, World } from './world.ts';

/** What is not as it should be once nobody does anything any more. */
export function trustProblems(world: World): readonly string[] {
  const { trust, witness } = world;
  if (trust === null) return [];
  const { lives, zone, fleet } = witness;
  const wrong = trust.entrance.inside.filter((connection) => !mayBeIn(connection, world));
  const removed = [...zone.agents.keys()].filter((agentId) => (lives.now(agentId)?.approved ?? null) === null);
  const waiting = [...fleet.agents.values()].filter((agent) => isPending(agent));
  return [
    ...wrong.map(({ name, knock: { from } }) => `${from} is still in as ${name}`),
    ...removed.map((agentId) => `${agentId} is in the zone and was removed`),
    ...waiting.map(({ agentId }) => `${agentId} waits for somebody`),
    ...world.hosts.flatMap(({ agentId }) =>
      trust.outcasts.has(agentId) ? outcastProblems(agentId, world) : agentProblems(agentId, trust),
    ),
  ];
}

/** Who is in with a good token and its own secret, and is not revoked. */
function mayBeIn({ knock: { agentId, password } }: Connection, { witness: { lives, fleet }, trust }: World): boolean {
  const life = lives.now(agentId);
  const parts = partsOfAgentPassword(password);
  if (life === null || parts === null || life.revoked !== null) return false;
  const isLive = [...fleet.managerTokens.keys()].some((tokenId) => trust?.issued.get(tokenId) === parts.token);
  return isLive && life.fingerprint === fingerprintOf(parts.secret);
}

function agentProblems(agentId: string, { entrance }: Trust): string[] {
  const isIn = entrance.inside.some(({ knock: { from }, standing }) => from === agentId && standing === 'approved');
  return isIn ? [] : [`${agentId} is not in`];
}

function outcastProblems(agentId: string, { witness: { lives, zone } }: World): string[] {
  const joined = zone.agents.get(agentId);
  const isRevoked = lives.now(agentId)?.revoked !== null;
  const takesMore = joined !== undefined && (joined.enabled || joined.sessions.size > 0);
  return [
    ...(isRevoked ? [] : [`${agentId} should be revoked`]),
    ...(takesMore ? [`${agentId} is revoked, and is enabled or holds ${joined.sessions.size} sessions`] : []),
  ];
}
