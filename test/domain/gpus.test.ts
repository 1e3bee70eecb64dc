import test from 'ava';
import { describeGpuNeed, gpuNeedFrom } from '../../domain/gpuNeed.ts';
import { chooseDevices, matchesGlob } from '../../domain/placement/devices.ts';
import type { PlacementRequest } from '../../domain/placement/rule.ts';
import { schedulableGpus, unschedulableReason } from '../../domain/agents/capacity.ts';
import type { ImageNeeds } from '../../domain/images/image.ts';
import {
  ALL_GPUS,
  GIB,
  aGpu,
  aRequest,
  aSession,
  agentIn,
  anAgent,
  anImage,
  given,
  gpus,
} from '../support/builders.ts';

const small = { cores: 0.1, gib: 0.1 };
const two = [aGpu(0), aGpu(1)];

/** The reason codes of `agent-1` for a session with this image, [] when it is placed. */
function codes(setup: Parameters<typeof anAgent>[0], image: Partial<ImageNeeds>, held: readonly string[] = []) {
  const sessions = held.map((uuid, index) => aSession({ id: `h-${index}`, ...small, gpuUuids: [uuid] }));
  const request = aRequest({ image: anImage({ ...small, ...image }), whenFull: 'fail' });
  const { explanation } = given(anAgent(setup), ...sessions).when(request);
  return explanation?.candidates[0]?.reasons.map(({ code, never }) => `${code}${never ? ' never' : ''}`);
}

test('require GPU and a count: off is none, on with 0 is all, a count is a count whether required or not', (t) => {
  t.deepEqual(gpuNeedFrom(false, 0), { kind: 'none' });
  t.deepEqual(gpuNeedFrom(true, 0), { kind: 'all' });
  t.deepEqual(gpuNeedFrom(true, 3), { kind: 'count', count: 3 });
  t.deepEqual(gpuNeedFrom(false, 3), { kind: 'count', count: 3 });
  t.deepEqual([gpus(1), gpus(4), ALL_GPUS, gpuNeedFrom(false, 0)].map(describeGpuNeed), [
    '1 GPU',
    '4 GPUs',
    'all GPUs of one agent',
    'no GPU',
  ]);
});

test('never enough devices and not enough free ones are different refusals', (t) => {
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(3) }), ['GPU_TOTAL_INSUFFICIENT never']);
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(2) }, ['GPU-0']), ['GPU_FREE_INSUFFICIENT']);
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(2) }), []);
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(1) }, ['GPU-0']), []);
  t.deepEqual(codes({}, { gpu: gpus(1) }), ['GPU_NONE never', 'GPU_TOTAL_INSUFFICIENT never']);
  t.deepEqual(codes({}, { gpu: ALL_GPUS }), ['GPU_NONE never']);
  t.deepEqual(codes({}, {}), []);
});

test('all means every schedulable device of one agent, exclusively', (t) => {
  t.deepEqual(codes({ gpus: two }, { gpu: ALL_GPUS }), []);
  t.deepEqual(codes({ gpus: two }, { gpu: ALL_GPUS }, ['GPU-1']), ['GPU_ALL_NEEDS_EMPTY']);
  const failed = [aGpu(0), aGpu(1, { health: 'failed' })];
  t.deepEqual(codes({ gpus: failed }, { gpu: ALL_GPUS }), []);
  const { facts } = given(anAgent({ gpus: failed })).when(aRequest({ image: anImage({ gpu: ALL_GPUS }) }));
  t.like(facts[1], { type: 'SessionPlaced', data: { claim: { gpuUuids: ['GPU-0'] } } });
});

test('a device that the engine cannot inject is detected, and not usable', (t) => {
  const unusable = [aGpu(0, { usable: false, unusableReason: 'no toolkit' }), aGpu(1)];
  t.deepEqual(codes({ gpus: unusable }, { gpu: gpus(2) }), ['GPU_NOT_USABLE']);
  t.deepEqual(codes({ gpus: unusable }, { gpu: gpus(1) }), []);
  t.deepEqual(codes({ gpus: unusable.slice(0, 1) }, { gpu: ALL_GPUS }), ['GPU_NOT_USABLE']);
  const agent = agentIn(given(anAgent({ gpus: unusable })).state);
  t.deepEqual(
    schedulableGpus(agent).map(({ uuid }) => uuid),
    ['GPU-1'],
  );
  t.deepEqual(agent.hardware?.gpus.map(unschedulableReason), ['no toolkit', null]);
});

test('a failed device takes no new session; one with a warning does', (t) => {
  t.deepEqual(codes({ gpus: [aGpu(0, { health: 'failed' }), aGpu(1)] }, { gpu: gpus(2) }), ['GPU_UNHEALTHY']);
  t.deepEqual(codes({ gpus: [aGpu(0, { health: 'failed' })] }, { gpu: ALL_GPUS }), ['GPU_UNHEALTHY']);
  t.deepEqual(codes({ gpus: [aGpu(0, { health: 'warning' }), aGpu(1)] }, { gpu: gpus(2) }), []);
});

test('a failed device says why, where its agent told', (t) => {
  const failed = aGpu(0, { health: 'failed', healthReason: 'it has fallen off the bus' });
  t.is(unschedulableReason(failed), 'it has fallen off the bus');
  t.is(unschedulableReason({ ...failed, healthReason: null }), 'the driver reports it as failed');
  t.is(unschedulableReason(aGpu(0, { health: 'warning', healthReason: 'a row waits to be remapped' })), null);
});

test('an image may ask for a model, as a glob, and for memory per device', (t) => {
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(1), gpuModel: '*h200*' }), ['GPU_MODEL_MISMATCH never']);
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(1), gpuModel: '*a100*' }), []);
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(1), gpuMemoryBytes: 81 * GIB }), ['GPU_MEMORY_SHORT never']);
  t.deepEqual(codes({ gpus: two }, { gpu: gpus(1), gpuMemoryBytes: 80 * GIB }), []);
  const unknown = [aGpu(0, { memoryBytes: null })];
  t.deepEqual(codes({ gpus: unknown }, { gpu: gpus(1), gpuMemoryBytes: 1 }), ['GPU_MEMORY_SHORT never']);
  const mixed = [aGpu(0), aGpu(1, { model: 'NVIDIA L4', memoryBytes: 24 * GIB })];
  t.deepEqual(codes({ gpus: mixed }, { gpu: ALL_GPUS, gpuModel: '*a100*' }), ['GPU_MODEL_MISMATCH never']);
  t.deepEqual(codes({ gpus: mixed }, { gpu: ALL_GPUS, gpuMemoryBytes: 40 * GIB }), ['GPU_MEMORY_SHORT never']);
});

test('model and memory must be met by one and the same device', (t) => {
  const mixed = [aGpu(0, { model: 'NVIDIA A100', memoryBytes: 40 * GIB }), aGpu(1, { model: 'NVIDIA H100' })];
  const needs = { gpu: gpus(1), gpuModel: '*A100*', gpuMemoryBytes: 80 * GIB };
  t.deepEqual(codes({ gpus: mixed }, needs), ['GPU_MEMORY_SHORT never']);
});

test('a glob matches the whole name, without regard to case', (t) => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['NVIDIA H200', 'NVIDIA H200', true],
    ['NVIDIA H200', 'nvidia h*', true],
    ['NVIDIA H200', 'H200', false],
    ['NVIDIA H200', '*H?00', true],
    ['NVIDIA H200 NVL', '*H?00', false],
    ['NVIDIA A100-SXM4-80GB', '*a100*80gb', true],
    ['', '*', true],
    ['a*b', 'a*b', true],
    ['abab', '*ab', true],
  ];
  for (const [text, pattern, matches] of table) t.is(matchesGlob(text, pattern), matches, `${text} / ${pattern}`);
});

test('a session gets unclaimed devices with the most memory first, ties in PCI order', (t) => {
  const devices = [
    aGpu(0, { memoryBytes: 24 * GIB }),
    aGpu(1, { memoryBytes: 80 * GIB, pciAddress: '0000:99:00.0' }),
    aGpu(2, { memoryBytes: 80 * GIB, pciAddress: '0000:11:00.0' }),
    aGpu(3, { memoryBytes: null }),
  ];
  const chosen = (count: number, held: readonly string[] = []) => {
    const sessions = held.map((uuid, index) => aSession({ id: `h-${index}`, ...small, gpuUuids: [uuid] }));
    const agent = agentIn(given(anAgent({ gpus: devices }), ...sessions).state);
    return chooseDevices(agent, anImage({ gpu: gpus(count) }));
  };
  t.deepEqual(chosen(1), ['GPU-2']);
  t.deepEqual(chosen(2), ['GPU-2', 'GPU-1']);
  t.deepEqual(chosen(2, ['GPU-2']), ['GPU-0', 'GPU-1']);
  t.deepEqual(chosen(3, ['GPU-2']), ['GPU-0', 'GPU-3', 'GPU-1']);
});

test('a session without a GPU claims none, whatever the agent has', (t) => {
  const request: PlacementRequest = { needs: anImage(), pinnedAgentId: null };
  t.deepEqual(chooseDevices(agentIn(given(anAgent({ gpus: two })).state), request.needs), []);
});
