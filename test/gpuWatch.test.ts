import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { InventoryAnswer, LoadAnswer } from '../agent/gpu/answers.ts';
import { containerIdsIn, containersOf } from '../agent/gpu/cgroups.ts';
import { UNTOLD, type GpuReading } from '../agent/gpu/gpuReading.ts';
import { gpuInstrument, type GpuInstrument } from '../agent/gpu/instrument.ts';
import type { KernelNews } from '../agent/gpu/kernelLog.ts';
import { gpuMemoryOf, withGpuMemory } from '../agent/observe/gpuMemory.ts';
import { GpuWatch } from '../agent/observe/gpuWatch.ts';
import type { AgentLog } from '../agent/ports.ts';
import { quietLog } from './support/agentRig.ts';
import { fakeFacts } from './support/fakeEngine.ts';
import { temporaryFolder } from './support/folder.ts';
import { manualClock } from './support/manualClock.ts';
import { fakeNvidiaSmi, stubNvidiaSmi } from './support/nvidiaSmi.ts';

const facts = { ...fakeFacts, nvidiaHook: true };
const BOX = 'c'.repeat(64);

function gpu(n: number, change: Partial<GpuReading> = {}): GpuReading {
  return { ...UNTOLD, index: n, uuid: `GPU-${n}`, pciAddress: `00000000:0${n}:00.0`, ...change };
}

function listing(...gpus: readonly GpuReading[]): InventoryAnswer {
  return { kind: 'read', gpus, lost: [] };
}

function loading(utilizationPercent: number, ...uuids: readonly string[]): LoadAnswer {
  const figures = { utilizationPercent, memoryUsedBytes: 1, temperatureCelsius: 2, powerWatts: 3 };
  return { kind: 'read', figures: new Map(uuids.map((uuid) => [uuid, figures])) };
}

/** A watch whose instrument answers what the test sets, and which notes what it was asked and what it warned of. */
function watched(first: InventoryAnswer) {
  const clock = manualClock(Date.UTC(2026, 10, 4));
  const world = {
    inventory: first,
    load: loading(0, 'GPU-1', 'GPU-2'),
    kernel: { kind: 'read', messages: [] } as KernelNews,
    asked: [] as string[],
    warned: [] as string[],
  };
  const instrument: GpuInstrument = {
    inventory: () => (world.asked.push('inventory'), Promise.resolve(world.inventory)),
    load: () => (world.asked.push('load'), Promise.resolve(world.load)),
    kernelNews: () => Promise.resolve(world.kernel),
    containersOf: (pids) => Promise.resolve(new Map(pids.map((pid) => [pid, [BOX]]))),
  };
  const log: AgentLog = { ...quietLog, warn: (_, message) => world.warned.push(message) };
  const watch = new GpuWatch({ instrument, clock, log, uptimeMs: () => 100_000 });
  const read = async () => {
    await watch.read();
    await clock.advance(10_000);
  };
  return {
    world,
    watch,
    read,
    clock,
    health: () => watch.devices(facts).map((each) => [each.health, each.healthReason]),
  };
}

test('the whole inventory is taken every half minute, the figures that move in between', async (t) => {
  const { world, watch, read } = watched(listing(gpu(1), gpu(2)));
  for (let each = 0; each < 7; each += 1) await read();
  t.deepEqual(world.asked, ['inventory', 'load', 'load', 'inventory', 'load', 'load', 'inventory']);
  world.load = loading(77, 'GPU-1', 'GPU-2');
  await read();
  t.deepEqual(
    watch.use().map(({ uuid, utilizationPercent, powerWatts }) => [uuid, utilizationPercent, powerWatts]),
    [
      ['GPU-1', 77, 3],
      ['GPU-2', 77, 3],
    ],
  );
});

test('a host without GPUs is asked every half minute and no more', async (t) => {
  for (const nothing of [{ kind: 'none' }, listing()] as const) {
    const { world, watch, read } = watched(nothing);
    for (let each = 0; each < 4; each += 1) await read();
    t.deepEqual(world.asked, ['inventory', 'inventory']);
    t.deepEqual(watch.devices(facts), []);
    t.deepEqual(world.warned, []);
  }
});

test('a GPU that the driver does not list any more stays, as failed, and comes back when it is listed again', async (t) => {
  const { world, watch, read, health } = watched(listing(gpu(1), gpu(2)));
  await read();
  t.deepEqual(health(), [
    ['ok', null],
    ['ok', null],
  ]);
  const before = watch.devices(facts);
  world.inventory = listing(gpu(2, { index: 1 }));
  world.load = loading(5, 'GPU-2');
  await read();
  await read();
  t.deepEqual(world.asked, ['inventory', 'load', 'inventory'], 'a device less is reason to take the inventory again');
  const [gone, there] = watch.devices(facts);
  t.like(gone, { uuid: 'GPU-1', health: 'failed', usable: true });
  t.regex(gone?.healthReason ?? '', /does not list it any more/);
  t.like(there, { uuid: 'GPU-2', index: 1, health: 'ok' });
  t.deepEqual(
    watch.use().map(({ uuid }) => uuid),
    ['GPU-2'],
    'nothing is known of it',
  );
  t.deepEqual(world.warned, ['a GPU is not there any more']);
  await read();
  t.is(world.warned.length, 1, 'which is said once');
  world.inventory = listing(gpu(1), gpu(2));
  world.load = loading(5, 'GPU-1', 'GPU-2');
  await read();
  await read();
  t.deepEqual(watch.devices(facts), before);
});

test('a driver that is taken away leaves its GPUs listed, as failed', async (t) => {
  const { world, read, health, clock } = watched(listing(gpu(1)));
  await read();
  world.inventory = { kind: 'none' };
  await clock.advance(30_000);
  await read();
  t.regex(String(health()[0]), /^failed,the driver does not list it any more/);
});

test('a driver that stops answering makes its GPUs failed and unusable, without figures, until it answers again', async (t) => {
  const { world, watch, read, health } = watched(listing(gpu(1), gpu(2)));
  await read();
  const before = watch.devices(facts);
  world.load = { kind: 'failed', message: 'nvidia-smi did not answer within 5 s' };
  world.inventory = { kind: 'failed', message: 'Driver/library version mismatch', lost: [] };
  await read();
  t.like(watch.devices(facts)[0], { usable: false, unusableReason: 'nvidia-smi did not answer within 5 s' });
  t.deepEqual(health(), [
    ['failed', 'the driver does not answer for it'],
    ['failed', 'the driver does not answer for it'],
  ]);
  t.deepEqual(watch.use(), []);
  await read();
  await read();
  t.deepEqual(world.warned, ['the GPUs could not be read'], 'which is said once');
  world.inventory = listing(gpu(1), gpu(2));
  await read();
  t.deepEqual(watch.devices(facts), before);
  t.deepEqual(world.asked, ['inventory', 'load', 'inventory', 'inventory', 'inventory']);
});

test('a GPU that the driver has lost is told apart from those it still reads, and from those it does not tell of', async (t) => {
  const { world, watch, read, health, clock } = watched(listing(gpu(1), gpu(2)));
  await read();
  world.inventory = { kind: 'read', gpus: [gpu(2)], lost: ['0000:01:00'] };
  await clock.advance(30_000);
  await read();
  t.regex(String(health()[0]), /^failed,the driver has lost it/);
  t.deepEqual(health()[1], ['ok', null]);
  world.inventory = { kind: 'failed', message: 'GPU is lost', lost: ['0000:01:00'] };
  await clock.advance(30_000);
  await read();
  t.regex(String(health()[0]), /^failed,the driver has lost it/);
  t.deepEqual(health()[1], ['failed', 'the driver does not answer for it']);
  t.like(watch.devices(facts)[1], { usable: false, unusableReason: 'GPU is lost' });
});

test('an Xid in the kernel log is held against its device, by its address', async (t) => {
  const { world, watch, read, health, clock } = watched(listing(gpu(1), gpu(2)));
  const text = 'NVRM: Xid (PCI:0000:02:00): 79, pid=1, GPU has fallen off the bus.';
  world.kernel = { kind: 'read', messages: [{ microseconds: 60_000_000, text }] };
  const now = clock.now();
  await read();
  t.deepEqual(health()[0], ['ok', null]);
  t.regex(String(health()[1]), /^failed,it has fallen off the bus \(Xid 79\)/);
  world.kernel = { kind: 'read', messages: [] };
  const said = JSON.stringify(watch.devices(facts));
  await read();
  t.is(JSON.stringify(watch.devices(facts)), said, 'and the reason stays the same');
  t.deepEqual(
    watch.use().map(({ newestXid }) => newestXid),
    [null, { code: 79, at: new Date(now - 40_000).toISOString() }],
  );
});

test('a kernel log that cannot be read is said once, and the GPUs are read all the same', async (t) => {
  const { world, read, health } = watched(listing(gpu(1)));
  world.kernel = { kind: 'unreadable', message: '/dev/kmsg cannot be read: EPERM' };
  await read();
  await read();
  t.deepEqual(health(), [['ok', null]]);
  t.deepEqual(world.warned, ['Xid errors of the GPUs are not known']);
});

test('a device on the edge of its heat does not change with every look', async (t) => {
  const { world, read, health } = watched(listing(gpu(1, { slowedByHeat: true })));
  world.load = loading(100, 'GPU-1');
  const seen = new Set<string>();
  for (let minute = 0; minute < 10; minute += 1) {
    for (let each = 0; each < 6; each += 1) await read();
    seen.add(String(health()[0]));
    world.inventory = listing(gpu(1, { slowedByHeat: minute % 2 === 1 }));
  }
  t.deepEqual([...seen], ['warning,it is slowed down by heat: look at its cooling']);
  world.inventory = listing(gpu(1, { slowedByHeat: false }));
  for (let each = 0; each < 6 * 17; each += 1) await read();
  t.deepEqual(health(), [['ok', null]], 'and it is over after a quarter of an hour');
});

test('what processes hold of the GPUs is summed for the session whose container they are in', async (t) => {
  const processes = [
    { pid: 10, type: 'C', memoryBytes: 100 },
    { pid: 11, type: 'C', memoryBytes: 20 },
  ];
  const untold = [{ pid: 12, type: 'C', memoryBytes: null }];
  const { watch, read } = watched(listing(gpu(1, { processes }), gpu(2, { processes: untold })));
  await read();
  const use = [
    { sessionId: 's1', millicores: 1, memoryBytes: 2, gpus: [] },
    { sessionId: 's2', millicores: 1, memoryBytes: 2, gpus: [] },
  ];
  const sessions = [
    { sessionId: 's1', containerId: BOX },
    { sessionId: 's2', containerId: 'd'.repeat(64) },
    { sessionId: 's3', containerId: null },
  ];
  t.deepEqual(
    withGpuMemory(use, sessions, watch.memory()).map(({ gpus }) => gpus),
    [
      [
        { uuid: 'GPU-1', memoryUsedBytes: 120 },
        { uuid: 'GPU-2', memoryUsedBytes: null },
      ],
      [],
    ],
  );
  t.is(gpuMemoryOf([gpu(1, { processes })], new Map([[10, []]])).size, 0, 'what is in no container is of no session');
});

test('the container of a process is found under either version of control groups, and inside another one', (t) => {
  const inner = 'd'.repeat(64);
  const table: readonly (readonly [string, readonly string[]])[] = [
    [`0::/system.slice/docker-${BOX}.scope\n`, [BOX]],
    [`0::/docker/${BOX}\n`, [BOX]],
    [`0::/../docker-${BOX}.scope/user.slice\n`, [BOX]],
    [`12:memory:/docker/${BOX}\n11:cpu,cpuacct:/docker/${BOX}\n1:name=systemd:/docker/${BOX}\n0::/\n`, [BOX]],
    [`0::/machine.slice/libpod-${BOX}.scope/container\n`, [BOX]],
    [`0::/docker/${BOX}/docker/${inner}\n`, [BOX, inner]],
    ['0::/user.slice/user-1000.slice/session-3.scope\n', []],
    [`0::/docker/${BOX}f\n`, []],
    ['', []],
  ];
  for (const [text, ids] of table) t.deepEqual(containerIdsIn(text), ids, text);
});

test('a process that has ended meanwhile is in no container', async (t) => {
  const proc = await temporaryFolder(t);
  await mkdir(join(proc, '7'));
  await writeFile(join(proc, '7', 'cgroup'), `0::/docker/${BOX}\n`);
  const found = await containersOf([7, 8, 7], proc);
  t.deepEqual(
    [...found],
    [
      [7, [BOX]],
      [8, []],
    ],
  );
});

/** nvidia-smi of a fixture on the PATH; null hangs. */
async function pathWith(t: ExecutionContext, fixture: string | null): Promise<string> {
  return `${await stubNvidiaSmi(await temporaryFolder(t), fixture)}:${process.env['PATH'] ?? ''}`;
}

test('nvidia-smi on the path is asked and read', async (t) => {
  const folder = await temporaryFolder(t);
  await fakeNvidiaSmi(folder, [{ uuid: 'GPU-a', utilizationPercent: 12, processes: [{ pid: 9, mib: 5 }] }]);
  const instrument = gpuInstrument({ path: `${folder}:${process.env['PATH'] ?? ''}` });
  const inventory = await instrument.inventory();
  t.like(inventory.kind === 'read' ? inventory.gpus[0] : null, {
    uuid: 'GPU-a',
    model: 'NVIDIA Test GPU',
    utilizationPercent: 12,
    processes: [{ pid: 9, type: 'C', memoryBytes: 5 * 1_048_576 }],
  });
  const load = await instrument.load();
  t.is(load.kind === 'read' ? load.figures.get('GPU-a')?.utilizationPercent : null, 12);
});

test('the names of MIG instances are asked for where there are any', async (t) => {
  const path = await pathWith(t, 'mig-on.xml');
  const folder = path.split(':')[0] ?? '';
  const asked = async () => (await readFile(join(folder, 'asked'), 'utf8')).trim().split('\n');
  await gpuInstrument({ path }).inventory();
  t.deepEqual(await asked(), ['-q -x', '-L']);
});

test('a host without nvidia-smi has no GPU', async (t) => {
  const instrument = gpuInstrument({ path: '/nowhere' });
  t.deepEqual(await instrument.inventory(), { kind: 'none' });
  t.deepEqual(await instrument.load(), { kind: 'none' });
});

test('nvidia-smi that hangs is killed at the time limit, and asked again later', async (t) => {
  const instrument = gpuInstrument({ path: await pathWith(t, null), timeLimitMs: 200 });
  const began = performance.now();
  t.like(await instrument.inventory(), { kind: 'failed' });
  t.true(performance.now() - began < 3_000);
  const again = await instrument.load();
  t.regex(again.kind === 'failed' ? again.message : '', /did not answer within 0.2 s/);
});

test('while nvidia-smi cannot be killed, questions are answered in time and no second one is started', async (t) => {
  const folder = await temporaryFolder(t);
  await stubNvidiaSmi(folder, 'one-h200.xml');
  // Its child keeps the output open when the program itself is killed, as a process does that hangs in the driver.
  const pidFile = join(folder, 'child');
  const program = `#!/bin/sh\necho "$*" >> '${folder}/asked'\nsleep 1000000 &\necho $! > '${pidFile}'\nwait\n`;
  await writeFile(join(folder, 'nvidia-smi'), program, { mode: 0o755 });
  const instrument = gpuInstrument({ path: `${folder}:${process.env['PATH'] ?? ''}`, timeLimitMs: 200 });
  const answers = [await instrument.inventory(), await instrument.load(), await instrument.inventory()];
  t.deepEqual(
    answers.map(({ kind }) => kind),
    ['failed', 'failed', 'failed'],
  );
  t.is((await readFile(join(folder, 'asked'), 'utf8')).trim(), '-q -x', 'it was started once');
  process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
  await stubNvidiaSmi(folder, 'one-h200.xml');
  t.like(await instrument.inventory(), { kind: 'read' }, 'and asked again when it is gone');
});
