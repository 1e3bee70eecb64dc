import test from 'ava';
import { EngineError } from '../agent/engine/errors.ts';
import { ImageLane } from '../agent/prune/imageLane.ts';
import type { PruneMode } from '../domain/pruneMode.ts';
import type { PruneRecord, PruneReport } from '../domain/pruning/record.ts';
import type { PruneAnswer, PruneCall } from '../infra/bus/pruneCalls.ts';
import { agentRig, type AgentRig, type RigSetup } from './support/agentRig.ts';
import { desired, plainImage, wanted } from './support/desired.ts';

const HOUR = 3_600_000;
const MINE = 'muster-test/mine:1';
const OLD = 'sha256:muster-test/sleeper:1';

/** An agent that has pulled muster-test/sleeper:1 for a session that is over; MINE was there before. */
async function afterPull(setup: RigSetup = {}, mode: PruneMode = 'off') {
  const rig = agentRig({ images: new Set([MINE]), ...setup });
  const stop = rig.start();
  rig.bus.put({ ...desired(1, [wanted('s1')]), pruneMode: mode });
  await rig.clock.until(() => rig.engine.containers.length === 1);
  rig.bus.put({ ...desired(2, []), pruneMode: mode });
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 2);
  return { rig, stop };
}

/** Somebody gives the tag to another image, as a pull does after the registry has got a new one. */
function moveTag({ engine: { stock } }: AgentRig): void {
  stock.renew(plainImage.reference);
  stock.arrive(plainImage.reference);
}

function setMode(rig: AgentRig, mode: PruneMode): void {
  const document = rig.disk.ledger.document ?? desired(0, []);
  rig.bus.put({ ...document, version: document.version + 1, pruneMode: mode });
}

/** What was told of prunes, each number once. */
function told(rig: AgentRig): readonly PruneRecord[] {
  const all = new Map<number, PruneRecord>();
  for (const said of rig.bus.heard) for (const record of said.prunes?.records ?? []) all.set(record.number, record);
  return [...all.values()];
}

const asked: Extract<PruneCall, { kind: 'prune' }> = {
  kind: 'prune',
  callId: 'call-1',
  logId: 'log-a',
  mode: 'normal',
  dryRun: false,
  asker: { actor: { kind: 'operator', id: 'anna' }, reason: 'the disk is full' },
};

/** The report of a prune that somebody asks for. */
async function prune(rig: AgentRig, change: Partial<typeof asked> = {}): Promise<PruneReport> {
  const before = rig.bus.pruneAnswers.length;
  rig.bus.callForPrune({ ...asked, ...change });
  const isEnd = ({ kind }: PruneAnswer) => kind === 'done' || kind === 'refused';
  await rig.clock.until(() => rig.bus.pruneAnswers.slice(before).some(isEnd));
  const end = rig.bus.pruneAnswers.slice(before).find(isEnd);
  if (end?.kind !== 'done') throw new Error(JSON.stringify(end));
  return end.report;
}

test('in mode normal an image that lost its tag is removed and told, until the document says that the log has it', async (t) => {
  const { rig, stop } = await afterPull();
  moveTag(rig);
  setMode(rig, 'normal');
  await rig.clock.until(() => rig.bus.last?.prunes !== undefined);
  t.deepEqual(rig.engine.stock.removed, [OLD]);
  const said = rig.bus.last?.prunes;
  t.like(said?.records, [
    {
      number: 1,
      outcome: 'removed',
      imageId: OLD,
      references: [plainImage.reference],
      freedBytes: 1_200_000_000,
      mode: 'normal',
      why: 'it has no tag left',
      asker: null,
    },
  ]);
  await rig.clock.advance(25_000);
  t.deepEqual(rig.bus.last?.prunes, said, 'told again as long as nobody says that it is known');
  const document = rig.disk.ledger.document ?? desired(0, []);
  rig.bus.put({ ...document, version: 9, pruneMark: { series: said?.series ?? '', number: 1 } });
  await rig.clock.until(() => rig.bus.last?.appliedVersion === 9);
  t.is(rig.bus.last?.prunes, undefined);
  t.deepEqual(rig.disk.ledger.images, new Map(), 'and who brings the image again, it is his');
  await stop();
});

test('off removes nothing; what was there before is never touched, in no mode', async (t) => {
  const { rig, stop } = await afterPull();
  moveTag(rig);
  await rig.clock.advance(3 * HOUR);
  t.deepEqual(rig.engine.stock.removed, []);
  setMode(rig, 'aggressive');
  await rig.clock.until(() => rig.engine.stock.removed.length > 0);
  await rig.clock.advance(3 * HOUR);
  t.deepEqual(
    rig.engine.stock.list.flatMap(({ tags }) => tags),
    [MINE, plainImage.reference],
    'neither his image nor the one that he gave the tag to was pulled here',
  );
  await stop();
});

test('an image is kept for the grace, however the agent is started in between', async (t) => {
  const { rig, stop } = await afterPull({ pruneGraceMs: 90 * 60_000 }, 'normal');
  moveTag(rig);
  await rig.clock.advance(HOUR + 60_000);
  await stop();
  const again = rig.start();
  await rig.clock.advance(HOUR);
  t.deepEqual(rig.engine.stock.removed, []);
  await rig.clock.advance(HOUR + 60_000);
  t.deepEqual(rig.engine.stock.removed, [OLD]);
  await again();
});

test('aggressive hears of changed definitions, and removes nothing that has a name while no gateway tells them', async (t) => {
  const { rig, stop } = await afterPull();
  rig.bus.definitions = null;
  setMode(rig, 'aggressive');
  await rig.clock.advance(2 * HOUR);
  t.deepEqual(rig.engine.stock.removed, []);
  rig.bus.definitions = [plainImage.reference];
  await rig.clock.advance(HOUR);
  t.deepEqual(rig.engine.stock.removed, []);
  rig.bus.definitions = [];
  rig.bus.callForPrune({ kind: 'definitions changed' });
  await rig.clock.until(() => rig.engine.stock.removed.length > 0, 5000);
  t.deepEqual(rig.engine.stock.removed, [OLD]);
  await stop();
});

test('a preview removes nothing and says the same as the prune that follows, whatever the mode of the agent', async (t) => {
  const { rig, stop } = await afterPull();
  moveTag(rig);
  const preview = await prune(rig, { callId: 'look', dryRun: true });
  t.deepEqual(rig.engine.stock.removed, []);
  t.like(preview, { agentId: 'agent-1', mode: 'normal', bytes: 1_200_000_000 });
  t.like(preview.images[0], { imageId: OLD, references: [plainImage.reference], verdict: 'remove', outcome: null });
  t.deepEqual(
    preview.images.slice(1).map(({ verdict, why }) => [verdict, why]),
    [
      ['keep', 'Muster did not pull it'],
      ['keep', 'Muster did not pull it'],
    ],
  );
  const report = await prune(rig);
  t.deepEqual(rig.engine.stock.removed, [OLD]);
  t.like(report.images[0], { ...preview.images[0], outcome: 'removed' });
  t.is(report.bytes, preview.bytes);
  await rig.clock.until(() => rig.bus.last?.prunes !== undefined);
  t.deepEqual(told(rig)[0]?.asker, asked.asker);
  t.deepEqual(await prune(rig), report, 'the very same call gets the very same answer');
  await t.throwsAsync(prune(rig, { mode: 'aggressive' }), { message: /KEY_REUSED/ });
  await t.throwsAsync(prune(rig, { callId: 'other', logId: 'log-b' }), { message: /OTHER_LOG/ });
  await stop();
});

test('by the tags of others an image stays; only ours goes', async (t) => {
  const { rig, stop } = await afterPull();
  const image = rig.engine.stock.list.find(({ imageId }) => imageId === OLD);
  rig.engine.stock.name(OLD, 'mine:2');
  const report = await prune(rig, { mode: 'aggressive' });
  t.deepEqual(report.images[0], {
    imageId: OLD,
    references: [plainImage.reference, 'mine:2'],
    sizeBytes: image?.sizeBytes ?? 0,
    verdict: 'remove',
    outcome: 'removed',
    why: 'no image definition names it; somebody else calls it mine:2, so it stays',
  });
  t.is(report.bytes, 0);
  t.deepEqual(rig.engine.stock.list.find(({ imageId }) => imageId === OLD)?.tags, ['mine:2']);
  await stop();
});

test('what the engine has something against is told as skipped, and by itself only once', async (t) => {
  const { rig, stop } = await afterPull();
  moveTag(rig);
  const refuse = () =>
    rig.plan({ call: 'removeImage', moment: 'before', error: new EngineError('IMAGE_IN_USE', 'it has children') });
  refuse();
  refuse();
  setMode(rig, 'normal');
  await rig.clock.advance(HOUR + 60_000);
  t.deepEqual(
    told(rig).map(({ outcome, why, freedBytes }) => [outcome, why, freedBytes]),
    [['skipped', 'it has children', 0]],
  );
  refuse();
  const { images } = await prune(rig);
  t.like(images[0], { outcome: 'skipped', why: 'it has children' });
  await rig.clock.advance(20_000);
  t.is(told(rig).length, 2, 'whoever asks is told each time, and so is the log');
  await rig.clock.advance(HOUR);
  t.deepEqual(rig.engine.stock.removed, [OLD], 'it is tried again');
  await stop();
});

for (const [moment, gone] of [
  ['before', false],
  ['after', true],
] as const) {
  test(`an agent that is killed ${moment} the engine removes tells each removal once`, async (t) => {
    const { rig, stop } = await afterPull();
    moveTag(rig);
    // Its answer never comes, and then the agent is no more.
    rig.plan({ call: 'removeImage', moment, error: new EngineError('TIMEOUT', 'No answer.') });
    setMode(rig, 'normal');
    await rig.clock.until(() => rig.disk.ledger.prunes.underWay !== null);
    await rig.clock.advance(1000);
    t.is(rig.engine.stock.removed.length === 1, gone);
    await stop();
    t.not(rig.disk.ledger.prunes.underWay, null);
    t.deepEqual(told(rig), []);
    const again = rig.start();
    await rig.clock.until(() => told(rig).length > 0);
    await rig.clock.advance(HOUR);
    t.deepEqual(rig.engine.stock.removed, [OLD]);
    t.deepEqual(
      told(rig).map(({ outcome, imageId, freedBytes }) => [outcome, imageId, freedBytes]),
      [['removed', OLD, 1_200_000_000]],
    );
    await again();
  });
}

test('with a full disk what nobody needs goes before another image is pulled, and else it may wait', async (t) => {
  let percent = 89;
  const latencyMs = (call: string) => (call === 'pull' ? 5000 : 5);
  const { rig, stop } = await afterPull({ diskPercent: () => percent, latencyMs }, 'normal');
  const start = async (sessionId: string, version: number) => {
    const session = wanted(sessionId, { image: { ...plainImage, reference: `muster-test/${sessionId}:1` } });
    rig.bus.put({ ...desired(version, [session]), pruneMode: 'normal' });
    await rig.clock.until(() => rig.bus.last?.sessions.some(({ status }) => status === 'pulling') === true);
    await rig.clock.advance(1000);
  };
  moveTag(rig);
  await start('s2', 3);
  t.deepEqual(rig.engine.stock.removed, []);
  percent = 90;
  await rig.clock.advance(15_000);
  await start('s3', 4);
  t.deepEqual(rig.engine.stock.removed, [OLD]);
  t.false(rig.engine.pulls.includes('muster-test/s3:1'), 'its own pull is still under way');
  await stop();
});

test('nothing is removed while it cannot be written down first', async (t) => {
  const { rig, stop } = await afterPull();
  moveTag(rig);
  await prune(rig, { callId: 'look', dryRun: true });
  rig.disk.full = true;
  t.is((await prune(rig, { callId: 'look again', dryRun: true })).images[0]?.verdict, 'remove');
  await t.throwsAsync(prune(rig), { message: /ENOSPC/ });
  t.deepEqual(rig.engine.stock.removed, []);
  rig.disk.full = false;
  t.is((await prune(rig)).images[0]?.outcome, 'removed', 'the same key may try again');
  await stop();
});

test('nothing more is removed while the log takes nothing', async (t) => {
  const { rig, stop } = await afterPull();
  const { prunes } = rig.disk.ledger;
  await stop();
  const record = { ...RECORD, number: 1 };
  const records = Array.from({ length: 256 }, (_, index) => ({ ...record, number: index + 1 }));
  rig.disk.ledger = { ...rig.disk.ledger, prunes: { ...prunes, series: 'boot-1', next: 257, records } };
  const again = rig.start();
  await rig.clock.until(() => rig.bus.last?.engine.status === 'up');
  moveTag(rig);
  const { images } = await prune(rig);
  t.is(images[0]?.outcome, 'skipped');
  t.regex(images[0]?.why ?? '', /the log has not taken/);
  t.deepEqual(rig.engine.stock.removed, []);
  t.is(rig.bus.last?.prunes?.records.length, 64, 'a check-in holds the first of them');
  await again();
});

const RECORD: PruneRecord = {
  number: 1,
  outcome: 'removed',
  imageId: 'sha256:gone',
  references: [],
  freedBytes: 1,
  mode: 'normal',
  why: 'it has no tag left',
  asker: null,
  at: '2026-01-01T00:00:00.000Z',
};

test('who wants to start from an image that is being removed waits, and pulls it again', async (t) => {
  const { rig, stop } = await afterPull({ latencyMs: (call) => (call === 'removeImage' ? 3000 : 5) });
  rig.bus.callForPrune({ ...asked, mode: 'aggressive' });
  await rig.clock.until(() => rig.disk.ledger.prunes.underWay !== null);
  rig.bus.put(desired(3, [wanted('s2')]));
  await rig.clock.until(() => rig.engine.containers.length === 1);
  t.is(rig.bus.last?.sessions[0]?.failure ?? null, null);
  t.deepEqual(rig.engine.stock.removed, [OLD]);
  t.is(rig.engine.pulls.length, 2);
  const { images } = await prune(rig, { callId: 'next', mode: 'aggressive' });
  t.like(
    images.find(({ imageId }) => imageId === OLD),
    { verdict: 'keep', why: 'a container uses it' },
  );
  await stop();
});

test('an image lane lets users in together, and nobody while an image of that name is removed', async (t) => {
  const lane = new ImageLane();
  const image = { imageId: 'sha256:1', tags: ['a:1'], digests: [], sizeBytes: 1 };
  const steps: string[] = [];
  const end = Promise.withResolvers<void>();
  const removal = lane.remove(image, async () => {
    t.deepEqual(lane.used, []);
    await end.promise;
    steps.push('removed');
  });
  const same = lane.use('docker.io/library/a:1', async () => steps.push('same'));
  await lane.use('b:1', async () => steps.push('other'));
  t.deepEqual(steps, ['other']);
  end.resolve();
  await Promise.all([removal, same]);
  t.deepEqual(steps, ['other', 'removed', 'same']);
  t.deepEqual(lane.used, []);
});
