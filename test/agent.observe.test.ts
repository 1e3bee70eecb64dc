import test from 'ava';
import type { EngineFacts } from '../agent/engine/port.ts';
import type { GpuReading } from '../agent/gpu/gpuQuery.ts';
import { gpuDevices, gpuUse, noGpus, takeReading } from '../agent/observe/gpus.ts';
import { hostObserver } from '../agent/observe/host.ts';
import { hardware, gpuDevice } from '../domain/schemas.ts';
import { quietLog } from './support/agentRig.ts';
import { fakeFacts } from './support/fakeEngine.ts';
import { manualClock } from './support/manualClock.ts';

const reading: GpuReading = {
  index: 0,
  uuid: 'GPU-a',
  model: 'NVIDIA L40S',
  memoryBytes: 48 * 1024 ** 3,
  driver: '580.95.05',
  pciAddress: '00000000:18:00.0',
  migMode: null,
  uncorrectedErrors: 0,
  utilizationPercent: 12,
  memoryUsedBytes: 1024,
  temperatureCelsius: 40,
  powerWatts: 80,
};

function usable(facts: EngineFacts | null, change: Partial<GpuReading> = {}): string | true {
  const [device] = gpuDevices({ readings: [{ ...reading, ...change }], failure: null }, facts);
  gpuDevice.parse(device);
  return device?.usable === true ? true : (device?.unusableReason ?? '');
}

test('a GPU is usable when the engine has the nvidia runtime, its hook, or a CDI device of its UUID', (t) => {
  t.true(usable({ ...fakeFacts, runtimes: ['runc', 'nvidia'] }));
  t.true(usable({ ...fakeFacts, nvidiaHook: true }));
  t.true(usable({ ...fakeFacts, cdiDevices: ['nvidia.com/gpu=GPU-a'] }));
});

test('a GPU that cannot be given to a session says why', (t) => {
  t.regex(String(usable(fakeFacts)), /container toolkit/);
  t.regex(String(usable({ ...fakeFacts, cdiDevices: ['nvidia.com/gpu=0'] })), /device-name-strategy=uuid/);
  t.regex(String(usable({ ...fakeFacts, nvidiaHook: true }, { migMode: 'on' })), /MIG/);
  t.regex(String(usable(null)), /has not answered/);
});

test('uncorrected memory errors make a GPU failed', (t) => {
  const health = (uncorrectedErrors: number | null) =>
    gpuDevices({ readings: [{ ...reading, uncorrectedErrors }], failure: null }, fakeFacts)[0]?.health;
  t.is(health(0), 'ok');
  t.is(health(null), 'ok');
  t.is(health(1), 'failed');
});

test('when the driver stops answering its GPUs stay listed, as failed and without figures, until it answers again', (t) => {
  const before = takeReading(noGpus, { kind: 'ok', gpus: [reading] });
  const failed = takeReading(before, { kind: 'failed', message: 'Driver/library version mismatch' });
  const facts = { ...fakeFacts, nvidiaHook: true };
  t.like(gpuDevices(failed, facts)[0], { uuid: 'GPU-a', health: 'failed', usable: false });
  t.deepEqual(gpuUse(failed), []);
  t.deepEqual(takeReading(failed, { kind: 'ok', gpus: [reading] }), before);
  t.deepEqual(takeReading(failed, { kind: 'none' }), noGpus);
});

test('hardware does not change between looks, and a slow nvidia-smi holds up only the first', async (t) => {
  const clock = manualClock(0);
  let calls = 0;
  const host = hostObserver({
    clock,
    log: quietLog,
    readGpus() {
      calls += 1;
      return calls === 1 ? Promise.resolve({ kind: 'ok', gpus: [reading] }) : new Promise(() => {});
    },
  });
  const facts = { ...fakeFacts, nvidiaHook: true, dataRoot: '/' };
  const first = await host.look(facts);
  hardware.parse(first.hardware);
  t.is(first.hardware.gpus.length, 1);
  t.true((first.usage.disk?.totalBytes ?? 0) > (first.usage.disk?.usedBytes ?? 0));
  await clock.advance(10_000);
  const second = await host.look(facts);
  t.is(calls, 2);
  t.deepEqual(second.hardware, first.hardware);
  t.true(second.usage.memoryBytes > 0 && second.usage.memoryBytes < second.hardware.memoryBytes);
});
