import test from 'ava';
import { fc, testProp } from '@fast-check/ava';
import { boundedCheckIn, bytesOf, CHECK_IN_LIMIT_BYTES } from '../agent/boundedCheckIn.ts';
import { checkIn as checkInSchema, type CheckIn, type HostImage, type ObservedSession } from '../domain/checkIn.ts';
import { agentRig } from './support/agentRig.ts';
import { aCheckIn } from './support/builders.ts';
import { desired, plainImage, wanted } from './support/desired.ts';

/** The bus carries this much in one message; `nats.conf` says so. */
const BUS_LIMIT_BYTES = 2_000_000;

interface Amount {
  readonly sessions: number;
  readonly endpoints: number;
  readonly detail: number;
  readonly gpus: number;
  readonly images: number;
}

/** A check-in with as much of everything as is said. */
function checkInWith({ sessions, endpoints, detail, gpus, images }: Amount): CheckIn {
  const base = aCheckIn();
  return {
    ...base,
    hardware: { ...base.hardware, gpus: numbered(gpus, gpuDevice) },
    usage: {
      ...base.usage,
      gpus: numbered(gpus, (n) => ({
        uuid: gpuUuid(n),
        utilizationPercent: 50,
        memoryUsedBytes: 80 * 1024 ** 3,
        temperatureCelsius: 60,
        powerWatts: 312.5,
        volatileUncorrected: 0,
        aggregateUncorrected: 0,
        retiredPages: 0,
        remappedRows: 0,
        retirementPending: false,
        newestXid: { code: 94, at: '2026-11-01T12:00:00.000Z' },
        migInstances: [],
      })),
      sessions: numbered(sessions, (n) => ({
        sessionId: sessionId(n),
        millicores: 12_000,
        memoryBytes: 64 * 1024 ** 3,
        gpus: [],
      })),
    },
    sessions: numbered(sessions, (n) => observedSession(n, endpoints, detail)),
    orphans: numbered(Math.min(sessions, 256), (n) => ({ sessionId: `o-${sessionId(n)}`, logId: 'log-a' })),
    images: numbered(images, hostImage),
  };
}

function observedSession(n: number, endpoints: number, detail: number): ObservedSession {
  const failed = n % 2 === 1;
  return {
    sessionId: sessionId(n),
    status: failed ? 'failed' : 'running',
    containerId: failed ? null : n.toString(16).padStart(64, '0'),
    ...(failed ? {} : { imageDigest: `sha256:${'0'.repeat(64)}` }),
    exitCode: null,
    oomKilled: false,
    endpoints: failed ? [] : numbered(endpoints, (port) => endpoint(port + 1)),
    failure: failed ? { code: 'CONTAINER_START_FAILED', detail: 'é'.repeat(detail) } : null,
    pull: { layersDone: 1, layersTotal: 7, bytesDone: 1e9, bytesTotal: 9e9, attempt: 1 },
  };
}

function endpoint(containerPort: number) {
  return { containerPort, protocol: 'tcp' as const, hostAddress: '127.0.0.1', hostPort: 32_768 + containerPort };
}

function gpuDevice(index: number): CheckIn['hardware']['gpus'][number] {
  return {
    uuid: gpuUuid(index),
    index,
    model: 'NVIDIA H200',
    memoryBytes: 141 * 1024 ** 3,
    driver: '580.95.05',
    pciAddress: '00000000:3B:00.0',
    migMode: null,
    health: 'ok',
    healthReason: null,
    usable: true,
    unusableReason: null,
  };
}

function hostImage(n: number): HostImage {
  return {
    imageId: `sha256:${String(n).padStart(64, '0')}`,
    references: [`registry.example/team/notebook:${n}`],
    sizeBytes: 9e9,
  };
}

function gpuUuid(n: number): string {
  return `GPU-5d0f2a7c-91b4-4c1e-8a55-${String(n).padStart(12, '0')}`;
}

function sessionId(n: number): string {
  return `s-5d0f2a7c-91b4-4c1e-8a55-${String(n).padStart(12, '0')}`;
}

function numbered<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** What events follow from: it is said whatever else is left out. */
function factsOf({ sessions, orphans, hardware, engine, appliedVersion, logId, bootId, seq }: CheckIn) {
  const facts = sessions.map((session) => [
    session.sessionId,
    session.status,
    session.exitCode,
    session.oomKilled,
    session.failure?.code,
  ]);
  return { facts, orphans, hardware, engine, appliedVersion, logId, bootId, seq };
}

const amount = fc.record({
  sessions: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 4096 })),
  endpoints: fc.nat({ max: 64 }),
  detail: fc.nat({ max: 500 }),
  gpus: fc.nat({ max: 256 }),
  images: fc.nat({ max: 512 }),
});

testProp(
  'a check-in fits its limit, or is as short as it can be, and never leaves out what a session does',
  [amount],
  (t, much) => {
    const whole = checkInWith(much);
    const sent = boundedCheckIn(whole);
    t.notThrows(() => checkInSchema.parse(sent));
    t.deepEqual(factsOf(sent), factsOf(whole));
    const least = bytesOf(boundedCheckIn(whole, 0));
    t.true(bytesOf(sent) <= Math.max(CHECK_IN_LIMIT_BYTES, least), `${bytesOf(sent)} bytes`);
    if (bytesOf(whole) <= CHECK_IN_LIMIT_BYTES) t.is(sent, whole, 'what fits is sent as it is');
    else t.true(sent.truncated);
  },
  { numRuns: 40 },
);

test('with 1,000 sessions, long failures, 256 GPUs and 512 images a check-in still keeps to 256 KiB', (t) => {
  const sent = boundedCheckIn(checkInWith({ sessions: 1000, endpoints: 8, detail: 500, gpus: 256, images: 512 }));
  t.true(bytesOf(sent) <= 256 * 1024, `${bytesOf(sent)} bytes`);
});

test('with 4,096 sessions, whose statuses alone are more than 256 KiB, the bus still carries it', (t) => {
  const whole = checkInWith({ sessions: 4096, endpoints: 64, detail: 500, gpus: 256, images: 512 });
  t.true(bytesOf(whole) > BUS_LIMIT_BYTES);
  const sent = boundedCheckIn(whole);
  t.is(sent.sessions.length, 4096);
  t.true(bytesOf(sent) < BUS_LIMIT_BYTES / 2, `${bytesOf(sent)} bytes`);
});

test('what is measured is left out first, then details, and last where sessions are reached', (t) => {
  const whole = checkInWith({ sessions: 40, endpoints: 4, detail: 500, gpus: 8, images: 20 });
  const kept = (sent: CheckIn) =>
    [
      sent.images !== undefined && 'images',
      sent.sessions.some(({ pull }) => pull !== undefined) && 'pulls',
      sent.usage.sessions.length > 0 && 'use of sessions',
      sent.sessions.some(({ failure }) => (failure?.detail.length ?? 0) > 100) && 'long details',
      sent.usage.gpus.length > 0 && 'use of GPUs',
      sent.sessions.some(({ failure }) => failure?.detail !== '' && failure !== null) && 'details',
      sent.sessions.some(({ endpoints }) => endpoints.length > 1) && 'endpoints',
      sent.sessions.some(({ imageDigest }) => imageDigest !== undefined) && 'digests',
      sent.sessions.some(({ containerId }) => containerId !== null) && 'container ids',
      sent.sessions.some(({ endpoints }) => endpoints.length > 0) && 'an endpoint',
    ].filter((each) => each !== false);
  const order = kept(whole);
  t.is(order.length, 10);
  const seen: (readonly string[])[] = [];
  for (let limit = bytesOf(whole); ; limit -= 50) {
    const left = kept(boundedCheckIn(whole, limit));
    if (seen.at(-1)?.length !== left.length) seen.push(left);
    if (left.length === 0) break;
  }
  t.deepEqual(
    seen,
    numbered(11, (n) => order.slice(n)),
  );
});

test('what happens at one moment is told in one check-in', async (t) => {
  const rig = agentRig({ latencyMs: () => 2 });
  const stop = rig.start();
  const ids = numbered(30, (n) => `s${n}`);
  rig.bus.put(
    desired(
      1,
      ids.map((id) => wanted(id)),
    ),
  );
  await rig.clock.until(() => rig.bus.last?.sessions.filter(({ status }) => status === 'running').length === 30);
  await rig.clock.advance(1000);
  const before = rig.bus.heard.length;
  for (const id of ids) rig.engine.exit(id, 0);
  await rig.clock.until(() => rig.bus.last?.sessions.every(({ status }) => status === 'exited') === true, 500);
  t.true(rig.bus.heard.length - before <= 2, `${rig.bus.heard.length - before} check-ins`);
  await stop();
});

test('after an outage of the bus one check-in tells the state of now, and no older one follows', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => rig.bus.last?.sessions[0]?.status === 'running');
  const [heard, before] = [rig.bus.heard.length, rig.bus.last?.seq ?? 0];
  rig.bus.connected = false;
  rig.engine.exit('s1', 3);
  await rig.clock.advance(35_000);
  rig.bus.connected = true;
  await rig.clock.until(() => rig.bus.heard.length > heard, 2000);
  t.like(rig.bus.last?.sessions[0], { status: 'exited', exitCode: 3 });
  t.true((rig.bus.last?.seq ?? 0) > before, 'numbers never go back');
  await rig.clock.advance(5000);
  t.is(rig.bus.heard.length, heard + 1);
  await stop();
});

test('a version is said to be applied only when an agent that crashes now would still know it', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, []));
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 1);
  rig.disk.full = true;
  rig.bus.put(desired(2, []));
  await rig.clock.advance(25_000);
  t.is(rig.bus.last?.appliedVersion, 1);
  t.is(rig.disk.ledger.applied?.version, 1);
  rig.disk.full = false;
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2, 15_000);
  await stop();
});

test('every start of the agent is a boot of its own, whose check-ins count from one', async (t) => {
  const rig = agentRig();
  const first = rig.start();
  await rig.clock.until(() => rig.bus.heard.length > 0);
  await first();
  const again = rig.start();
  await rig.clock.until(() => rig.bus.heard.some(({ bootId }) => bootId === 'boot-2'));
  await again();
  const firsts = rig.bus.heard.filter(({ seq }) => seq === 1).map(({ bootId }) => bootId);
  t.deepEqual(firsts, ['boot-1', 'boot-2']);
});

test('the images of the host are read once a minute, and again at once after a pull', async (t) => {
  let reads = 0;
  const latencyMs = (call: string): number => {
    if (call === 'images') reads += 1;
    return call === 'pull' ? 3000 : 5;
  };
  const rig = agentRig({ images: new Set(['debian:12']), latencyMs });
  const stop = rig.start();
  await rig.clock.advance(50_000);
  t.is(reads, 1);
  t.deepEqual(
    rig.bus.last?.images?.map(({ references }) => references),
    [['debian:12']],
  );
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => rig.bus.last?.sessions[0]?.status === 'running');
  await rig.clock.advance(11_000);
  t.is(reads, 2);
  t.deepEqual(
    rig.bus.last?.images?.map(({ references }) => references),
    [[plainImage.reference], ['debian:12']],
  );
  await rig.clock.advance(61_000);
  t.is(reads, 3);
  await stop();
});
