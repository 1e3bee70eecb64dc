import type { GpuNeed } from '../../domain/gpuNeed.ts';
import type { Labels } from '../../domain/labels.ts';
import { PRUNE_MODE_NAMES } from '../../domain/pruneMode.ts';
import type { SetAgentSettings, ZoneCommand } from '../../domain/zone/commands.ts';
import { GIB, aRequest, anImage } from '../support/builders.ts';
import type { AgentHost } from './agentHost.ts';
import { LOCAL_IMAGE } from './images.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What people, and their programs, do to the fleet. */

type Change = Omit<SetAgentSettings, 'type' | 'agentId' | 'confirm' | 'ifVersion'>;
type Act = (world: World, random: Random) => void;

/** How often each comes beside the requests, relative to the others. */
const ACTS: readonly (readonly [number, Act])[] = [
  [14, stopSession],
  [6, changeSettings],
  [8, containerExits],
  [3, containerVanishes],
  [4, declareLost],
  [1, sealLog],
];
const OTHERS = ACTS.reduce((sum, [weight]) => sum + weight, 0);

export function somePeople(world: World, random: Random): void {
  const { rate, demand } = world.plan;
  for (let acts = random.int(0, rate); acts > 0; acts -= 1) {
    let left = random.next() * (demand + OTHERS) - demand;
    if (left < 0) {
      requestSession(world, random);
      continue;
    }
    const act = ACTS.find(([weight]) => (left -= weight) < 0);
    act?.[1](world, random);
  }
}

const INCLUDED = [[], [], [], ['rack'], ['rack=a'], ['rack=b']] as const;
const EXCLUDED = [[], [], [], ['spot'], ['rack=b']] as const;

function requestSession({ client, plan }: World, random: Random): void {
  const number = client.nextNumber();
  const key = `key-${number}`;
  const gpu = gpuNeed(plan, random);
  const image = anImage({
    cores: random.int(1, plan.cores),
    gib: random.int(1, plan.gib),
    gpu,
    gpuModel: gpu.kind === 'count' && random.chance(0.3) ? '*A100' : null,
    reference: random.chance(0.8) ? LOCAL_IMAGE : `muster/job:${random.int(1, 3)}`,
    ports: [{ containerPort: 8080, protocol: 'tcp' }],
    ...(plan.labels ? { includeLabels: [...random.pick(INCLUDED)], excludeLabels: [...random.pick(EXCLUDED)] } : {}),
  });
  const command = aRequest({
    sessionId: `s-${number}`,
    image,
    priority: random.int(-1, 1),
    whenFull: random.chance(0.8) ? 'queue' : 'fail',
    maxWaitSeconds: random.chance(0.3) ? random.int(1, 60) : null,
  });
  void client.send(key, command);
  if (random.chance(0.1)) void client.send(key, command);
}

function gpuNeed({ gpuShare, gpus }: Plan, random: Random): GpuNeed {
  if (!random.chance(gpuShare)) return { kind: 'none' };
  return random.chance(0.7) ? { kind: 'count', count: random.int(1, gpus) } : { kind: 'all' };
}

function stopSession({ client, witness }: World, random: Random): void {
  const sessionId = random.any([...witness.zone.sessions.keys()]);
  if (sessionId === null) return;
  const command: ZoneCommand = { type: 'StopSession', sessionId, cause: 'USER' };
  void client.send(`stop-${sessionId}-${client.nextNumber()}`, command);
}

function changeSettings({ client, hosts, plan }: World, random: Random): void {
  const host = random.any(hosts);
  if (host === null) return;
  const change = random.pick<Change>([
    { enabled: false },
    { enabled: true },
    { enabled: true },
    { millicores: random.int(2, 14) * 1000 },
    { millicores: null },
    { memoryBytes: random.int(2, 14) * GIB },
    { memoryBytes: 0 },
    ...(plan.labels ? otherSettings(random) : []),
  ]);
  const key = `settings-${client.nextNumber()}`;
  void client.send(key, { type: 'SetAgentSettings', agentId: host.agentId, confirm: true, ifVersion: null, ...change });
}

function otherSettings(random: Random): readonly Change[] {
  const labels = random.pick<Labels>([{}, { rack: 'a' }, { rack: 'b' }, { rack: 'b', spot: '' }]);
  return [{ labels }, { labels }, { labels }, { pruneMode: random.pick(PRUNE_MODE_NAMES) }];
}

function declareLost({ client, witness }: World, random: Random): void {
  const missing = [...witness.zone.agents.values()].filter(({ connectivity }) => connectivity === 'missing');
  const agentId = random.any(missing)?.agentId;
  if (agentId === undefined || random.chance(0.5)) return;
  void client.send(`lost-${agentId}-${client.nextNumber()}`, { type: 'DeclareAgentLost', agentId });
}

function sealLog({ client }: World): void {
  void client.send(`seal-${client.nextNumber()}`, { type: 'SealLog' });
}

function containerExits({ hosts }: World, random: Random): void {
  const found = someRunning(random, hosts);
  if (found === null) return;
  const oom = random.chance(0.3);
  found.host.engine.exit(found.sessionId, oom ? 137 : random.int(0, 2), oom);
}

function containerVanishes({ hosts }: World, random: Random): void {
  const found = someRunning(random, hosts);
  found?.host.engine.vanish(found.sessionId);
}

function someRunning(random: Random, hosts: readonly AgentHost[]) {
  return random.any(
    hosts.flatMap((host) =>
      host.engine.containers.filter(({ status }) => status === 'running').map(({ sessionId }) => ({ host, sessionId })),
    ),
  );
}
