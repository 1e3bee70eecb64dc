import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import { capacityOf, schedulableGpus } from '../../domain/agents/capacity.ts';
import type { AgentState } from '../../domain/agents/state.ts';
import type { ImageNeeds } from '../../domain/images/image.ts';
import { chooseDevices } from '../../domain/placement/devices.ts';
import { roomFor, type Holding } from '../../domain/placement/room.ts';
import { placementRules } from '../../domain/placement/rules.ts';
import { aGpu, agentIn, ALL_GPUS, anAgent, anImage, aSession, GIB, given, gpus } from '../support/builders.ts';

function holdingOf(agent: AgentState): Holding {
  const { millicores, memoryBytes } = capacityOf(agent) ?? { millicores: 0, memoryBytes: 0 };
  const held = agent.allocated.gpus;
  return {
    capacity: { millicores, memoryBytes },
    allocated: agent.allocated,
    gpus: schedulableGpus(agent).map((device) => ({ device, held: held.has(device.uuid) })),
  };
}

const room = (facts: readonly ReturnType<typeof anAgent>[], needs: ImageNeeds) =>
  roomFor(holdingOf(agentIn(given(...facts).state)), needs);

test('6 cores and 6 GiB have room for exactly 6 sessions of 1 core and 1 GiB', (t) => {
  t.is(room([anAgent()], anImage()).sessions, 6);
});

test('with the cores overridden to 12, memory still has room for 6, and 12 GiB have room for 12', (t) => {
  t.deepEqual(room([anAgent({ coresOverride: 12 })], anImage()), { sessions: 6, limit: 'memory' });
  t.is(room([anAgent({ gib: 12, coresOverride: 12 })], anImage()).sessions, 12);
  t.is(room([anAgent({ coresOverride: 12, gibOverride: 12 })], anImage()).sessions, 12);
});

test('beside sessions of 2 and 3 cores 12 have room for 7 more of 1, and less than is allocated for none', (t) => {
  const held = [aSession({ id: 's-1', cores: 2 }), aSession({ id: 's-2', cores: 3 })] as const;
  t.deepEqual(room([anAgent({ gib: 60, coresOverride: 12 }), ...held], anImage()), { sessions: 7, limit: 'cores' });
  t.deepEqual(room([anAgent({ gib: 60, coresOverride: 4 }), ...held], anImage()), { sessions: 0, limit: 'cores' });
});

test('GPUs that are held, or of another model, leave no room; all of them are one session, or none', (t) => {
  const agent = anAgent({ cores: 64, gib: 64, gpus: [0, 1, 2, 3].map((index) => aGpu(index)) });
  t.deepEqual(room([agent], anImage({ gpu: gpus(2) })), { sessions: 2, limit: 'GPUs' });
  t.is(room([agent, aSession({ gpuUuids: ['GPU-0'] })], anImage({ gpu: gpus(2) })).sessions, 1);
  t.is(room([agent], anImage({ gpu: gpus(1), gpuModel: '*H100*' })).sessions, 0);
  t.is(room([agent], anImage({ gpu: ALL_GPUS })).sessions, 1);
  const mixed = anAgent({ gpus: [aGpu(0), aGpu(1, { model: 'NVIDIA L40S' })] });
  t.is(room([mixed], anImage({ gpu: ALL_GPUS, gpuModel: '*A100*' })).sessions, 0, 'all of them must match');
  t.is(room([agent, aSession({ gpuUuids: ['GPU-0'] })], anImage({ gpu: ALL_GPUS })).sessions, 0);
});

/** How often placement says yes when each is placed before the next is asked for. */
function placedOneByOne(agent: AgentState, needs: ImageNeeds): number {
  const { allocated } = agent;
  for (let count = 0; ; count += 1) {
    if (placementRules.some((rule) => rule.check(agent, { needs, pinnedAgentId: null }) !== null)) return count;
    const devices = chooseDevices(agent, needs);
    allocated.millicores += needs.millicores;
    allocated.memoryBytes += needs.memoryBytes;
    for (const uuid of devices) allocated.gpus.set(uuid, `s-${count}`);
  }
}

const device = fc.tuple(
  fc.record({
    model: fc.constantFrom('NVIDIA A100', 'NVIDIA L40S'),
    memoryBytes: fc.constantFrom(null, 24 * GIB, 80 * GIB),
    health: fc.constantFrom('ok' as const, 'failed' as const),
  }),
  fc.boolean(),
);
const wanted = fc.record({
  cores: fc.integer({ min: 1, max: 9 }),
  gib: fc.integer({ min: 1, max: 9 }),
  gpu: fc.constantFrom({ kind: 'none' } as const, gpus(1), gpus(2), ALL_GPUS),
  gpuModel: fc.constantFrom(null, '*A100*'),
  gpuMemoryBytes: fc.constantFrom(null, 40 * GIB),
});

testProp(
  'there is room for as many as placement takes, one after another',
  [
    fc.array(device, { maxLength: 5 }),
    wanted,
    fc.nat({ max: 20 }),
    fc.nat({ max: 20 }),
    fc.integer({ min: 1, max: 24 }),
  ],
  (t, devices, needs, coresHeld, gibHeld, size) => {
    const hardware = {
      cores: size,
      gib: 25 - size,
      gpus: devices.map(([gpu], index) => aGpu(index, gpu)),
    };
    const agent = agentIn(given(anAgent(hardware)).state);
    agent.allocated.millicores = coresHeld * 1000;
    agent.allocated.memoryBytes = gibHeld * GIB;
    for (const [index, [{ health }, held]] of devices.entries()) {
      if (held && health === 'ok') agent.allocated.gpus.set(`GPU-${index}`, 's-before');
    }
    const { sessions } = roomFor(holdingOf(agent), anImage(needs));
    t.is(sessions, placedOneByOne(agent, anImage(needs)));
  },
  { numRuns: 1000 },
);
