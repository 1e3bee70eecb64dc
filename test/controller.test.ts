import test from 'ava';
import { GROUP_EVENTS } from '../gateway/controller/group.ts';
import { isControllerUnavailable } from '../gateway/controller/machine.ts';
import { aCheckIn, anImage, aJoin, aRequest } from './support/builders.ts';
import { asks, controllerRig, plannedLog, settleDown, submission } from './support/controllerRig.ts';

test('the commands that wait are decided one after another and become one commit', async (t) => {
  const { controller, log } = await controllerRig();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => controller.submit(asks(`k-${index}`))));
  t.is(log.commits.length, 1);
  t.is(log.commits[0]?.events.length, 200);
  t.is(log.commits[0]?.commands.length, 100);
  for (const answer of answers) t.like(answer, { kind: 'accepted', version: 1, repeated: false });
});

test('a group closes at 256 events; the rest is the next commit', async (t) => {
  const { controller, log } = await controllerRig();
  await Promise.all(Array.from({ length: 150 }, (_, index) => controller.submit(asks(`k-${index}`))));
  t.deepEqual(
    log.commits.map(({ events }) => events.length),
    [GROUP_EVENTS, 300 - GROUP_EVENTS],
  );
});

test('each command sees what those before it in its group have changed', async (t) => {
  const { controller } = await controllerRig();
  const first = controller.submit(submission('a', aRequest({ sessionId: 's-1' })));
  const second = controller.submit(submission('b', aRequest({ sessionId: 's-1' })));
  t.is((await first).kind, 'accepted');
  t.like(await second, { kind: 'rejected', rejection: { code: 'SESSION_EXISTS' } });
});

test('a repeated key gets the first answer, in the same group, later, and after a restart', async (t) => {
  const { controller, log } = await controllerRig();
  const [first, twin] = await Promise.all([controller.submit(asks('k')), controller.submit(asks('k'))]);
  t.like(twin, { kind: 'accepted', repeated: true });
  const later = await controller.submit(asks('k'));
  const restarted = await controllerRig(log);
  const again = await restarted.controller.submit(asks('k'));
  for (const answer of [twin, later, again]) {
    t.deepEqual(answer.kind === 'accepted' && answer.outcome, first.kind === 'accepted' && first.outcome);
  }
  t.is(log.commits.length, 1);
});

test('the same key with another request, or from another actor, is refused', async (t) => {
  const { controller, log } = await controllerRig();
  await controller.submit(asks('k'));
  const other = await controller.submit(submission('k', aRequest({ sessionId: 's-k', priority: 1 })));
  t.like(other, { kind: 'rejected', rejection: { code: 'KEY_REUSED' } });
  const stranger = await controller.submit({ ...asks('k'), actor: { kind: 'operator', id: 'op-2' } });
  t.like(stranger, { kind: 'rejected', rejection: { code: 'KEY_REUSED' } });
  t.is(log.commits.length, 1);
});

test('nothing is answered, shown or readable before the log has acknowledged it', async (t) => {
  const log = plannedLog();
  log.plan('held');
  const { controller, shown } = await controllerRig(log);
  const answered: string[] = [];
  const all = [
    controller.submit(asks('k')).then(() => answered.push('accepted')),
    controller
      .submit(submission('r', { type: 'StopSession', sessionId: 's-9', cause: 'USER' }))
      .then(() => answered.push('rejected')),
    controller.ask((state) => state.sessions.size).then((size) => answered.push(`read ${size}`)),
  ];
  await settleDown();
  t.deepEqual([answered, shown, controller.version], [['read 0'], [], 0]);
  t.is(await controller.ask((state) => state.sessions.size), 0);
  log.letGo();
  await Promise.all(all);
  t.deepEqual([answered.toSorted(), shown, controller.version], [['accepted', 'read 0', 'rejected'], [1], 1]);
  t.is(await controller.ask((state) => state.sessions.size), 1);
});

test('what is decided while the first commit of a log is being written knows whose log it is', async (t) => {
  const log = plannedLog();
  log.plan('held');
  const { controller } = await controllerRig(log);
  const command = aJoin('agent-1');
  const joined = controller.submit(submission('join', command, false));
  await settleDown();
  const checkIn = aCheckIn({ appliedVersion: 1 });
  const said = controller.submit(submission('c-1', { type: 'RecordCheckIn', checkIn }, false));
  await settleDown();
  log.letGo();
  await Promise.all([joined, said]);
  t.true(log.commits[1]?.events.some(({ type }) => type === 'AgentReturned'));
});

test('what is submitted at the very moment of a commit is decided for the version that it gets', async (t) => {
  const join = (agentId: string) => submission(`join-${agentId}`, aJoin(agentId), false);
  const joined: Promise<unknown>[] = [];
  const { controller, log } = await controllerRig(plannedLog(), undefined, undefined, (version) => {
    if (version === 1) joined.push(controller.submit(join('agent-2')));
  });
  await controller.submit(join('agent-1'));
  await Promise.all(joined);
  const checkIn = aCheckIn({ agentId: 'agent-2', appliedVersion: 2 });
  await controller.submit(submission('c-1', { type: 'RecordCheckIn', checkIn }, false));
  t.deepEqual(
    log.commits[2]?.events.map(({ type }) => type),
    ['AgentBooted', 'AgentHardwareChanged', 'AgentReturned'],
  );
});

test('the waiting line is placed by itself when a claim is released', async (t) => {
  const { controller, log } = await controllerRig();
  const command = aJoin('agent-1');
  await controller.submit(submission('join', command, false));
  const say = (appliedVersion: number, seq: number) =>
    controller.submit(
      submission(`c-${seq}`, { type: 'RecordCheckIn', checkIn: aCheckIn({ seq, appliedVersion }) }, false),
    );
  await say(1, 1);
  const whole = { image: anImage({ cores: 6, gib: 6 }) };
  await controller.submit(submission('a', aRequest({ sessionId: 's-a', ...whole })));
  await controller.submit(submission('b', aRequest({ sessionId: 's-b', ...whole })));
  await controller.submit(submission('stop', { type: 'StopSession', sessionId: 's-a', cause: 'USER' }));
  t.is(await controller.ask((state) => state.sessions.get('s-b')?.phase), 'waiting');
  await say(controller.version, 2);
  await settleDown();
  t.is(await controller.ask((state) => state.sessions.get('s-b')?.phase), 'placed');
  t.deepEqual(log.commits.at(-1)?.events.at(-1)?.actor, { kind: 'system', id: 'muster' });
});

test('a controller that starts on a log goes on from it, and places who waits', async (t) => {
  const first = await controllerRig();
  await first.controller.submit(asks('k'));
  await first.controller.stop();
  const second = await controllerRig(first.log);
  t.is(second.controller.version, 1);
  t.deepEqual(second.shown, [1]);
  await second.controller.submit(asks('l'));
  t.deepEqual(
    first.log.commits.map(({ version, logId }) => [version, logId]),
    [
      [1, 'log-1'],
      [2, 'log-1'],
    ],
  );
});

test('time never goes back, whatever the clock of the gateway says', async (t) => {
  const first = await controllerRig();
  await first.clock.advance(60_000);
  await first.controller.submit(asks('k'));
  const second = await controllerRig(first.log);
  await second.controller.submit(asks('l'));
  t.deepEqual(
    first.log.commits.map(({ at }) => at),
    ['2026-01-01T00:01:00.000Z', '2026-01-01T00:01:00.000Z'],
  );
});

test('a stopping controller refuses what it has not decided', async (t) => {
  const { controller } = await controllerRig();
  const stopped = controller.stop();
  const error = await t.throwsAsync(controller.submit(asks('k')));
  t.true(isControllerUnavailable(error));
  await stopped;
});
