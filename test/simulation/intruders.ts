import { agentPassword } from '../../infra/agentIdentity.ts';
import { isoTime } from '../../infra/clock.ts';
import { aCheckIn } from '../support/builders.ts';
import type { AgentHost } from './agentHost.ts';
import type { Random } from './random.ts';
import { drawSecret, tokenText } from './secretTexts.ts';
import type { Trust, World } from './world.ts';

const LONGEST_STAY_MS = 60_000;

/** Somebody who may not come in tries to: with another's id, with a token that is none any more, or never was one. */
export function someKnock(world: World, trust: Trust, random: Random): void {
  const { clock, client } = world;
  const host = random.any(world.hosts);
  if (host === null) return;
  const attempt = random.pick([otherSecret, otherSecret, revokedToken, madeUpToken, stranger]);
  const shown = attempt(world, trust, host, random);
  if (shown === null) return;
  const number = client.nextNumber();
  const stayMs = random.int(10, LONGEST_STAY_MS);
  const enter = async (): Promise<void> => {
    const connection = await trust.entrance.enter({ ...shown, from: `intruder-${number}` });
    if (connection === null) return;
    if (attempt === stranger) speak(world, shown.agentId);
    await clock.sleep(stayMs);
    trust.entrance.leave(connection);
  };
  void enter();
}

interface Attempt {
  readonly agentId: string;
  readonly password: string;
}

function otherSecret(_world: World, trust: Trust, { agentId, credential }: AgentHost, random: Random): Attempt {
  const token = random.any([...trust.issued.values()]) ?? credential?.token ?? '';
  return { agentId, password: agentPassword(token, drawSecret(trust.random)) };
}

function revokedToken({ witness }: World, trust: Trust, host: AgentHost, random: Random): Attempt | null {
  const revoked = [...trust.issued].filter(([tokenId]) => !witness.fleet.managerTokens.has(tokenId));
  const token = random.any(revoked)?.[1];
  if (token === undefined || host.credential === null) return null;
  return { agentId: host.agentId, password: agentPassword(token, host.credential.secret) };
}

function madeUpToken({ witness }: World, trust: Trust, host: AgentHost, random: Random): Attempt | null {
  const tokenId = random.any([...witness.fleet.managerTokens.keys()]);
  if (tokenId === null || host.credential === null) return null;
  const token = tokenText(tokenId, drawSecret(trust.random));
  return { agentId: host.agentId, password: agentPassword(token, host.credential.secret) };
}

function stranger({ client }: World, trust: Trust): Attempt {
  const password = agentPassword(trust.present.text, drawSecret(trust.random));
  return { agentId: `stranger-${client.nextNumber()}`, password };
}

function speak({ bus, clock }: World, agentId: string): void {
  const observedAt = isoTime(clock.now());
  bus.say(aCheckIn({ agentId, hostname: agentId, bootId: `${agentId}-boot`, logId: null, observedAt }));
}
