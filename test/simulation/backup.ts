import type { AgentHost } from './agentHost.ts';
import { assertHolds } from './broken.ts';
import { cutBack } from './store.ts';
import { Witness, ZONE_LOG } from './witness.ts';
import type { World } from './world.ts';

const LOOKED_AT_MS = 60_000;
const STEP_MS = 5000;
const WORK_MS = 50;

/**
 * Everything is stopped, the zone's log is put back to what it was some commits ago, and everything is started again.
 * Agents that have carried out more than the log knows must be named by LOG_REWOUND, and until somebody has looked after
 * them nothing is removed there. Then somebody does: the containers that the log knows nothing of are removed by hand.
 */
export async function restoreBackup(world: World, pass: (ms: number) => Promise<void>): Promise<void> {
  const { plan, gateways, hosts, store, bus, client } = world;
  await Promise.all([stopAll(world), pass(STEP_MS)]);
  const version = Math.max(1, world.witness.version - plan.faults['restored backup']);
  cutBack(store, ZONE_LOG, version);
  world.isRestored = true;
  world.witness = new Witness(store, bus.sent, 'restored');
  world.witness.look();
  for (const [key, { version }] of client.accepted) if (version > world.witness.version) client.accepted.delete(key);
  const before = new Map(hosts.map((host) => [host, shown(host)]));
  gateways.length = 0;
  for (let index = 0; index < plan.gateways; index += 1) world.startGateway();
  for (const host of hosts) host.boot();
  for (let ms = 0; ms < LOOKED_AT_MS; ms += STEP_MS) await pass(STEP_MS);
  for (const host of hosts) {
    const isRewound = world.witness.zone.agents.get(host.agentId)?.conditions.has('LOG_REWOUND') === true;
    if (!isRewound) assertHolds('a restored backup is noticed', aheadOf(world, host));
    else assertHolds('after a restored backup nothing is removed by itself', changed(host, before.get(host)));
    if (isRewound) removeUnknown(world, host);
  }
  await goOnWorking(world, pass);
}

async function stopAll({ gateways, hosts }: World): Promise<void> {
  await Promise.all([...gateways.map((gateway) => gateway.shutDown()), ...hosts.map((host) => host.shutDown())]);
}

/** One whose document has changed again before it first spoke cannot be told from one that was never ahead. */
function aheadOf({ witness }: World, { agentId, appliedVersion }: AgentHost): string | null {
  const given = witness.zone.agents.get(agentId)?.desiredVersion ?? 0;
  if (appliedVersion <= given) return null;
  return `${agentId} has applied ${appliedVersion}, its document is of ${given}, and there is no LOG_REWOUND`;
}

function changed(host: AgentHost, before: string | undefined): string | null {
  return shown(host) === before ? null : `${host.agentId} had ${before}, has ${shown(host)}`;
}

/** The containers of a host, as text that can be compared. */
function shown({ engine }: AgentHost): string {
  return engine.containers.map(({ sessionId, status }) => `${sessionId} ${status}`).join(', ');
}

/** Agents listen again only to versions beyond all that they have heard, so the log has to grow past those. */
async function goOnWorking({ witness, hosts, client }: World, pass: (ms: number) => Promise<void>): Promise<void> {
  const agentId = hosts[0]?.agentId ?? '';
  const heard = Math.max(...hosts.map(({ appliedVersion }) => appliedVersion));
  for (let enabled = false; witness.version <= heard || enabled; enabled = !enabled) {
    const change = { agentId, confirm: true, ifVersion: null, enabled } as const;
    void client.send(`going-on-${client.nextNumber()}`, { type: 'SetAgentSettings', ...change });
    while (client.unanswered > 0) await pass(WORK_MS);
  }
}

/** What the condition asks of people. */
function removeUnknown({ witness }: World, { agentId, engine }: AgentHost): void {
  const known = witness.zone.agents.get(agentId)?.sessions;
  for (const { sessionId } of engine.containers) if (known?.has(sessionId) !== true) engine.vanish(sessionId);
}
