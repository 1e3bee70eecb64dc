import test from 'ava';
import type { ZoneFact } from '../domain/events.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import type { ZoneState } from '../domain/zone/state.ts';
import { LEASE_MS, LOG_AWAY_MS } from '../gateway/controller/term.ts';
import { LogReadOnly, isControllerUnavailable } from '../gateway/controller/machine.ts';
import { zoneMachine } from '../gateway/controller/zoneMachine.ts';
import { zoneRules } from '../gateway/core/foldRules.ts';
import { serveForwarded } from '../gateway/core/forward.ts';
import { openLog } from '../gateway/core/openLog.ts';
import { createMemoryFeed } from '../infra/bus/memoryFeed.ts';
import { createMemoryRelay, type MemoryRelays } from '../infra/bus/memoryRelay.ts';
import { createMemoryLeases } from '../infra/leases/memory.ts';
import type { StandingLease } from '../infra/leases/port.ts';
import { hashOf } from '../infra/log/codec.ts';
import { createMemorySnapshots } from '../infra/snapshots/memory.ts';
import type { ZoneProjection } from '../projections/zoneProjection.ts';
import { someCommit, someEvent } from './support/commits.ts';
import { ZONE_LOG, asks, plannedLog, settleDown, submission } from './support/controllerRig.ts';
import { jsonBytes } from './support/logs.ts';
import { beyond } from './support/logWay.ts';
import { manualClock } from './support/manualClock.ts';

/** Several gateways on one bus, one log and one clock. */
function house(log = plannedLog(), standing = new Map<string, StandingLease>()) {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const relays: MemoryRelays = new Map();
  return {
    clock,
    log,
    standing,
    relays,
    /** A gateway whose process can be stopped as SIGSTOP does: its timers and its lease store stand still. */
    gateway: async (gatewayId: string, { clockAheadMs = 0, rules = zoneRules('default') } = {}) => {
      const stopped = { at: null as Promise<void> | null };
      const way = { isOpen: true };
      const troubles: string[] = [];
      const ownClock = {
        now: () => clock.now() + clockAheadMs,
        async sleep(ms: number, signal?: AbortSignal) {
          await clock.sleep(ms, signal);
          await stopped.at;
        },
        async afterOthers() {
          await stopped.at;
        },
      };
      const relay = createMemoryRelay(gatewayId, relays);
      const roles: string[] = [];
      const ports = {
        gatewayId,
        eventLog: beyond(log.eventLog, way),
        leases: createMemoryLeases(clock, standing),
        feedOf: (name: string) => createMemoryFeed(name),
        snapshots: createMemorySnapshots(),
        takeSnapshot: async () => {},
        relay,
        clock: ownClock,
        newLogId: () => `log-of-${gatewayId}`,
        reachesLogs: () => way.isOpen,
        remedy: 'See that the log runs',
        onTrouble: (sentence: string) => troubles.push(sentence),
      };
      const { replica, start } = openLog<ZoneState, ZoneCommand, ZoneFact, ZoneProjection>(ports, {
        log: ZONE_LOG,
        machine: zoneMachine,
        rules,
        onCommit: () => {},
        onRole: (role) => roles.push(role),
      });
      serveForwarded(
        relay,
        (_, asked) => replica.submitHere(asked as Parameters<typeof replica.submitHere>[0]),
        (sentence) => troubles.push(sentence),
      );
      await start();
      return {
        replica,
        roles,
        troubles,
        /** Its way to the log, which is elsewhere than the leases and the other gateways. */
        way,
        freeze() {
          const { promise, resolve } = Promise.withResolvers<void>();
          stopped.at = promise;
          return () => {
            stopped.at = null;
            resolve();
          };
        },
      };
    },
  };
}

test('the first gateway leads, the second follows and shows what the first has written', async (t) => {
  const { clock, gateway } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  t.deepEqual([first.replica.role, second.replica.role], ['leading', 'following']);
  t.is(second.replica.leader, 'g-1');
  await first.replica.submit(asks('k'));
  await clock.until(() => second.replica.version === 1);
  t.deepEqual(second.replica.view.state, first.replica.view.state);
});

test('a command asked of a follower is decided by the leader and answered once it can be seen here', async (t) => {
  const { clock, gateway, log } = house();
  const [, second] = [await gateway('g-1'), await gateway('g-2')];
  const answer = second.replica.submit(asks('k'));
  await clock.until(() => second.replica.version === 1);
  t.like(await answer, { kind: 'accepted', version: 1, repeated: false });
  t.like(await second.replica.submit(asks('k')), { kind: 'accepted', version: 1, repeated: true });
  const refused = await second.replica.submit(
    submission('r', { type: 'StopSession', sessionId: 's-9', cause: 'USER' }),
  );
  t.like(refused, { kind: 'rejected', rejection: { code: 'SESSION_UNKNOWN' } });
  t.is(log.commits.length, 1);
});

test('a gateway that ends hands the log over: the next one leads at once and remembers every command', async (t) => {
  const { clock, gateway } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  await first.replica.submit(asks('k'));
  await first.replica.stop();
  const endedAt = clock.now();
  await clock.until(() => second.replica.role === 'leading');
  t.true(clock.now() - endedAt <= 1000);
  t.like(await second.replica.submit(asks('k')), { kind: 'accepted', version: 1, repeated: true });
  t.like(await second.replica.submit(asks('l')), { kind: 'accepted', version: 2 });
});

test('a gateway that stood still for 30 s changes nothing when it goes on, and follows the one that took over', async (t) => {
  const { clock, gateway, log } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  await first.replica.submit(asks('a'));
  const goOn = first.freeze();
  await clock.advance(30_000);
  t.is(second.replica.role, 'leading', 'the other one took over');
  const appends = log.appends;
  // It believes to lead, and somebody asks it the moment it wakes up.
  const answer = first.replica.submit(asks('b'));
  await settleDown();
  t.is(log.appends, appends, 'it asks for its lease before it writes anything');
  goOn();
  await clock.until(() => log.commits.length === 2, 10_000);
  t.like(await answer, { kind: 'accepted', version: 2 });
  t.is(first.replica.role, 'following');
  t.deepEqual(
    log.commits.map(({ version }) => version),
    [1, 2],
  );
  t.deepEqual(first.roles, ['leading', 'following']);
});

test('without a word from its leader a log is taken over after the lease has run out', async (t) => {
  const { clock, gateway } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  first.freeze();
  const stoodStillAt = clock.now();
  await clock.until(() => second.replica.role === 'leading', 20_000);
  const after = clock.now() - stoodStillAt;
  t.true(after >= LEASE_MS - 1000 && after <= LEASE_MS + 2000, `${after} ms`);
});

test('a leader that is gone from the bus is succeeded at once, without waiting for its lease', async (t) => {
  const { clock, gateway, relays } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  first.freeze();
  relays.delete('g-1');
  const goneAt = clock.now();
  await clock.until(() => second.replica.role === 'leading', 20_000);
  t.true(clock.now() - goneAt <= 1000);
});

test('a gateway whose clock is more than two seconds off the bus follows and does not lead', async (t) => {
  const { clock, gateway } = house();
  const off = await gateway('g-off', { clockAheadMs: 2_500 });
  t.is(off.replica.role, 'following');
  t.regex(off.troubles.join(), /2\.5 s ahead of the bus's, so it may not lead zone-default/);
  const right = await gateway('g-right', { clockAheadMs: -1_500 });
  t.is(right.replica.role, 'leading');
  await clock.advance(10_000);
  t.is(off.replica.role, 'following');
});

test('while nobody leads a command waits for whoever comes to lead, and is refused as unavailable after ten seconds', async (t) => {
  const { clock, gateway } = house();
  const off = await gateway('g-off', { clockAheadMs: 5_000 });
  const lost = t.throwsAsync(off.replica.submit(asks('k')));
  await clock.advance(11_000);
  t.true(isControllerUnavailable(await lost));
  const waiting = off.replica.submit(asks('k'));
  await gateway('g-right');
  await clock.until(() => off.replica.version === 1);
  t.like(await waiting, { kind: 'accepted', version: 1, repeated: false });
});

test('a log with an event of a newer build is read-only here: shown up to there, not written, and its lease left to others', async (t) => {
  const log = plannedLog();
  const { gateway, standing } = house(log);
  const [first] = [await gateway('g-1')];
  await first.replica.submit(asks('k'));
  await first.replica.stop();
  const newer = { ...someEvent('newer'), type: 'AgentAscended' };
  const [bytes] = log.store.get(ZONE_LOG) ?? [];
  const before = { commit: log.commits[0] ?? someCommit(null, 'never'), hash: hashOf(bytes ?? new Uint8Array()) };
  const stored = { ...someCommit(before, 'newer'), logId: 'log-1', events: [newer] };
  log.store.get(ZONE_LOG)?.push(jsonBytes(stored));
  const second = await gateway('g-2');
  t.is(second.replica.role, 'read-only');
  t.is(second.replica.version, 1, 'what came before is shown');
  t.is(second.replica.view.sessions.size, 1);
  const refusal = await t.throwsAsync(second.replica.submit(asks('l')), { instanceOf: LogReadOnly });
  t.regex(refusal?.message ?? '', /zone-default:2: .*AgentAscended/);
  t.is(standing.get(ZONE_LOG)?.record.holder, null);
});

test('a log whose beginning is gone, while no snapshot reaches what is there, is read-only here and says what to bring back', async (t) => {
  const log = plannedLog();
  const { gateway, standing } = house(log);
  const first = await gateway('g-1');
  for (const key of ['a', 'b', 'c']) await first.replica.submit(asks(key));
  await first.replica.stop();
  const stored = log.store.get(ZONE_LOG) ?? [];
  Reflect.deleteProperty(stored, 0);
  Reflect.deleteProperty(stored, 1);
  const second = await gateway('g-2');
  t.is(second.replica.role, 'read-only');
  t.is(second.replica.version, 0);
  t.is(
    second.replica.readOnly?.message,
    'zone-default is read-only here: zone-default:1 was moved offline with its epoch; what is there begins at zone-default:3, and no ' +
      'snapshot reaches that far: bring back what was deleted or truncated, from a backup, and start this gateway again',
  );
  t.is(standing.get(ZONE_LOG)?.record.holder, null);
});

test('a leader that meets an unknown event gives up the lease and says where', async (t) => {
  const log = plannedLog();
  const { clock, gateway, standing } = house(log);
  const leader = await gateway('g-1');
  await leader.replica.submit(asks('k'));
  const [bytes] = log.store.get(ZONE_LOG) ?? [];
  const before = { commit: log.commits[0] ?? someCommit(null, 'never'), hash: hashOf(bytes ?? new Uint8Array()) };
  const newer = { ...someEvent('newer'), type: 'AgentAscended' };
  log.store.get(ZONE_LOG)?.push(jsonBytes({ ...someCommit(before, 'newer'), logId: 'log-1', events: [newer] }));
  const refused = t.throwsAsync(leader.replica.submit(asks('l')));
  await clock.until(() => leader.replica.role === 'read-only');
  t.truthy(await refused);
  t.is(standing.get(ZONE_LOG)?.record.holder, null);
  await t.throwsAsync(leader.replica.submit(asks('m')), { code: 'LOG_READ_ONLY', message: /zone-default:2/ });
});

test('a log that lost its end while a gateway led it is not built on', async (t) => {
  const log = plannedLog();
  const { clock, gateway } = house(log);
  const leader = await gateway('g-1');
  for (const key of ['a', 'b', 'c']) await leader.replica.submit(asks(key));
  log.store.get(ZONE_LOG)?.splice(1);
  const refused = t.throwsAsync(leader.replica.submit(asks('d')));
  await clock.until(() => leader.replica.role === 'read-only', 30_000);
  await refused;
  t.regex(leader.replica.readOnly?.message ?? '', /does not reach version 3 any more/);
  t.is(log.commits.length, 1);
});

test('a commit that this build cannot fold makes the log read-only here, and another gateway leads', async (t) => {
  const { clock, gateway, standing } = house();
  const sound = zoneRules('default');
  const rules = {
    ...sound,
    apply: (...folding: Parameters<typeof sound.apply>) => {
      sound.apply(...folding);
      if (folding[1].commands.some(({ key }) => key === 'poison')) throw new RangeError('a defect');
    },
  };
  const broken = await gateway('g-1', { rules });
  const other = await gateway('g-2');
  await broken.replica.submit(asks('k'));
  const failed = t.throwsAsync(broken.replica.submit(asks('poison')));
  await clock.until(() => broken.replica.role === 'read-only');
  await failed;
  t.regex(broken.replica.readOnly?.message ?? '', /zone-default:2 could not be folded by this build: a defect/);
  await clock.until(() => other.replica.role === 'leading');
  t.is(standing.get(ZONE_LOG)?.record.holder, 'g-2');
  t.like(await other.replica.submit(asks('poison')), { kind: 'accepted', version: 2, repeated: true });
});

test('a leader that does not reach the log leaves it to one that does, and takes it back when that one goes', async (t) => {
  const { clock, gateway, log } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  await first.replica.submit(asks('a'));
  first.way.isOpen = false;
  const cutAt = clock.now();
  const doubtful = t.throwsAsync(first.replica.submit(asks('b')));
  await clock.until(() => second.replica.role === 'leading');
  t.true(clock.now() - cutAt < LOG_AWAY_MS + LEASE_MS);
  t.true(isControllerUnavailable(await doubtful));
  t.like(await second.replica.submit(asks('b')), { kind: 'accepted', version: 2, repeated: false });
  t.is(first.replica.role, 'following');
  await clock.advance(60_000);
  t.is(second.replica.role, 'leading', 'it does not ask for a log that it does not reach');
  first.way.isOpen = true;
  await second.replica.stop();
  await clock.until(() => first.replica.role === 'leading');
  t.like(await first.replica.submit(asks('b')), { kind: 'accepted', version: 2, repeated: true });
  t.is(log.commits.length, 2);
});

test('a log that nobody reaches is led by nobody until it is back, and then by somebody within a second', async (t) => {
  const { clock, gateway } = house();
  const both = [await gateway('g-1'), await gateway('g-2')];
  for (const { way } of both) way.isOpen = false;
  await clock.advance(60_000);
  t.deepEqual(
    both.map(({ replica }) => replica.role),
    ['following', 'following'],
  );
  for (const { way } of both) way.isOpen = true;
  const backAt = clock.now();
  await clock.until(() => both.some(({ replica }) => replica.role === 'leading'));
  t.true(clock.now() - backAt <= 1000);
});

test('a log that is away for less than a restart takes stays with the gateway that leads it', async (t) => {
  const { clock, gateway } = house();
  const [first, second] = [await gateway('g-1'), await gateway('g-2')];
  first.way.isOpen = false;
  await clock.advance(LOG_AWAY_MS - 1000);
  first.way.isOpen = true;
  await clock.advance(60_000);
  t.deepEqual([first.roles, second.roles], [['leading'], ['following']]);
});

test('who finds no log, or another one, where one was led does not begin or lead it, and says what to mend', async (t) => {
  const { gateway, standing, clock } = house();
  const first = await gateway('g-1');
  await first.replica.submit(asks('a'));
  await clock.advance(1000);
  await first.replica.stop();
  const other = house(plannedLog());
  const elsewhere = await other.gateway('g-3');
  await elsewhere.replica.submit(asks('a'));
  await elsewhere.replica.stop();
  for (const [store, found] of [
    [plannedLog(), 'none is found here'],
    [other.log, 'the log found here is log-of-g-3'],
  ] as const) {
    const wrong = house(store, new Map(standing));
    const second = await wrong.gateway('g-2');
    await wrong.clock.advance(60_000);
    t.deepEqual(second.roles, ['following']);
    const message = new RegExp(
      `^zone-default was the log log-of-g-1 when it was led last, and ${found}.*MUSTER_EVENT_LOG`,
    );
    t.true(isControllerUnavailable(await t.throwsAsync(second.replica.submit(asks('b')), { message })));
    t.is(second.troubles.filter((sentence) => message.test(sentence)).length, 1, 'it is told once');
    t.deepEqual(wrong.standing.get(ZONE_LOG)?.record, standing.get(ZONE_LOG)?.record);
  }
});
