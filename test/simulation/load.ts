import type { GpuNeed } from '../../domain/gpuNeed.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { GIB, aRequest, anImage } from '../support/builders.ts';
import type { AgentHost } from './agentHost.ts';
import { LOCAL_IMAGE, type World } from './world.ts';

/** What people do to the fleet, and what befalls it. */

type Act = (world: World) => void;

/** How often each comes, relative to the others. */
const ACTS: readonly (readonly [number, Act])[] = [
  [30, requestSession],
  [14, stopSession],
  [6, changeSettings],
  [8, containerExits],
  [3, containerVanishes],
  [3, agentCrashes],
  [2, agentRestarts],
  [3, engineGoesDown],
  [3, agentIsCutOff],
  [2, gpuFails],
  [3, logGoesAway],
  [2, gatewayCrashes],
  [2, gatewayRestarts],
  [2, gatewayIsReplaced],
];
const TOTAL = ACTS.reduce((sum, [weight]) => sum + weight, 0);

export function someAct(world: World): void {
  let left = world.random.next() * TOTAL;
  for (const [weight, act] of ACTS) {
    left -= weight;
    if (left < 0) return act(world);
  }
}

let requests = 0;

/** Numbers start again with every run. */
export function startLoad(): void {
  requests = 0;
}

function requestSession(world: World): void {
  const { random, client } = world;
  requests += 1;
  const key = `key-${requests}`;
  const gpu = random.pick<GpuNeed>([
    { kind: 'none' },
    { kind: 'none' },
    { kind: 'count', count: random.int(1, 3) },
    { kind: 'all' },
  ]);
  const image = anImage({
    cores: random.int(1, 4),
    gib: random.int(1, 4),
    gpu,
    gpuModel: gpu.kind === 'count' && random.chance(0.3) ? '*A100' : null,
    reference: random.chance(0.8) ? LOCAL_IMAGE : `muster/job:${random.int(1, 3)}`,
    ports: [{ containerPort: 8080, protocol: 'tcp' }],
  });
  const command = aRequest({
    sessionId: `s-${requests}`,
    image,
    priority: random.int(-1, 1),
    whenFull: random.chance(0.8) ? 'queue' : 'fail',
    maxWaitSeconds: random.chance(0.3) ? random.int(1, 60) : null,
  });
  client.send(key, command);
  if (random.chance(0.1)) client.send(key, command);
}

function stopSession(world: World): void {
  const sessionId = world.random.any([...world.witness.zone.sessions.keys()]);
  if (sessionId === null) return;
  const command: ZoneCommand = { type: 'StopSession', sessionId, cause: 'USER' };
  world.client.send(`stop-${sessionId}-${world.random.int(1, 1e9)}`, command);
}

function changeSettings(world: World): void {
  const { random, client } = world;
  const host = random.any(world.hosts);
  if (host === null) return;
  const change = random.pick([
    { enabled: false },
    { enabled: true },
    { enabled: true },
    { millicores: random.int(2, 14) * 1000 },
    { millicores: null },
    { memoryBytes: random.int(2, 14) * GIB },
    { memoryBytes: 0 },
  ]);
  const key = `settings-${random.int(1, 1e9)}`;
  client.send(key, { type: 'SetAgentSettings', agentId: host.agentId, confirm: true, ifVersion: null, ...change });
}

function containerExits({ random, hosts }: World): void {
  const found = someRunning(random, hosts);
  if (found === null) return;
  const oom = random.chance(0.3);
  found.host.engine.exit(found.sessionId, oom ? 137 : random.int(0, 2), oom);
}

function containerVanishes({ random, hosts }: World): void {
  const found = someRunning(random, hosts);
  found?.host.engine.vanish(found.sessionId);
}

function someRunning(random: World['random'], hosts: readonly AgentHost[]) {
  return random.any(
    hosts.flatMap((host) =>
      host.engine.containers.filter(({ status }) => status === 'running').map(({ sessionId }) => ({ host, sessionId })),
    ),
  );
}

function agentCrashes({ random, hosts, clock }: World): void {
  const host = random.any(hosts);
  if (host === null) return;
  host.crash();
  void clock.sleep(random.int(10, 80_000)).then(() => host.boot());
}

function agentRestarts({ random, hosts, clock }: World): void {
  const host = random.any(hosts);
  if (host === null) return;
  void host
    .shutDown()
    .then(() => clock.sleep(random.int(10, 3000)))
    .then(() => host.boot());
}

function engineGoesDown({ random, hosts, clock }: World): void {
  const engine = random.any(hosts)?.engine;
  if (engine === undefined) return;
  engine.goDown();
  void clock.sleep(random.int(100, 30_000)).then(() => engine.comeUp());
}

function agentIsCutOff({ random, hosts, clock, bus }: World): void {
  const agentId = random.any(hosts)?.agentId;
  if (agentId === undefined) return;
  bus.setAway(agentId, true);
  void clock.sleep(random.int(100, 90_000)).then(() => bus.setAway(agentId, false));
}

function gpuFails({ random, hosts, clock }: World): void {
  const host = random.any(hosts.filter(({ gpuCount }) => gpuCount > 0));
  if (host === null) return;
  const index = random.int(0, host.gpuCount - 1);
  host.setGpuHealth(index, 'failed');
  void clock.sleep(random.int(1000, 60_000)).then(() => host.setGpuHealth(index, 'ok'));
}

function logGoesAway({ random, faults, clock }: World): void {
  faults.logAway = true;
  void clock.sleep(random.int(50, 20_000)).then(() => {
    faults.logAway = false;
  });
}

function gatewayCrashes(world: World): void {
  for (const gateway of world.gateways.splice(0)) gateway.crash();
  void world.clock.sleep(world.random.int(10, 15_000)).then(() => world.startGateway());
}

function gatewayRestarts(world: World): void {
  for (const gateway of world.gateways.splice(0)) void gateway.shutDown();
  world.startGateway();
}

/** A second one takes over while the first still thinks that it is the one. */
function gatewayIsReplaced(world: World): void {
  const { gateways, clock, random } = world;
  const [old] = gateways;
  if (old === undefined || gateways.length > 1) return;
  world.startGateway();
  void clock.sleep(random.int(1000, 8000)).then(() => {
    old.crash();
    const index = gateways.indexOf(old);
    if (index >= 0) gateways.splice(index, 1);
  });
}
