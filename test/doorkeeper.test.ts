import test from 'ava';
import { initialFleet, type FleetState } from '../domain/fleet/state.ts';
import type { Entry } from '../gateway/callout/entry.ts';
import { connectionName } from '../gateway/callout/entry.ts';
import { Doorkeeper } from '../gateway/callout/doorkeeper.ts';
import type { ServedConnection } from '../infra/bus/connections.ts';
import { manualClock } from './support/manualClock.ts';

/** Who has to leave the bus, on a bus that is a list. */

const TIME = '2026-11-22T00:00:00.000Z';

function world() {
  const fleet: FleetState = initialFleet();
  fleet.managerTokens.set('token-1', { tokenId: 'token-1', fingerprint: 'f', issuedAt: TIME });
  for (const [agentId, zone, revokedAt] of [
    ['approved', 'default', null],
    ['pending', null, null],
    ['revoked', 'default', TIME],
  ] as const) {
    fleet.agents.set(agentId, {
      agentId,
      hostname: 'h',
      simulated: false,
      zone,
      approval: null,
      fingerprint: 'f',
      revokedAt,
    });
  }
  const names = new Set<string>();
  const clock = manualClock(Date.parse(TIME));
  const live = new Set(['key-1']);
  const closed: string[] = [];
  const troubles: string[] = [];
  const state = { leads: true, away: false, looks: 0, loud: '' };
  const doorkeeper = new Doorkeeper({
    async connections(): Promise<readonly ServedConnection[]> {
      state.looks += 1;
      if (state.away) throw new Error('the bus is away');
      return [...names].map((name, cid) => ({ serverId: 's', cid, name }));
    },
    async close({ name }) {
      names.delete(name);
      closed.push(name);
    },
    fleet: () => fleet,
    keys: { look: (keyId) => (live.has(keyId) ? ({ keyId } as never) : null) },
    isQuieted: (agentId) => agentId === state.loud,
    isLeading: () => state.leads,
    clock,
    onClosed: () => undefined,
    onTrouble: (sentence) => troubles.push(sentence),
  });
  return { fleet, names, live, clock, closed, troubles, state, doorkeeper };
}

const agent = (agentId: string, standing: 'pending' | 'approved' = 'approved', tokenId = 'token-1'): string =>
  connectionName({ kind: 'agent', agentId, standing, tokenId, zones: [] } satisfies Entry);
const key = (keyId: string): string => connectionName({ kind: 'key', keyId, role: 'viewer', expiresAt: null });

test('who fits stays, everybody else is closed, and connections of gateways are left alone', async (t) => {
  const { names, clock, closed, doorkeeper } = world();
  const fitting = [agent('approved'), agent('pending', 'pending'), key('key-1'), 'muster-app', ''];
  const unfit = [
    agent('approved', 'pending'),
    agent('pending'),
    agent('revoked'),
    agent('removed'),
    agent('approved', 'approved', 'token-2'),
    key('key-2'),
  ];
  for (const name of [...fitting, ...unfit]) names.add(name);
  const end = new AbortController();
  const running = doorkeeper.run(end.signal);
  await clock.advance(1100);
  t.deepEqual([...names], fitting);
  t.deepEqual(closed, unfit);
  end.abort();
  await running;
});

test('it looks when told to, once a minute, and when it begins to lead; and not while another leads', async (t) => {
  const { state, clock, doorkeeper } = world();
  const end = new AbortController();
  const running = doorkeeper.run(end.signal);
  await clock.advance(1500);
  t.is(state.looks, 1, 'it leads');
  doorkeeper.ring();
  await clock.advance(100);
  t.is(state.looks, 2, 'it was told to');
  await clock.advance(5000);
  t.is(state.looks, 5, 'and for those who were being let in just then');
  await clock.advance(62_000);
  t.is(state.looks, 6, 'a minute later');
  state.leads = false;
  doorkeeper.ring();
  await clock.advance(120_000);
  t.is(state.looks, 6, 'another leads');
  state.leads = true;
  await clock.advance(1500);
  t.is(state.looks, 7, 'it leads again');
  for (let times = 0; times < 1000; times += 1) {
    doorkeeper.ring();
    await clock.advance(1);
  }
  t.true(state.looks < 7 + 8, 'not as often as it is told to');
  end.abort();
  await running;
});

test('while the bus is away it tries again, and closes who was revoked meanwhile', async (t) => {
  const { names, state, clock, closed, troubles, doorkeeper } = world();
  names.add(agent('revoked'));
  state.away = true;
  const end = new AbortController();
  const running = doorkeeper.run(end.signal);
  await clock.advance(5000);
  t.deepEqual(closed, []);
  t.true(troubles.length > 1);
  state.away = false;
  await clock.advance(1500);
  t.deepEqual(closed, [agent('revoked')]);
  end.abort();
  await running;
});

test('who was being let in while it was revoked is out within two seconds of coming in', async (t) => {
  const { names, fleet, clock, closed, doorkeeper } = world();
  const end = new AbortController();
  const running = doorkeeper.run(end.signal);
  await clock.advance(1500);
  fleet.agents.delete('approved');
  doorkeeper.ring();
  await clock.advance(1900);
  names.add(agent('approved'));
  await clock.advance(2000);
  t.deepEqual(closed, [agent('approved')]);
  end.abort();
  await running;
});

test('an agent that floods is out, and nobody else', async (t) => {
  const { names, state, clock, closed, doorkeeper } = world();
  for (const name of [agent('approved'), agent('pending', 'pending')]) names.add(name);
  state.loud = 'approved';
  const end = new AbortController();
  const running = doorkeeper.run(end.signal);
  await clock.advance(1100);
  t.deepEqual(closed, [agent('approved')]);
  end.abort();
  await running;
});
