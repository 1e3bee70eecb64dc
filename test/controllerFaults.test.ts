import test from 'ava';
import { WAITING_LIMIT } from '../gateway/controller/controller.ts';
import { isControllerUnavailable } from '../gateway/controller/machine.ts';
import { LogErrorCode } from '../infra/log/errors.ts';
import type { EventLog } from '../infra/log/port.ts';
import { aCheckIn, aJoin } from './support/builders.ts';
import { asks, controllerRig, plannedLog, settleDown, submission } from './support/controllerRig.ts';
import { beyond } from './support/logWay.ts';

const JOIN = aJoin('agent-1');

/** The keys of the commands that the log carries, commit by commit. */
const keysOf = (log: ReturnType<typeof plannedLog>) =>
  log.commits.map(({ commands }) => commands.map(({ key }) => key));

test('a lost answer is settled by reading: what was written is not written again', async (t) => {
  for (const fate of ['written, answer lost', 'lost'] as const) {
    const log = plannedLog();
    log.plan(fate, fate);
    const { controller, clock } = await controllerRig(log);
    const answer = controller.submit(asks('k'));
    await clock.advance(1000);
    t.like(await answer, { kind: 'accepted', version: 1, repeated: false }, fate);
    t.deepEqual(keysOf(log), [['k']], fate);
  }
});

test('when another controller has written, the same commands are decided anew on what it wrote', async (t) => {
  const log = plannedLog();
  const [ours, theirs] = [await controllerRig(log), await controllerRig(log)];
  await theirs.controller.submit(asks('a'));
  const [first, twin] = await Promise.all([ours.controller.submit(asks('b')), ours.controller.submit(asks('a'))]);
  t.like(first, { kind: 'accepted', version: 2, repeated: false });
  t.like(twin, { kind: 'accepted', version: 1, repeated: true }, 'the other one has answered this already');
  t.deepEqual(keysOf(log), [['a'], ['b']]);
  t.deepEqual(ours.shown, [1, 2]);
});

test('an answer that was lost while another controller wrote is settled too', async (t) => {
  const log = plannedLog();
  const [ours, theirs] = [await controllerRig(log), await controllerRig(log)];
  log.plan('lost');
  const answer = ours.controller.submit(asks('b'));
  await settleDown();
  await theirs.controller.submit(asks('a'));
  await ours.clock.advance(5000);
  t.like(await answer, { kind: 'accepted', version: 2 });
  t.deepEqual(keysOf(log), [['a'], ['b']]);
});

test('what comes again by itself is not decided anew after another controller has written', async (t) => {
  const log = plannedLog();
  const [ours, theirs] = [await controllerRig(log), await controllerRig(log)];
  await theirs.controller.submit(submission('join', JOIN, false));
  const said = submission('c', { type: 'RecordCheckIn', checkIn: aCheckIn() }, false);
  const [kept, dropped] = await Promise.allSettled([ours.controller.submit(asks('k')), ours.controller.submit(said)]);
  t.like(kept, { status: 'fulfilled', value: { kind: 'accepted', version: 2 } });
  t.true(dropped.status === 'rejected' && isControllerUnavailable(dropped.reason));
});

test('while the log is away callers are told so; what was decided lands once when it is back', async (t) => {
  const log = plannedLog();
  log.plan(...Array.from({ length: 12 }, () => 'unavailable' as const));
  const { controller, clock } = await controllerRig(log);
  const [first, second] = [controller.submit(asks('k')), controller.submit(asks('l'))];
  const refused = Promise.all([t.throwsAsync(first), t.throwsAsync(second)]);
  await clock.advance(10_000);
  for (const error of await refused) t.true(isControllerUnavailable(error));
  t.true(
    isControllerUnavailable(await t.throwsAsync(controller.submit(asks('m')))),
    'new commands are refused at once',
  );
  await clock.advance(20_000);
  t.deepEqual(keysOf(log), [['k', 'l']]);
  t.like(await controller.submit(asks('k')), { kind: 'accepted', version: 1, repeated: true });
  t.like(await controller.submit(asks('m')), { kind: 'accepted', version: 2, repeated: false });
});

test('a command that can never be written fails alone', async (t) => {
  const log = plannedLog();
  log.plan('never possible', 'never possible');
  const { controller } = await controllerRig(log);
  const [bad, good] = await Promise.allSettled([controller.submit(asks('bad')), controller.submit(asks('good'))]);
  t.like(bad, { status: 'rejected', reason: { code: LogErrorCode.InvalidCommit } });
  t.like(good, { status: 'fulfilled', value: { kind: 'accepted', version: 1 } });
  t.deepEqual(keysOf(log), [['good']]);
});

test('a log that breaks off while it is read again shows no commit twice', async (t) => {
  const log = plannedLog();
  const [ours, theirs] = [await controllerRig(log), await controllerRig(log)];
  for (const key of ['a', 'b', 'c']) await theirs.controller.submit(asks(key));
  log.breakReadAfter(2);
  const answer = ours.controller.submit(asks('d'));
  await ours.clock.advance(2000);
  t.like(await answer, { kind: 'accepted', version: 4 });
  t.deepEqual(ours.shown, [1, 2, 3, 4]);
});

test('a log that cannot be read after a conflict keeps nobody waiting, and everything goes on when it can', async (t) => {
  const log = plannedLog();
  const way = { isOpen: true };
  const append: EventLog['append'] = (...asked) => log.eventLog.append(...asked);
  const ours = await controllerRig({ ...log, eventLog: { ...beyond(log.eventLog, way), append } });
  const theirs = await controllerRig(log);
  await theirs.controller.submit(asks('a'));
  way.isOpen = false;
  const refused = Promise.all([
    t.throwsAsync(ours.controller.submit(asks('b')), {
      message: /nothing was done, try again\. See that the log runs$/,
    }),
    t.throwsAsync(ours.controller.submit(submission('join', { ...JOIN, agentId: 'agent-2' }, false))),
  ]);
  await ours.clock.advance(10_000);
  for (const error of await refused) t.true(isControllerUnavailable(error));
  t.true(isControllerUnavailable(await t.throwsAsync(ours.controller.submit(asks('c')))), 'nor anybody new');
  way.isOpen = true;
  await ours.clock.advance(1000);
  t.like(await ours.controller.submit(asks('b')), { kind: 'accepted', version: 2, repeated: false });
  t.deepEqual(keysOf(log), [['a'], ['b']]);
});

test('a controller that is stopped while the log is away ends, and its callers are told', async (t) => {
  const log = plannedLog();
  log.plan(...Array.from({ length: 50 }, () => 'unavailable' as const));
  const { controller, clock } = await controllerRig(log);
  const refused = t.throwsAsync(controller.submit(asks('k')));
  await clock.advance(500);
  await controller.stop();
  t.true(isControllerUnavailable(await refused));
  t.deepEqual(log.commits, []);
});

test('when too many commands wait, a further one is refused at once and nothing of it is done', async (t) => {
  const log = plannedLog();
  log.plan('held');
  const { controller } = await controllerRig(log);
  const joins = (agentId: string) => submission(agentId, aJoin(agentId));
  const first = controller.submit(joins('first'));
  await settleDown();
  const waiting = Array.from({ length: WAITING_LIMIT }, (_, index) => controller.submit(joins(`a-${index}`)));
  const refused = await t.throwsAsync(controller.submit(joins('one-more')), {
    message: /too many commands are waiting/,
  });
  t.true(isControllerUnavailable(refused));
  log.letGo();
  await Promise.all([first, ...waiting]);
  t.false(keysOf(log).flat().includes('one-more'));
  t.is(keysOf(log).flat().length, WAITING_LIMIT + 1);
});
