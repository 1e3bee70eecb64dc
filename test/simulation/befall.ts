import { JUMPS_PER_100_STEPS, type FaultName } from './faults.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** What befalls the fleet between two steps. Faults of single messages and calls are where those are made. */

/** An agent is away for up to so many intervals between check-ins: after 3 it is late, after 6 missing. */
const LONGEST_INTERVALS = 12;

type Befall = (world: World, random: Random) => void;

const BEFALLS: Partial<Record<FaultName, Befall>> = {
  'agent crash': agentEnds,
  'agent cut off': agentIsCutOff,
  'engine outage': engineGoesDown,
  'gpu failure': gpuFails,
  'log outage': logGoesAway,
  'store outage': storeGoesAway,
  'bus outage': busGoesAway,
  'wiped bucket': ({ bus }) => bus.wipe(),
  'gateway crash': gatewayEnds,
  'two controllers': leasesSplit,
  'clock jump': clockJumps,
};

/** `sources` by the name of the fault, so that one fault less leaves the others where they were. */
export function someFaults(world: World): void {
  for (const [name, befall] of Object.entries(BEFALLS) as [FaultName, Befall][]) {
    const random = world.befalling(name);
    const perStep = (name === 'clock jump' ? JUMPS_PER_100_STEPS : world.faults[name]) / 100;
    if (random.chance(perStep) && world.faults[name] > 0) befall(world, random);
  }
}

/** Everything that is away comes back, at once where it can; a gateway that is starting takes its time. */
export function endFaults(world: World): void {
  world.logAway = false;
  world.bus.setAway(false);
  world.network.isSplit = false;
  for (const gateway of world.gateways) {
    gateway.clockOffset.ms = 0;
    gateway.setStoreAway(false);
  }
  for (const host of world.hosts) {
    host.engine.comeUp();
    host.boot();
    world.bus.cutOff(host.agentId, false);
    for (let index = 0; index < host.gpuCount; index += 1) host.setGpuHealth(index, 'ok');
  }
}

function agentEnds({ hosts, clock, plan }: World, random: Random): void {
  const host = random.any(hosts);
  if (host === null) return;
  if (random.chance(0.6)) {
    host.crash();
    void clock.sleep(random.int(10, LONGEST_INTERVALS * plan.patience.checkInSeconds * 1000)).then(() => host.boot());
    return;
  }
  void host
    .shutDown()
    .then(() => clock.sleep(random.int(10, 3000)))
    .then(() => host.boot());
}

function agentIsCutOff({ hosts, clock, bus, plan }: World, random: Random): void {
  const agentId = random.any(hosts)?.agentId;
  if (agentId === undefined) return;
  bus.cutOff(agentId, true);
  void clock
    .sleep(random.int(100, LONGEST_INTERVALS * plan.patience.checkInSeconds * 1000))
    .then(() => bus.cutOff(agentId, false));
}

function engineGoesDown({ hosts, clock }: World, random: Random): void {
  const engine = random.any(hosts)?.engine;
  if (engine === undefined) return;
  engine.goDown();
  void clock.sleep(random.int(100, 30_000)).then(() => engine.comeUp());
}

function gpuFails({ hosts, clock }: World, random: Random): void {
  const host = random.any(hosts.filter(({ gpuCount }) => gpuCount > 0));
  if (host === null) return;
  const index = random.int(0, host.gpuCount - 1);
  host.setGpuHealth(index, 'failed');
  void clock.sleep(random.int(1000, 60_000)).then(() => host.setGpuHealth(index, 'ok'));
}

function logGoesAway(world: World, random: Random): void {
  world.logAway = true;
  void world.clock.sleep(random.int(50, 20_000)).then(() => {
    world.logAway = false;
  });
}

/** The log is kept elsewhere than everything else that gateways share, and each has a way of its own to it. */
function storeGoesAway({ gateways, clock }: World, random: Random): void {
  const cutOff = random.chance(0.5) ? [...gateways] : gateways.slice(0, 1);
  for (const gateway of cutOff) gateway.setStoreAway(true);
  void clock.sleep(random.magnitude(50, 60_000)).then(() => {
    for (const gateway of cutOff) gateway.setStoreAway(false);
  });
}

function busGoesAway({ bus, clock }: World, random: Random): void {
  bus.setAway(true);
  void clock.sleep(random.magnitude(50, 90_000)).then(() => bus.setAway(false));
}

function gatewayEnds(world: World, random: Random): void {
  const { gateways, clock } = world;
  const ended = random.chance(0.3) ? [...gateways] : gateways.slice(0, 1);
  for (const gateway of ended) {
    gateways.splice(gateways.indexOf(gateway), 1);
    if (random.chance(0.6)) gateway.crash();
    else void gateway.shutDown();
    void clock.sleep(random.int(10, 15_000)).then(() => world.startGateway());
  }
}

/** Every gateway finds every lease free, and there are two of them at least: only the expected version keeps them apart. */
function leasesSplit(world: World, random: Random): void {
  const { gateways, clock, network } = world;
  if (network.isSplit) return;
  network.isSplit = true;
  if (gateways.length < 2) world.startGateway();
  void clock.sleep(random.int(2000, 30_000)).then(() => {
    network.isSplit = false;
  });
}

function clockJumps({ gateways, clock, faults }: World, random: Random): void {
  const gateway = random.any(gateways);
  if (gateway === null) return;
  const jump = random.int(-faults['clock jump'], faults['clock jump']);
  gateway.clockOffset.ms += jump;
  void clock.sleep(random.int(1000, 60_000)).then(() => {
    // Unless the calm has set it right meanwhile.
    if (faults['clock jump'] > 0) gateway.clockOffset.ms -= jump;
  });
}
