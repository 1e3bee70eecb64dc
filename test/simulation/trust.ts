import { erase, nameOf, write } from '../../gateway/auth/stored.ts';
import { fingerprintOf } from '../../infra/agentIdentity.ts';
import type { GatewayProcess } from './gatewayProcess.ts';
import { someKnock } from './intruders.ts';
import type { Random } from './random.ts';
import { drawSecret, drawToken, type DrawnToken } from './secretTexts.ts';
import type { Trust, World } from './world.ts';

/** What people do about who may be in. Worlds without identity have none of it. */

type Act = (world: World, trust: Trust, random: Random) => void;

/** Acts in 100 steps, beside the approvals. */
const RATE = 25;
const ACTS: readonly (readonly [number, Act])[] = [
  [3, issueToken],
  [6, carryToken],
  [2, revokeSomeToken],
  [4, revokeSomeAgent],
  [6, removeSomeAgent],
  [7, someKnock],
  [2, setUpAnew],
];
const ALL = ACTS.reduce((sum, [weight]) => sum + weight, 0);
/** How often somebody looks at who waits. */
const LOOKS = 0.5;

export function someTrust(world: World, random: Random): void {
  const { trust } = world;
  if (trust === null) return;
  if (trust.issued.size === 0) issue(world, trust, trust.first);
  if (random.chance(LOOKS)) judgePending(world, trust);
  if (!random.chance(RATE / 100)) return;
  let left = random.next() * ALL;
  const act = ACTS.find(([weight]) => (left -= weight) < 0);
  act?.[1](world, trust, random);
}

/** In the calm everything is put right: all are in as what they are, but for the outcasts, who stay revoked. */
export function tidyTrust(world: World): void {
  const { trust, witness, client, hosts } = world;
  if (trust === null) return;
  const { managerTokens, agents } = witness.fleet;
  const [live] = managerTokens.keys();
  if (live === undefined) issueToken(world, trust);
  else if (!managerTokens.has(trust.present.tokenId))
    trust.present = { tokenId: live, text: trust.issued.get(live) ?? '' };
  for (const { credential } of hosts) if (credential !== null) credential.token = trust.present.text;
  judgePending(world, trust);
  for (const { agentId, fingerprint, revokedAt, zone } of agents.values()) {
    const isOwn = fingerprint === ownFingerprint(world, agentId);
    if (revokedAt === null && zone !== null && (trust.outcasts.has(agentId) || !isOwn)) revoke(world, trust, agentId);
    if (revokedAt === null) continue;
    const joined = witness.zone.agents.get(agentId);
    if (joined?.connectivity === 'missing' && joined.sessions.size > 0) {
      const key = `lost-${agentId}-${client.nextNumber()}`;
      void once(trust, `loss of ${agentId}`, () => client.send(key, { type: 'DeclareAgentLost', agentId }));
    } else if (!trust.outcasts.has(agentId) && (joined?.sessions.size ?? 0) === 0) remove(world, trust, agentId);
  }
}

/** Of the secret that the machine of that name has; null: there is no such machine. */
function ownFingerprint({ hosts }: World, agentId: string): string | null {
  const secret = hosts.find((host) => host.agentId === agentId)?.credential?.secret;
  return secret === undefined ? null : fingerprintOf(secret);
}

/** The same act about the same one thing only when the last is done. */
async function once({ underWay }: Trust, what: string, act: () => Promise<void>): Promise<void> {
  if (underWay.has(what)) return;
  underWay.add(what);
  await act();
  underWay.delete(what);
}

/** Whoever waits is approved by the fingerprint that its own machine shows; whoever is somebody else is taken off the list. */
function judgePending(world: World, trust: Trust): void {
  for (const { agentId, zone, revokedAt, fingerprint } of world.witness.fleet.agents.values()) {
    if (zone !== null || revokedAt !== null) continue;
    const own = ownFingerprint(world, agentId);
    if (own !== null && own === fingerprint) approve(world, trust, agentId, own);
    else remove(world, trust, agentId);
  }
}

/** As the route: it is joined once more beside what the gateway does by itself. */
function approve({ client }: World, trust: Trust, agentId: string, fingerprint: string): void {
  const key = `approve-${agentId}-${client.nextNumber()}`;
  const command = { type: 'ApproveAgent', agentId, zone: 'default', fingerprint } as const;
  const attempt = async (gateway: GatewayProcess): Promise<boolean> => {
    const answer = await client.askFleet(gateway, key, command);
    if (answer?.kind === 'accepted') void gateway.join(agentId);
    return answer !== null;
  };
  void once(trust, `approval of ${agentId}`, () => client.insist(attempt));
}

function revokeSomeAgent(world: World, trust: Trust, random: Random): void {
  const host = random.any(world.hosts);
  if (host !== null) revoke(world, trust, host.agentId);
}

function revoke({ client }: World, trust: Trust, agentId: string): void {
  const key = `revoke-${agentId}-${client.nextNumber()}`;
  const attempt = async (gateway: GatewayProcess): Promise<boolean> =>
    (await client.askFleet(gateway, key, { type: 'RevokeAgent', agentId })) !== null;
  void once(trust, `revocation of ${agentId}`, () => client.insist(attempt));
}

function removeSomeAgent(world: World, trust: Trust, random: Random): void {
  const agents = [...world.witness.fleet.agents.values()];
  const agentId = random.any(agents.filter(({ zone, revokedAt }) => zone === null || revokedAt !== null))?.agentId;
  if (agentId !== undefined) remove(world, trust, agentId);
}

/** As the route: the zone of one that is known to be revoked lets it go first. */
function remove({ client }: World, trust: Trust, agentId: string): void {
  const key = `remove-${agentId}-${client.nextNumber()}`;
  const request = { remove: agentId };
  const attempt = async (gateway: GatewayProcess): Promise<boolean> => {
    const known = gateway.fleetShown?.state.agents.get(agentId);
    const approval = known === undefined || known.revokedAt === null ? null : known.approval;
    if (approval !== null) {
      const left = await client.ask(gateway, `${key}-from-zone`, { type: 'LeaveAgent', agentId, approval }, request);
      if (left?.kind !== 'accepted') return left !== null;
    }
    return (await client.askFleet(gateway, key, { type: 'RemoveAgent', agentId, left: approval }, request)) !== null;
  };
  void once(trust, `removal of ${agentId}`, () => client.insist(attempt));
}

function issueToken(world: World, trust: Trust): void {
  issue(world, trust, drawToken(trust.random));
}

/** The text is kept before it is good. */
function issue({ client, clock }: World, trust: Trust, token: DrawnToken): void {
  const { tokenId, text, fingerprint } = token;
  const attempt = async (gateway: GatewayProcess): Promise<boolean> => {
    const answer = await client.askFleet(gateway, `issue-${tokenId}`, {
      type: 'IssueManagerToken',
      tokenId,
      fingerprint,
    });
    if (answer?.kind === 'accepted') trust.present = token;
    return answer !== null;
  };
  void once(trust, 'new token', async () => {
    trust.issued.set(tokenId, text);
    const secret = { text, madeAt: clock.now() };
    await write(trust.secrets, 'managerToken', nameOf.managerToken(tokenId), secret, null);
    await client.insist(attempt);
  });
}

/** Into the configuration of one agent, which shows it when it next connects. */
function carryToken({ hosts }: World, trust: Trust, random: Random): void {
  const credential = random.any(hosts)?.credential;
  if (credential) credential.token = trust.present.text;
}

function revokeSomeToken({ client, clock, witness }: World, trust: Trust, random: Random): void {
  const tokenId = random.any([...witness.fleet.managerTokens.keys()]);
  const force = random.chance(0.2);
  if (tokenId === null) return;
  const key = `revoke-${tokenId}-${client.nextNumber()}`;
  void client.insist(async (gateway) => {
    const answer = await client.askFleet(gateway, key, { type: 'RevokeManagerToken', tokenId, force });
    if (answer?.kind === 'accepted') await erase(trust.secrets, clock, nameOf.managerToken(tokenId));
    return answer !== null;
  });
}

function setUpAnew({ hosts, witness }: World, trust: Trust, random: Random): void {
  const host = random.any(hosts.filter(({ agentId }) => witness.lives.now(agentId) === null));
  void host?.setUpAnew(drawSecret(trust.random));
}
