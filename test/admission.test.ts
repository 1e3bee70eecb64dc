import test from 'ava';
import type { FleetState } from '../domain/fleet/state.ts';
import { initialFleet } from '../domain/fleet/state.ts';
import { Admission, type AdmissionPorts, type Arrival, type Refusal } from '../gateway/callout/admission.ts';
import { connectionName, entryNamed, type Entry } from '../gateway/callout/entry.ts';
import { Tries } from '../gateway/callout/tries.ts';
import { Rejections } from '../gateway/callout/rejections.ts';
import type { RecordRejections } from '../domain/fleet/commands.ts';
import { agentPassword, fingerprintOf, newAgentSecret } from '../infra/agentIdentity.ts';
import { manualClock } from './support/manualClock.ts';

/** Who enters the bus, decided without one. */

const TOKEN = `mt_${'a'.repeat(12)}_${'b'.repeat(43)}`;
const SECRET = newAgentSecret();
const shown = { user: 'gpu-1', password: agentPassword(TOKEN, SECRET), name: 'muster-agent host-1', host: '10.0.0.1' };

function admissionOf(fleet: FleetState, ports: Partial<AdmissionPorts> = {}) {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const asked: Arrival[] = [];
  const admission = new Admission({
    fleet: () => fleet,
    managerTokens: { verify: (text) => (text === TOKEN ? 'token-1' : null) },
    keys: { verifyKey: () => null },
    enrol: async (arrival): Promise<Refusal | null> => {
      asked.push(arrival);
      return null;
    },
    isQuieted: () => false,
    catchUp: async () => undefined,
    clock,
    ...ports,
  });
  return { admission, asked, clock };
}

function empty(): FleetState {
  const fleet = initialFleet();
  fleet.zones.add('default');
  return fleet;
}

function known(change: object = {}): FleetState {
  const fleet = empty();
  fleet.agents.set('gpu-1', {
    agentId: 'gpu-1',
    hostname: 'host-1',
    simulated: false,
    zone: 'default',
    fingerprint: fingerprintOf(SECRET),
    approval: null,
    revokedAt: null,
    ...change,
  });
  return fleet;
}

const approved: Entry = {
  kind: 'agent',
  agentId: 'gpu-1',
  standing: 'approved',
  tokenId: 'token-1',
  zones: ['default'],
};

test('a known agent is let in without the log', async (t) => {
  const { admission, asked } = admissionOf(known());
  t.deepEqual(await admission.admit(shown), approved);
  t.deepEqual(asked, []);
});

test('a new one is recorded with what it says of its host, and whoever says nothing by its id', async (t) => {
  const fleet = empty();
  const arrivals: Arrival[] = [];
  const { admission } = admissionOf(fleet, {
    enrol: async (arrival) => {
      arrivals.push(arrival);
      fleet.agents.set(arrival.agentId, { ...arrival, zone: null, approval: null, revokedAt: null });
      return null;
    },
  });
  const about = { agentId: 'gpu-1', fingerprint: fingerprintOf(SECRET) };
  for (const name of [shown.name, 'muster-agent-simulated host-1', 'muster-agent \u0000']) {
    fleet.agents.clear();
    t.deepEqual(await admission.admit({ ...shown, name }), { ...approved, standing: 'pending' });
  }
  t.deepEqual(arrivals, [
    { ...about, hostname: 'host-1', simulated: false },
    { ...about, hostname: 'host-1', simulated: true },
    { ...about, hostname: 'gpu-1', simulated: false },
  ]);
});

test('whom this gateway knows to be revoked or removed is not let in by one that leads and has not heard of it', async (t) => {
  for (const fleet of [known({ revokedAt: '2026-01-01T00:00:00.000Z' }), initialFleet()]) {
    const { admission } = admissionOf(fleet, { enrol: async () => null });
    t.is(await admission.admit(shown), 'UNAVAILABLE');
  }
});

test('a token that another gateway has just issued is looked for twice', async (t) => {
  let isKnown = false;
  const { admission } = admissionOf(known(), {
    managerTokens: { verify: () => (isKnown ? 'token-1' : null) },
    catchUp: async () => {
      isKnown = true;
    },
  });
  t.deepEqual(await admission.admit(shown), approved);
});

test('another secret, and a revoked agent, are for the log to judge', async (t) => {
  for (const [fleet, password, refusal] of [
    [known(), agentPassword(TOKEN, newAgentSecret()), 'AGENT_SECRET_WRONG'],
    [known({ revokedAt: '2026-01-01T00:00:00.000Z' }), shown.password, 'AGENT_REVOKED'],
  ] as const) {
    const { admission } = admissionOf(fleet, { enrol: async () => refusal });
    t.is(await admission.admit({ ...shown, password }), refusal);
  }
});

test('the log is asked thirty times a minute in vain for one agent of a host, and whoever is known is let in all the same', async (t) => {
  const { admission, clock } = admissionOf(known(), { enrol: async () => 'AGENT_SECRET_WRONG' });
  const wrong = { ...shown, password: agentPassword(TOKEN, newAgentSecret()) };
  for (let tries = 0; tries < 30; tries += 1) t.is(await admission.admit(wrong), 'AGENT_SECRET_WRONG');
  t.is(await admission.admit(wrong), 'TOO_MANY_TRIES');
  t.is(await admission.admit({ ...wrong, host: '10.0.0.2' }), 'AGENT_SECRET_WRONG');
  t.deepEqual(await admission.admit(shown), approved);
  await clock.advance(60_001);
  t.is(await admission.admit(wrong), 'AGENT_SECRET_WRONG');
});

test('a host that fails six hundred times a minute, under whatever names, is not answered any more', async (t) => {
  const { admission, clock } = admissionOf(known());
  const outcomes: unknown[] = [];
  for (let index = 0; index < 601; index += 1) {
    outcomes.push(await admission.admit({ ...shown, user: `a${index}`, password: 'x' }));
  }
  t.deepEqual(outcomes, [...Array.from({ length: 600 }, () => 'KEY_WRONG'), 'TOO_MANY_TRIES']);
  t.deepEqual(await admission.admit(shown), approved);
  t.is(await admission.admit({ ...shown, password: 'x', host: '10.0.0.2' }), 'KEY_WRONG');
  await clock.advance(60_001);
  t.is(await admission.admit({ ...shown, password: 'x' }), 'KEY_WRONG');
});

test('the addresses of one IPv6 network fail as one host', async (t) => {
  const { admission } = admissionOf(known());
  const wrong = (host: string) => admission.admit({ ...shown, password: 'x', host });
  for (let index = 0; index < 600; index += 1) t.is(await wrong(`2001:db8::${index.toString(16)}`), 'KEY_WRONG');
  t.is(await wrong('2001:db8::ffff'), 'TOO_MANY_TRIES');
  t.is(await wrong('2001:db8:0:1::1'), 'KEY_WRONG');
});

test('twenty thousand hosts at once take no more memory than ten thousand, and are counted together', async (t) => {
  const tries = new Tries(manualClock(0), 2);
  for (let index = 0; index < 20_000; index += 1) tries.failed(`host-${index}`);
  t.true(tries.isSpent('yet another'));
  t.false(tries.isSpent('host-0'));
});

test('an agent that floods waits, and whoever only has its name is told nothing of it', async (t) => {
  const { admission } = admissionOf(known(), { isQuieted: () => true, enrol: async () => 'AGENT_SECRET_WRONG' });
  t.is(await admission.admit(shown), 'AGENT_FLOODS');
  const password = agentPassword(TOKEN, newAgentSecret());
  t.is(await admission.admit({ ...shown, password }), 'AGENT_SECRET_WRONG');
});

test('while the log is away a new agent is not let in, and is not blamed for it', async (t) => {
  const { admission } = admissionOf(empty(), { enrol: async () => 'UNAVAILABLE' });
  for (let tries = 0; tries < 40; tries += 1) t.is(await admission.admit(shown), 'UNAVAILABLE');
});

test('the name of a connection tells as what it was let in', (t) => {
  for (const entry of [approved, { ...approved, standing: 'pending' } as const]) {
    const { zones: _, ...named } = entry;
    t.deepEqual(entryNamed(connectionName(entry)), named);
  }
  t.deepEqual(entryNamed(connectionName({ kind: 'key', keyId: 'k1', role: 'admin', expiresAt: null })), {
    kind: 'key',
    keyId: 'k1',
  });
  for (const name of [
    '',
    'muster-app',
    'agent',
    'agent.a',
    'agent.a.other.t',
    'agent.a.pending',
    'key.a.b',
    'agent.a.pending.t.x',
  ]) {
    t.is(entryNamed(name), null, name);
  }
});

test('rejections are summed up once a minute, and nothing is lost when a summary cannot be recorded', async (t) => {
  const clock = manualClock(Date.UTC(2026, 10, 22));
  const recorded: RecordRejections[] = [];
  const answers: ('recorded' | 'too soon' | 'away')[] = ['too soon', 'away', 'recorded'];
  const troubles: string[] = [];
  const rejections = new Rejections({
    clock,
    async record(summary) {
      const answer = answers.shift() ?? 'recorded';
      if (answer === 'away') throw new Error('the log is away');
      if (answer === 'too soon') return { code: 'TOO_SOON', message: 'just now' };
      recorded.push(summary);
      return null;
    },
    onTrouble: (sentence) => troubles.push(sentence),
  });
  const end = new AbortController();
  const running = rejections.run(end.signal);
  for (let minute = 0; minute < 5; minute += 1) {
    if (minute < 3) for (let times = 0; times < 10_000; times += 1) rejections.count('KEY_WRONG');
    if (minute === 1) rejections.count('AGENT_REVOKED');
    await clock.advance(60_000);
  }
  end.abort();
  await running;
  t.deepEqual(
    recorded.map(({ counts }) => counts),
    [{ KEY_WRONG: 30_000, AGENT_REVOKED: 1 }],
  );
  t.deepEqual([recorded[0]?.since, recorded[0]?.until], ['2026-11-22T00:00:00.000Z', '2026-11-22T00:03:00.000Z']);
  t.is(troubles.length, 1);
});
