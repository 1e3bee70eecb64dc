import { statfs } from 'node:fs/promises';
import test from 'ava';
import type { EngineFacts } from '../agent/engine/port.ts';
import { UNTOLD, type GpuReading } from '../agent/gpu/gpuReading.ts';
import type { GpuInstrument } from '../agent/gpu/instrument.ts';
import { gpuDevices, gpuUse, noGpus } from '../agent/observe/gpus.ts';
import { hostObserver } from '../agent/observe/host.ts';
import { hostCounters, networkUse, parseNetworkDevices } from '../agent/observe/network.ts';
import { usage } from '../domain/checkIn.ts';
import { hardware, gpuDevice } from '../domain/schemas.ts';
import { quietLog } from './support/agentRig.ts';
import { fakeFacts } from './support/fakeEngine.ts';
import { manualClock } from './support/manualClock.ts';

const reading: GpuReading = {
  ...UNTOLD,
  index: 0,
  uuid: 'GPU-a',
  model: 'NVIDIA L40S',
  memoryBytes: 48 * 1024 ** 3,
  driver: '580.95.05',
  pciAddress: '00000000:18:00.0',
  volatileUncorrected: 0,
  utilizationPercent: 12,
  memoryUsedBytes: 1024,
  temperatureCelsius: 40,
  powerWatts: 80,
};

const NAMELESS = { uuid: null, profile: null, gpuInstance: 2, computeInstance: 0, memoryBytes: 1024 };

function usable(facts: EngineFacts | null, change: Partial<GpuReading> = {}): string | true {
  const [device] = gpuDevices({ ...noGpus, readings: [{ ...reading, ...change }] }, facts);
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

test('what is told of a GPU fits a check-in, whatever it is', (t) => {
  const told = {
    ...reading,
    migInstances: [{ ...NAMELESS, index: 3 }],
    retirementPending: true,
    aggregateUncorrected: 2,
  };
  const xids = new Map([['0000:18:00', [{ code: 94, at: Date.UTC(2026, 10, 4) }]]]);
  const inventory = { ...noGpus, readings: [told], xids };
  t.like(gpuDevices(inventory, fakeFacts)[0], { health: 'warning', usable: false });
  const [use] = usage.shape.gpus.parse(gpuUse(inventory));
  t.deepEqual(use, gpuUse(inventory)[0], 'nothing is lost on the way');
  t.like(use, { aggregateUncorrected: 2, newestXid: { code: 94, at: '2026-11-04T00:00:00.000Z' } });
  t.deepEqual(use?.migInstances, [NAMELESS]);
});

test('hardware does not change between looks, and a slow nvidia-smi holds up only the first', async (t) => {
  const clock = manualClock(0);
  let calls = 0;
  const host = hostObserver({
    clock,
    log: quietLog,
    gpus: {
      inventory() {
        calls += 1;
        return Promise.resolve({ kind: 'read', gpus: [reading], lost: [] });
      },
      load() {
        calls += 1;
        return new Promise(() => {});
      },
      kernelNews: () => Promise.resolve({ kind: 'read', messages: [] }),
      containersOf: () => Promise.resolve(new Map()),
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

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 99999999     100    0    0    0     0          0         0 99999999     100    0    0    0     0       0          0
  eth0: 1000000     700    0    0    0     0          0         0   500000     600    0    0    0     0       0          0
enp3s0f1:2000000    700    0    0    0     0          0         0    70000     600    0    0    0     0       0          0
 bond0: 3000000     700    0    0    0     0          0         0   570000     600    0    0    0     0       0          0
docker0: 444         1    0    0    0     0          0         0      444       1    0    0    0     0       0          0
br-0f3a1c: 444       1    0    0    0     0          0         0      444       1    0    0    0     0       0          0
veth12ab3: 444       1    0    0    0     0          0         0      444       1    0    0    0     0       0          0
   bad: no figures
`;

test('the traffic of a host is that of its hardware: no loopback, no bridge of containers, no bond twice', (t) => {
  const devices = parseNetworkDevices(NET_DEV);
  t.deepEqual([...devices.keys()], ['eth0', 'enp3s0f1', 'bond0']);
  const hardwareOnly = hostCounters(devices, (name) => name !== 'bond0');
  t.deepEqual(hardwareOnly, { receivedBytes: 3_000_000, sentBytes: 570_000 });
  const inContainer = hostCounters(
    parseNetworkDevices(NET_DEV.replaceAll(/^.*(enp3s0f1|bond0):.*\n/gm, '')),
    () => false,
  );
  t.deepEqual(inContainer, { receivedBytes: 1_000_000, sentBytes: 500_000 });
  t.is(
    hostCounters(parseNetworkDevices('lo: 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0'), () => true),
    null,
  );
});

/** A host without an NVIDIA driver. */
const noInstrument: GpuInstrument = {
  inventory: () => Promise.resolve({ kind: 'none' }),
  load: () => Promise.resolve({ kind: 'none' }),
  kernelNews: () => Promise.resolve({ kind: 'read', messages: [] }),
  containersOf: () => Promise.resolve(new Map()),
};

test('traffic is averaged since the last check-in, and unknown when a count went back', (t) => {
  const before = { receivedBytes: 1000, sentBytes: 500 };
  const after = { receivedBytes: 21_000, sentBytes: 500 };
  t.deepEqual(networkUse(before, after, 10_000), { receivedBytesPerSecond: 2000, sentBytesPerSecond: 0 });
  t.is(networkUse(after, before, 10_000), null);
  t.is(networkUse(null, after, 10_000), null);
  t.is(networkUse(before, null, 10_000), null);
  t.is(networkUse(before, after, 0), null);
});

test('a look at the host tells its traffic since the look before', async (t) => {
  const clock = manualClock(0);
  let receivedBytes = 0;
  const host = hostObserver({
    clock,
    log: quietLog,
    gpus: noInstrument,
    readNetwork: () => Promise.resolve({ receivedBytes: (receivedBytes += 5000), sentBytes: 100 }),
  });
  t.is((await host.look(null)).usage.network, null);
  await clock.advance(10_000);
  t.deepEqual((await host.look(null)).usage.network, { receivedBytesPerSecond: 500, sentBytesPerSecond: 0 });
});

test('the disk is that of the file system which holds the data root, and unknown where there is none', async (t) => {
  const lookAt = (dataRoot: string) =>
    hostObserver({
      clock: manualClock(0),
      log: quietLog,
      gpus: noInstrument,
    }).look({ ...fakeFacts, dataRoot });
  const { blocks, bsize } = await statfs(import.meta.dirname);
  t.is((await lookAt(import.meta.dirname)).usage.disk?.totalBytes, blocks * bsize);
  t.is((await lookAt('/there/is/no/such/folder')).usage.disk, null);
});
