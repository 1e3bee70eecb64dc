import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { judgeDisk } from '../agent/check/disk.ts';
import { judgeEngine } from '../agent/check/engine.ts';
import { askEngine, parseAccount, type EngineAccount } from '../agent/check/engineApi.ts';
import type { GpuLooks } from '../agent/check/gpuLook.ts';
import { judgeGpus } from '../agent/check/gpus.ts';
import { judgeLimits } from '../agent/check/limits.ts';
import { nvidiaOnPci } from '../agent/check/pci.ts';
import { probe, type Look } from '../agent/check/probe.ts';
import type { GpuDevice } from '../domain/schemas.ts';
import { fakeFacts } from './support/fakeEngine.ts';
import { temporaryFolder } from './support/folder.ts';
import { failed, late, seen, told } from './support/looks.ts';

/** What the check of a host says of its engine, disk and GPUs. */

const GIB = 1024 ** 3;

const engine: EngineAccount = {
  version: '28.5.2',
  apiVersion: '1.51',
  storageDriver: 'overlay2',
  cgroupVersion: '2',
  dataRoot: '/var/lib/docker',
  runtimes: ['runc'],
  limits: { memory: true, swap: true, cpuQuota: true, cpuShares: true, pids: true },
  forwarding: true,
  warnings: [],
};

const SOCKET = 'unix:///var/run/docker.sock';

const ENGINES: readonly (readonly [string, string, Look<EngineAccount>, RegExp])[] = [
  [
    'an engine that answers is well',
    SOCKET,
    seen(engine),
    /^ok engine: version 28\.5\.2 \(API 1\.51\).*\nok storage: .*overlay2$/,
  ],
  [
    'no socket is told',
    SOCKET,
    failed('ENOENT'),
    /^wrong engine: there is no socket \/var\/run\/docker\.sock.*→ sudo systemctl start docker/,
  ],
  [
    'no permission is told',
    SOCKET,
    failed('EACCES'),
    /^wrong engine: this user may not open \/var\/run.*→ sudo usermod -aG docker/,
  ],
  [
    'an engine that does not run is told',
    SOCKET,
    failed('ECONNREFUSED'),
    /^wrong engine: nobody listens.*→ sudo systemctl start docker$/,
  ],
  ['an engine that hangs is told', SOCKET, late, /^wrong engine: .*does not answer in time → .*restart docker$/],
  [
    'an old engine is told',
    SOCKET,
    seen({ ...engine, apiVersion: '1.9' }),
    /^wrong engine: .*too old → install Docker 20\.10/,
  ],
  ['the oldest engine that will do is well', SOCKET, seen({ ...engine, apiVersion: '1.41' }), /^ok engine/],
  ['an engine of the next major API is well', SOCKET, seen({ ...engine, apiVersion: '2.0' }), /^ok engine/],
  [
    'a poor storage driver is a warning',
    SOCKET,
    seen({ ...engine, storageDriver: 'vfs' }),
    /\nwarning storage: .*vfs.*→ .*overlay2/,
  ],
  ['an address that cannot be is told', 'ssh://x', failed('ADDRESS_UNSUPPORTED'), /^wrong engine: .*→ set DOCKER_HOST/],
  [
    'anything else keeps its words',
    SOCKET,
    failed('EMFILE', 'too many'),
    /^wrong engine: .*it failed: too many → look at its log/,
  ],
];
for (const [title, host, look, expected] of ENGINES) {
  test(`engine: ${title}`, (t) => t.regex(told(judgeEngine(host, look)), expected));
}

test('engine: its own account is read, and what it leaves out is unknown', (t) => {
  const info = {
    Driver: 'overlay2',
    CgroupVersion: '2',
    DockerRootDir: '/var/lib/docker',
    Runtimes: { runc: {} },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsQuota: true,
    CPUShares: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    Warnings: null,
  };
  const version = JSON.stringify({ Version: '28.5.2', ApiVersion: '1.51' });
  t.deepEqual(parseAccount(version, JSON.stringify(info)), engine);
  t.like(parseAccount('{}', '{}'), { version: 'unknown', apiVersion: '0', cgroupVersion: '1', forwarding: null });
  t.throws(() => parseAccount('<html>', '{}'), { code: 'ENGINE_ANSWER_UNKNOWN' });
  t.throws(() => parseAccount('1', '{}'), { code: 'ENGINE_ANSWER_UNKNOWN' });
});

test('engine: one that takes connections and says nothing holds up nobody, one that is a web server is told', async (t) => {
  const answers = createServer((_request, response) => response.end('hello'));
  const hangs = createServer(() => {});
  const looks = [answers, hangs].map(async (server) => {
    const socketPath = join(await temporaryFolder(t), 'engine.sock');
    server.listen(socketPath);
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, 'listening');
    return probe(300, () => askEngine({ kind: 'unix', socketPath }, 200));
  });
  const [web, silent] = await Promise.all(looks);
  t.regex(told(judgeEngine(SOCKET, web ?? late)), /^wrong engine: .*not that of a container engine: hello/);
  t.regex(told(judgeEngine(SOCKET, silent ?? late)), /^wrong engine: .*does not answer in time/);
});

const limited = (limits: Partial<EngineAccount['limits']>): EngineAccount => ({
  ...engine,
  limits: { ...engine.limits, ...limits },
});
const LIMITS: readonly (readonly [string, EngineAccount | null, RegExp])[] = [
  ['all of them is well', engine, /^ok limits: cgroup v2/],
  ['no engine says nothing of them', null, /^warning limits: not looked at/],
  [
    'no memory limit stops sessions',
    limited({ memory: false, swap: false }),
    /^wrong limits: .*no memory.*→ .*cgroup_enable=memory[^\n]*$/,
  ],
  ['no swap limit is a warning', limited({ swap: false }), /^warning limits: .*swap.*→ .*swapaccount=1/],
  ['no CPU quota is a warning', limited({ cpuQuota: false }), /^warning limits: .*quota/],
  ['no CPU shares is a warning', limited({ cpuShares: false }), /^warning limits: .*shares/],
  ['no limit of processes is a warning', limited({ pids: false }), /^warning limits: .*processes/],
  ['unknown is not missing', limited({ memory: null, swap: null, pids: null }), /^ok/],
  [
    'no forwarding is a warning',
    { ...engine, forwarding: false },
    /^warning limits: .*→ sudo sysctl -w net\.ipv4\.ip_forward=1/,
  ],
  [
    'an open API is a warning',
    {
      ...engine,
      warnings: ['[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption.\n  Access'],
    },
    /^warning limits: .*open to everybody.*: API is accessible on http:\/\/0\.0\.0\.0:2375 without encryption\. →/,
  ],
];
for (const [title, account, expected] of LIMITS) {
  test(`limits: ${title}`, (t) => t.regex(told(judgeLimits(account)), expected));
}

for (const [free, total, expected] of [
  [50, 100, /^ok disk: 50 GiB of 100 GiB \(50 %\) are free for \/d$/],
  [10, 100, /^ok/],
  [9.9, 20, /^warning disk: only 9\.9 GiB/],
  [90, 1000, /^warning disk: only .*\(9 %\).*→ docker system df/],
  [20, 1000, /^warning/],
  [19, 1000, /^wrong disk: only .*no room → docker system df/],
  [0, 0, /^wrong/],
] as const) {
  test(`disk: ${free} GiB free of ${total} are ${expected.source.slice(1, 8)}`, (t) => {
    t.regex(told(judgeDisk('/d', seen({ freeBytes: free * GIB, totalBytes: total * GIB }))), expected);
  });
}

test('disk: one that cannot be read or asked for is a warning', (t) => {
  t.regex(told(judgeDisk('/d', failed('EACCES'))), /^warning disk: .*could not be read/);
  t.regex(told(judgeDisk(null, null)), /^warning disk: not looked at/);
});

const first: GpuDevice = {
  uuid: 'GPU-a',
  index: 0,
  model: 'NVIDIA L40S',
  memoryBytes: 48 * GIB,
  driver: '580.95.05',
  pciAddress: '00000000:18:00.0',
  migMode: null,
  health: 'ok',
  healthReason: null,
  usable: true,
  unusableReason: null,
};
const second: GpuDevice = { ...first, uuid: 'GPU-b', index: 1 };
const not = (device: GpuDevice, unusableReason: string): GpuDevice => ({ ...device, usable: false, unusableReason });
const gpus = (devices: readonly GpuDevice[]): GpuLooks['driver'] => seen({ kind: 'ok', devices });
const noDriver: GpuLooks['driver'] = seen({ kind: 'none' });

const GPUS: readonly (readonly [string, Partial<GpuLooks>, RegExp])[] = [
  ['none is well', {}, /^ok GPUs: none/],
  [
    'a card without a driver is told',
    { onPci: seen(2) },
    /^warning GPUs: 2 devices .*no driver → install the NVIDIA driver/,
  ],
  [
    'a runtime without a driver is told',
    { engine: { ...fakeFacts, runtimes: ['nvidia'] } },
    /^warning GPUs: .*no driver →/,
  ],
  [
    'a driver that fails is told in its own words',
    { driver: seen({ kind: 'failed', message: 'nvidia-smi ended with 18: mismatch' }) },
    /^wrong GPUs: nvidia-smi ended with 18: mismatch → sudo dmesg/,
  ],
  ['a driver that hangs is told', { driver: late }, /^wrong GPUs: nvidia-smi: no answer within 3 s/],
  ['a driver without devices is well', { driver: gpus([]) }, /^ok GPUs: the NVIDIA driver lists no device/],
  [
    'usable ones are well',
    { driver: gpus([first, second]) },
    /^ok GPUs: GPUs 0, 1 \(NVIDIA L40S, driver 580\.95\.05\)/,
  ],
  [
    'no toolkit is told once for all',
    { driver: gpus([not(first, 'it needs the container toolkit'), not(second, 'it needs the container toolkit')]) },
    /^wrong GPUs: GPUs 0, 1: .*container toolkit.*→ .*nvidia-ctk runtime configure[^\n]*$/,
  ],
  [
    'CDI names by index are told',
    { driver: gpus([not(first, 'named by index only')]), engine: { ...fakeFacts, cdiDevices: ['nvidia.com/gpu=0'] } },
    /^wrong GPUs: GPU 0: .*by index only.*→ sudo nvidia-ctk cdi generate --device-name-strategy=uuid/,
  ],
  [
    'MIG is a warning, and another device stands apart',
    { driver: gpus([not({ ...first, migMode: 'on' }, 'MIG mode is on'), second]) },
    /^warning GPUs: GPU 0: MIG.*\nok GPUs: GPU 1/,
  ],
  [
    'a broken device is told, and the others stand apart',
    { driver: gpus([first, { ...second, health: 'failed', healthReason: 'it fell off the bus' }]) },
    /^wrong GPUs: GPU 1 failed: it fell off the bus →.*\nok GPUs: GPU 0 /,
  ],
  [
    'without an engine they cannot be judged',
    { driver: gpus([not(first, 'the engine has not answered yet')]), engine: null },
    /^warning GPUs: GPU 0: .*has not answered/,
  ],
];
for (const [title, looks, expected] of GPUS) {
  test(`GPUs: ${title}`, (t) => {
    t.regex(told(judgeGpus({ driver: noDriver, engine: fakeFacts, onPci: seen(0), ...looks })), expected);
  });
}

test('GPUs: of the devices on the PCI bus only NVIDIA’s display controllers count', async (t) => {
  const folder = await temporaryFolder(t);
  for (const [name, vendor, type] of [
    ['a', '0x10de', '0x030200'],
    ['b', '0x10de', '0x040300'],
    ['c', '0x8086', '0x030000'],
  ] as const) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'vendor'), `${vendor}\n`);
    await writeFile(join(folder, name, 'class'), `${type}\n`);
  }
  t.is(await nvidiaOnPci(folder), 1);
});
