import test from 'ava';
import { allocatedOf, capacityOf, overAllocation, overrideNeedsConfirm } from '../../domain/agents/capacity.ts';
import type { SetAgentSettings } from '../../domain/zone/commands.ts';
import { coresAllocatedSentence, overrideRatio } from '../../domain/units.ts';
import { GIB, aCheckIn, aHardware, aRequest, aSession, agentIn, anAgent, anImage, given } from '../support/builders.ts';

const change = (settings: Partial<SetAgentSettings>): SetAgentSettings => ({
  type: 'SetAgentSettings',
  agentId: 'agent-1',
  confirm: false,
  ifVersion: null,
  ...settings,
});

/** Sessions of 1 core and 1 GiB until no more fit. */
function fill(agent: Parameters<typeof anAgent>[0]): number {
  const commits = [anAgent(agent)];
  for (;;) {
    const sessionId = `s-${commits.length}`;
    const { facts } = given(...commits).when(aRequest({ sessionId }));
    if (facts[1]?.type !== 'SessionPlaced') return commits.length - 1;
    commits.push(facts);
  }
}

test('6 cores and 6 GiB take exactly 6 sessions of 1 core and 1 GiB', (t) => {
  t.is(fill({ cores: 6, gib: 6 }), 6);
});

test('with the cores overridden to 12, memory still lets in 6, and 12 GiB let in 12', (t) => {
  t.is(fill({ cores: 6, gib: 6, coresOverride: 12 }), 6);
  t.is(fill({ cores: 6, gib: 12, coresOverride: 12 }), 12);
  t.is(fill({ cores: 6, gib: 6, coresOverride: 12, gibOverride: 12 }), 12);
});

test('6 cores overridden to 12 with sessions of 2 and 3 cores read "5 of 12 CPUs allocated"', (t) => {
  const { state } = given(
    anAgent({ coresOverride: 12 }),
    aSession({ id: 's-1', cores: 2 }),
    aSession({ id: 's-2', cores: 3 }),
  );
  const agent = agentIn(state);
  t.deepEqual(allocatedOf(agent), { millicores: 5000, memoryBytes: 2 * GIB, gpus: 0 });
  t.deepEqual(capacityOf(agent), { millicores: 12_000, memoryBytes: 6 * GIB, gpus: 0 });
  t.is(coresAllocatedSentence(5000, 12_000), '5 of 12 CPUs allocated');
});

test('a request that fills an agent exactly fits; a millicore or a byte more does not', (t) => {
  const exact = anImage({ cores: 6, gib: 6 });
  const { millicores, memoryBytes } = exact;
  given(anAgent())
    .when(aRequest({ image: exact }))
    .expect(t, [
      { type: 'SessionRequested', data: requestOf(exact) },
      {
        type: 'SessionPlaced',
        data: { sessionId: 's-1', agentId: 'agent-1', claim: { millicores, memoryBytes, gpuUuids: [] } },
      },
    ]);
  for (const more of [{ millicores: millicores + 1 }, { memoryBytes: memoryBytes + 1 }]) {
    const { facts } = given(anAgent()).when(aRequest({ image: { ...exact, ...more } }));
    t.is(facts[1]?.type, 'SessionRefused');
  }
});

test('an override may go below what is allocated: it shows by how much, evicts nothing and blocks that dimension', (t) => {
  const before = [anAgent(), aSession({ cores: 4 })] as const;
  const lowered = given(...before).when(change({ millicores: 2000 }));
  lowered.expect(t, [
    {
      type: 'CoresOverrideSet',
      data: { agentId: 'agent-1', millicores: 2000, previous: null, physicalMillicores: 6000 },
    },
  ]);
  t.deepEqual(overAllocation(agentIn(lowered.state)), ['2 cores']);
  t.deepEqual([...agentIn(lowered.state).sessions], ['s-1']);
  const request = aRequest({ sessionId: 's-2', whenFull: 'fail' });
  const { explanation } = given(...before, lowered.facts).when(request);
  t.deepEqual(
    explanation?.candidates[0]?.reasons.map(({ code }) => code),
    ['CORES_SHORT'],
  );
});

test('over-allocated cores do not stop a session that needs none of them', (t) => {
  const image = { ...anImage(), millicores: 0 };
  const { facts } = given(anAgent({ coresOverride: 1 }), aSession({ cores: 4 })).when(
    aRequest({ sessionId: 's-2', image }),
  );
  t.is(facts[1]?.type, 'SessionPlaced');
});

test('when the hardware changes the override stays, and remembers what was there when it was set', (t) => {
  const checkIn = aCheckIn({ hardware: aHardware({ cores: 8 }) });
  const { state } = given(anAgent({ cores: 6, coresOverride: 12 })).when({ type: 'RecordCheckIn', checkIn });
  const agent = agentIn(state);
  t.is(agent.hardware?.millicores, 8000);
  t.deepEqual(agent.coresOverride, { value: 12_000, setWhenPhysical: 6000 });
  t.is(capacityOf(agent)?.millicores, 12_000);
});

test('0 and null mean no override, and what is absent stays as it is', (t) => {
  const removed = {
    type: 'CoresOverrideSet',
    data: { agentId: 'agent-1', millicores: null, previous: 12_000, physicalMillicores: 6000 },
  } as const;
  const overridden = given(anAgent({ coresOverride: 12, gibOverride: 12 }));
  overridden.when(change({ millicores: 0 })).expect(t, [removed]);
  overridden.when(change({ millicores: null })).expect(t, [removed]);
  overridden.when(change({})).expect(t, []);
  overridden.when(change({ millicores: 12_000, memoryBytes: 12 * GIB })).expect(t, []);
  given(anAgent())
    .when(change({ millicores: 0, memoryBytes: 0 }))
    .expect(t, []);
});

test('an override outside 0.1 to 10 times of physical needs a confirmation', (t) => {
  t.false(overrideNeedsConfirm(600, 6000));
  t.true(overrideNeedsConfirm(599, 6000));
  t.false(overrideNeedsConfirm(60_000, 6000));
  t.true(overrideNeedsConfirm(60_001, 6000));
  t.false(overrideNeedsConfirm(60_001, null), 'unknown hardware confirms nothing');
  const agent = given(anAgent());
  agent.when(change({ millicores: 60_001 })).refused(t, 'CONFIRM_NEEDED');
  agent.when(change({ memoryBytes: GIB / 2 })).refused(t, 'CONFIRM_NEEDED');
  agent.when(change({ millicores: 60_001, memoryBytes: GIB / 2, enabled: false })).refused(t, 'CONFIRM_NEEDED');
  t.is(agent.when(change({ millicores: 60_001, memoryBytes: GIB / 2, confirm: true })).facts.length, 2);
});

test('all of an operator’s changes are taken or none, and never those based on settings that have changed since', (t) => {
  const agent = given(anAgent());
  agent.when(change({ enabled: false, memoryBytes: 12 * GIB, ifVersion: 1 })).expect(t, [
    { type: 'AgentDisabled', data: { agentId: 'agent-1' } },
    {
      type: 'MemoryOverrideSet',
      data: { agentId: 'agent-1', memoryBytes: 12 * GIB, previous: null, physicalMemoryBytes: 6 * GIB },
    },
  ]);
  agent.when(change({ enabled: false, ifVersion: 0 })).refused(t, 'STALE');
  agent.when(change({ agentId: 'agent-9', enabled: false })).refused(t, 'AGENT_UNKNOWN');
  agent.when(change({ enabled: true })).expect(t, []);
});

test('a disabled agent is no candidate, keeps what runs on it, and is one again when enabled', (t) => {
  const disabled = given(anAgent({ enabled: false }), aSession());
  t.is(disabled.when(aRequest({ sessionId: 's-2' })).facts[1]?.type, 'SessionWaiting');
  t.true(disabled.state.sessions.has('s-1'));
  const enabled = disabled.when(change({ enabled: true }));
  enabled.expect(t, [{ type: 'AgentEnabled', data: { agentId: 'agent-1' } }]);
});

test('the ratio of an override is shown as people read it', (t) => {
  t.is(overrideRatio(12_000, 6000, '6 cores'), 'x2.0 of 6 cores');
});

function requestOf(image: ReturnType<typeof anImage>) {
  const { type: _, ...data } = aRequest({ image });
  return data;
}
