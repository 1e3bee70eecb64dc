import test from 'ava';
import { EngineError } from '../agent/engine/errors.ts';
import { checkIn, type CheckIn } from '../domain/checkIn.ts';
import { agentRig, type AgentRig } from './support/agentRig.ts';
import { desired, plainImage, specOf, wanted } from './support/desired.ts';

function statusOf(said: CheckIn | undefined, sessionId: string): string | undefined {
  return said?.sessions.find((session) => session.sessionId === sessionId)?.status;
}

function heardStatuses(rig: AgentRig, sessionId: string): (string | undefined)[] {
  const all = rig.bus.heard.map((said) => statusOf(said, sessionId));
  return all.filter((status, index) => index === 0 || status !== all[index - 1]);
}

test('a session in the document runs within a second and is reported at once', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  await rig.clock.until(() => rig.bus.heard.length > 0);
  const before = rig.clock.now();
  rig.bus.put(
    desired(1, [wanted('s1', { image: { ...plainImage, ports: [{ containerPort: 8080, protocol: 'tcp' }] } })]),
  );
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  t.true(rig.clock.now() - before < 300, `${rig.clock.now() - before} ms`);
  t.like(rig.bus.last, { logId: 'log-a', appliedVersion: 1 });
  t.is(rig.bus.last?.sessions[0]?.endpoints[0]?.containerPort, 8080);
  t.deepEqual(heardStatuses(rig, 's1').at(-1), 'running');
  await stop();
  t.is(rig.engine.containers[0]?.status, 'running', 'sessions keep running when the agent ends');
});

test('every check-in is valid, and their numbers rise', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1'), wanted('s2')]));
  await rig.clock.advance(25_000);
  rig.bus.put(desired(2, []));
  await rig.clock.advance(25_000);
  await stop();
  for (const said of rig.bus.heard) t.notThrows(() => checkIn.parse(said));
  t.deepEqual(
    rig.bus.heard.map((said) => said.seq),
    rig.bus.heard.map((_, index) => index + 1),
  );
  const gaps = rig.bus.heard.map(
    (said, i) => Date.parse(said.observedAt) - Date.parse(rig.bus.heard[i - 1]?.observedAt ?? said.observedAt),
  );
  t.true(Math.max(...gaps) <= 10_100, `longest silence ${Math.max(...gaps)} ms`);
  t.true(
    gaps.slice(1).every((gap) => gap >= 100),
    `shortest pause ${Math.min(...gaps.slice(1))} ms`,
  );
});

test('a session that the document names no more is stopped and removed, and only then is the version applied', async (t) => {
  const rig = agentRig({ latencyMs: (call) => (call === 'stop' ? 3000 : 5) });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  rig.bus.put(desired(2, []));
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2);
  t.deepEqual(rig.engine.containers, []);
  for (const said of rig.bus.heard) {
    t.false(said.appliedVersion >= 2 && said.sessions.length > 0, 'applied while something was left');
  }
  t.is(rig.disk.ledger.entries.size, 0);
  await stop();
});

test('a session slow to stop does not hold up others', async (t) => {
  const rig = agentRig({ latencyMs: (call) => (call === 'stop' ? 9000 : 5) });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  rig.bus.put(desired(2, [wanted('s2')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's2') === 'running', 1000);
  t.is(statusOf(rig.bus.last, 's1'), 'running');
  await stop();
});

test('a missing image is pulled and reported so; a withdrawn one is cancelled and starts nothing', async (t) => {
  const rig = agentRig({ images: new Set(), latencyMs: (call) => (call === 'pull' ? 30_000 : 5) });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'pulling');
  rig.bus.put(desired(2, []));
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2, 2000);
  await rig.clock.advance(60_000);
  t.deepEqual(rig.engine.starts, []);
  await stop();
});

test('a pull that the network spoils is tried three times in all, with longer pauses, and then says so', async (t) => {
  const rig = agentRig({ images: new Set(), latencyMs: (call) => (call === 'pull' ? 1500 : 5) });
  const spoilt = (times: number, subject: string) => {
    for (let i = 0; i < times; i++)
      rig.plan({ call: 'pull', moment: 'before', error: new EngineError('NETWORK', 'It broke off.'), subject });
  };
  spoilt(2, 'twice');
  spoilt(3, 'always');
  const stop = rig.start();
  rig.bus.put(
    desired(1, [
      wanted('s1', { image: { ...plainImage, reference: 'twice' } }),
      wanted('s2', { image: { ...plainImage, reference: 'always' } }),
    ]),
  );
  const begun = rig.clock.now();
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running' && statusOf(rig.bus.last, 's2') === 'failed');
  t.true(rig.clock.now() - begun >= 10_000, 'pauses of 2 s and 8 s');
  const pulls = rig.bus.heard.flatMap((said) => said.sessions.find(({ sessionId }) => sessionId === 's1')?.pull ?? []);
  t.deepEqual([...new Set(pulls.map(({ attempt }) => attempt))], [1, 2, 3]);
  const failure = rig.bus.last?.sessions.find(({ sessionId }) => sessionId === 's2')?.failure;
  t.deepEqual(failure, { code: 'NETWORK', detail: 'It broke off. (tried 3 times)' });
  await stop();
});

test('a pull that waits for its next try ends at once when its session is withdrawn', async (t) => {
  const rig = agentRig({ images: new Set() });
  rig.plan({ call: 'pull', moment: 'before', error: new EngineError('NETWORK', 'It broke off.') });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'pulling');
  await rig.clock.advance(500);
  rig.bus.put(desired(2, []));
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2, 500);
  await rig.clock.advance(30_000);
  t.deepEqual(rig.engine.pulls, []);
  await stop();
});

test('a pull says how far it is, once a second at most, and sessions of one image share it', async (t) => {
  const pullMs = 20_000;
  const rig = agentRig({ images: new Set(), pullSteps: 400, latencyMs: (call) => (call === 'pull' ? pullMs : 5) });
  const stop = rig.start();
  const sessions = Array.from({ length: 20 }, (_, index) => wanted(`s${index}`));
  rig.bus.put(desired(1, sessions));
  await rig.clock.until(() => statusOf(rig.bus.last, 's0') === 'pulling');
  const before = rig.bus.heard.length;
  await rig.clock.advance(pullMs / 2);
  t.true(rig.bus.heard.length - before >= 9 && rig.bus.heard.length - before <= 11);
  const half = rig.bus.last?.sessions.map(({ status, pull }) => ({ status, ...pull }));
  t.is(half?.length, 20);
  for (const each of half ?? []) t.like(each, { status: 'pulling', layersDone: 2, layersTotal: 5, attempt: 1 });
  await rig.clock.until(() => rig.bus.last?.sessions.every(({ status }) => status === 'running') === true);
  t.deepEqual(rig.engine.pulls, [plainImage.reference], 'one pull');
  t.true(rig.bus.last?.sessions.every(({ pull }) => pull === undefined));
  t.is(rig.engine.starts.length, 20);
  await stop();
});

test('a pull that is shared goes on for those that still want it', async (t) => {
  const rig = agentRig({ images: new Set(), latencyMs: (call) => (call === 'pull' ? 20_000 : 5) });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1'), wanted('s2')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's2') === 'pulling');
  const begun = rig.clock.now();
  await rig.clock.advance(10_000);
  rig.bus.put(desired(2, [wanted('s2')]));
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2, 500);
  await rig.clock.until(() => statusOf(rig.bus.last, 's2') === 'running');
  t.true(rig.clock.now() - begun < 20_500, 'without beginning anew');
  t.deepEqual(rig.engine.pulls, [plainImage.reference]);
  await stop();
});

test('many that waited for one image start eight at a time', async (t) => {
  const rig = agentRig({
    images: new Set(),
    latencyMs: (call) => (call === 'start' ? 300 : call === 'pull' ? 900 : 2),
  });
  const stop = rig.start();
  rig.bus.put(
    desired(
      1,
      Array.from({ length: 40 }, (_, index) => wanted(`s${index}`)),
    ),
  );
  await rig.clock.until(() => statusOf(rig.bus.last, 's39') === 'pulling');
  await rig.clock.until(() => rig.engine.pulls.length === 1);
  const before = rig.clock.now();
  await rig.clock.until(() => rig.engine.starts.length === 40);
  t.true(rig.clock.now() - before >= 1500, 'five rounds of 300 ms');
  await stop();
});

test('a failed pull and a failed start are reported with code and detail, and not tried again', async (t) => {
  const rig = agentRig({ images: new Set(['here']) });
  rig.plan({ call: 'pull', moment: 'before', error: new EngineError('IMAGE_NOT_FOUND', 'The image is not there.') });
  rig.plan({ call: 'start', moment: 'before', error: new EngineError('NO_GPU_DRIVER', 'No driver.') });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1'), wanted('s2', { image: { ...plainImage, reference: 'here' } })]));
  await rig.clock.advance(120_000);
  const failures = rig.bus.last?.sessions.map(({ status, failure }) => [status, failure?.code]);
  t.deepEqual(failures, [
    ['failed', 'IMAGE_NOT_FOUND'],
    ['failed', 'NO_GPU_DRIVER'],
  ]);
  t.deepEqual(rig.engine.starts, []);
  await stop();
});

test('a container that ends by itself is reported at once and stays', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  await rig.clock.advance(200);
  rig.engine.exit('s1', 137, true);
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'exited', 200);
  t.like(rig.bus.last?.sessions[0], { exitCode: 137, oomKilled: true });
  await rig.clock.advance(60_000);
  t.is(rig.engine.containers.length, 1);
  await stop();
});

test('a container removed by somebody else is gone, and not made again, over restarts too', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  rig.engine.vanish('s1');
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'gone');
  await stop();
  const again = rig.start();
  await rig.clock.advance(30_000);
  t.is(statusOf(rig.bus.last, 's1'), 'gone');
  t.is(rig.engine.starts.length, 1);
  await again();
});

test('with the engine down nothing is claimed about sessions, and what comes meanwhile is done when it is back', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  rig.engine.goDown();
  await rig.clock.until(() => rig.bus.last?.engine.status === 'down', 500);
  rig.bus.put(desired(2, [wanted('s2')]));
  await rig.clock.advance(30_000);
  t.like(rig.bus.last, { sessions: [], orphans: [], appliedVersion: 1, engine: { status: 'down' } });
  rig.engine.comeUp();
  await rig.clock.until(() => statusOf(rig.bus.last, 's2') === 'running' && rig.bus.last?.appliedVersion === 2, 10_000);
  t.deepEqual(rig.engine.removals, ['s1']);
  await stop();
});

test('an engine that dies in the middle of a start: what came of it decides, and nothing is started twice', async (t) => {
  const rig = agentRig();
  const lost = new EngineError('ENGINE_DOWN', 'The container engine does not answer.');
  rig.plan({ call: 'start', moment: 'after', error: lost, subject: 's1' });
  rig.plan({ call: 'start', moment: 'before', error: lost, subject: 's2' });
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1'), wanted('s2')]));
  await rig.clock.advance(60_000);
  t.is(statusOf(rig.bus.last, 's1'), 'running');
  t.is(statusOf(rig.bus.last, 's2'), 'failed');
  t.is(rig.bus.last?.sessions[1]?.failure?.code, 'START_INTERRUPTED');
  t.deepEqual(
    rig.engine.starts.map((spec) => spec.sessionId),
    ['s1'],
  );
  await stop();
});

test('while the bus is away the agent goes on; back, it says only the latest and reads its document', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  const heard = rig.bus.heard.length;
  rig.bus.connected = false;
  rig.bus.put(desired(2, [wanted('s1'), wanted('s2')]));
  rig.engine.exit('s1', 0);
  await rig.clock.advance(45_000);
  t.is(rig.bus.heard.length, heard);
  rig.bus.connected = true;
  await rig.clock.until(() => rig.bus.heard.length > heard, 2000);
  t.is(statusOf(rig.bus.last, 's1'), 'exited');
  await rig.clock.until(() => statusOf(rig.bus.last, 's2') === 'running', 2000);
  await stop();
});

test('an agent that starts without the bus works for the last document it had', async (t) => {
  const rig = agentRig();
  rig.disk.full = false;
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  rig.bus.put(desired(2, [wanted('s1'), wanted('s2')]));
  await stop();
  rig.bus.connected = false;
  const again = rig.start();
  await rig.clock.until(() => rig.engine.starts.length === 2, 10_000);
  t.deepEqual(
    rig.engine.containers.map((container) => container.sessionId),
    ['s1', 's2'],
  );
  await again();
});

test('with a full disk no session is started, and all are once it has room', async (t) => {
  const rig = agentRig();
  rig.disk.full = true;
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.advance(30_000);
  t.deepEqual(rig.engine.starts, []);
  t.is(statusOf(rig.bus.last, 's1'), 'starting');
  rig.disk.full = false;
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running', 61_000);
  await stop();
});

test('orphans are listed and left alone; a lower version and a document of another agent are not obeyed', async (t) => {
  const rig = agentRig();
  rig.engine.plant(specOf('o1'), 'running');
  const stop = rig.start();
  rig.bus.put(desired(5, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  rig.bus.put(desired(4, []));
  rig.bus.put({ ...desired(9, []), agentId: 'agent-2' });
  await rig.clock.advance(130_000);
  t.like(rig.bus.last, { appliedVersion: 5, orphans: [{ sessionId: 'o1', logId: 'log-a' }] });
  t.is(rig.engine.containers.length, 2);
  await stop();
});

test('a failing stop is tried again later, not without pause', async (t) => {
  const rig = agentRig();
  const stop = rig.start();
  rig.bus.put(desired(1, [wanted('s1')]));
  await rig.clock.until(() => statusOf(rig.bus.last, 's1') === 'running');
  for (let i = 0; i < 2; i++)
    rig.plan({ call: 'stop', moment: 'before', error: new EngineError('ENGINE_REFUSED', 'no') });
  const before = rig.clock.now();
  rig.bus.put(desired(2, []));
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2);
  t.true(rig.clock.now() - before >= 6000, 'two pauses, of 2 s and 4 s');
  await stop();
});

test('a hundred sessions start, eight at a time', async (t) => {
  const rig = agentRig({ latencyMs: (call) => (call === 'start' ? 300 : 2) });
  const stop = rig.start();
  await rig.clock.until(() => rig.bus.heard.length > 0);
  const before = rig.clock.now();
  rig.bus.put(
    desired(
      1,
      Array.from({ length: 100 }, (_, index) => wanted(`s${index}`)),
    ),
  );
  await rig.clock.until(
    () =>
      rig.bus.last?.sessions.every((session) => session.status === 'running') === true &&
      rig.bus.last.sessions.length === 100,
  );
  const took = rig.clock.now() - before;
  t.true(took >= 3900 && took < 6000, `${took} ms`);
  t.is(rig.engine.starts.length, 100);
  await stop();
});

test('a document that changes faster than the engine answers is obeyed all the same', async (t) => {
  const rig = agentRig({ latencyMs: (call) => (call === 'list' ? 50 : 5) });
  const stop = rig.start();
  await rig.clock.until(() => rig.bus.heard.length > 0);
  for (let version = 1; version <= 50; version++) {
    rig.bus.put(desired(version, [wanted('s1'), ...(version % 2 === 0 ? [wanted(`s${version}`)] : [])]));
    await rig.clock.advance(20);
  }
  t.is(statusOf(rig.bus.last, 's1'), 'running');
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 50 && statusOf(rig.bus.last, 's50') === 'running');
  t.is(new Set(rig.engine.starts.map((spec) => spec.sessionId)).size, rig.engine.starts.length);
  await stop();
});
