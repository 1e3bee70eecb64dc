import test from 'ava';
import { countAgent, countSession, emptyTotals, fleetTotals, type TotalsBook } from '../projections/fleetTotals.ts';
import type { AgentView, FleetTotals, SessionView } from '../projections/views.ts';
import { agentRow, GIB, gpuAgentRow, pendingAgentRow, revokedAgentRow, sessionRow } from '../ui/gallery/fixtures.ts';

function totalsOf(agents: readonly AgentView[], sessions: readonly SessionView[] = []): FleetTotals {
  return fleetTotals(bookOf(agents, sessions));
}

function bookOf(agents: readonly AgentView[], sessions: readonly SessionView[] = []): TotalsBook {
  const book = emptyTotals();
  for (const agent of agents) countAgent(book, agent.agentId, agent);
  for (const session of sessions) countSession(book, session.sessionId, session);
  return book;
}

test('the totals of one agent are its own numbers: 5 of 12 CPUs allocated, 3.1 of 6 used', (t) => {
  const totals = totalsOf([agentRow()]);
  t.deepEqual(totals.allocated, { millicores: 5000, memoryBytes: 5 * GIB, gpus: 0 });
  t.deepEqual(totals.capacity, { millicores: 12_000, memoryBytes: 12 * GIB, gpus: 0 });
  t.deepEqual(totals.used, {
    agents: 1,
    cpuMillicores: 3100,
    memoryBytes: 3.1 * GIB,
    ofMillicores: 6000,
    ofMemoryBytes: 12 * GIB,
    oldestAt: agentRow().lastCheckInAt,
  });
  t.deepEqual(totals.closed, { millicores: 0, memoryBytes: 0, gpus: 0, agents: 0 });
});

test('what a silent agent uses is unknown and not 0: it is left out of both sides', (t) => {
  const totals = totalsOf([agentRow({ agentId: 'a' }), agentRow({ agentId: 'b', connectivity: 'missing' })]);
  t.deepEqual([totals.used.agents, totals.used.ofMillicores], [1, 6000]);
  t.deepEqual([totals.allocated.millicores, totals.capacity.millicores], [10_000, 24_000]);
});

test('capacity on agents that take nothing new is counted, and said to be closed', (t) => {
  const down = { condition: 'DOCKER_DOWN', detail: 'down', mend: 'start it' } as const;
  const closed = [
    agentRow({ agentId: 'disabled', intent: 'disabled' }),
    agentRow({ agentId: 'late', connectivity: 'late' }),
    agentRow({ agentId: 'down', conditions: [down] }),
    revokedAgentRow({ agentId: 'revoked' }),
  ];
  const totals = totalsOf([agentRow({ agentId: 'open' }), ...closed]);
  t.is(totals.closed.agents, closed.length);
  t.is(totals.capacity.millicores - totals.closed.millicores, 12_000);
});

test('an agent that waits for approval or was given up is counted and adds no amounts', (t) => {
  const totals = totalsOf([pendingAgentRow(), agentRow({ agentId: 'gone', connectivity: 'lost' })]);
  t.deepEqual(totals.capacity, { millicores: 0, memoryBytes: 0, gpus: 0 });
  t.deepEqual(totals.connectivity, { never: 1, online: 0, late: 0, missing: 0, lost: 1 });
  t.deepEqual(totals.intent, { pending: 1, enabled: 1, disabled: 0, revoked: 0 });
});

test('GPUs are counted as detected, schedulable and free; sessions by phase, but for those that are over', (t) => {
  const phases = ['waiting', 'placed', 'starting', 'running', 'running', 'ended', 'refused'] as const;
  const sessions = phases.map((phase, index) => sessionRow({ sessionId: `s-${index}`, phase }));
  const totals = totalsOf([gpuAgentRow({ agentId: 'a' }), gpuAgentRow({ agentId: 'b' })], sessions);
  t.deepEqual(totals.gpus, { detected: 8, schedulable: 4, free: 2 });
  t.deepEqual(totals.sessions, { waiting: 1, placed: 1, starting: 1, running: 2, stopping: 0, unknown: 0 });
});

test('a row that changes replaces what it added before, and one that goes takes it away', (t) => {
  const book = bookOf([agentRow({ agentId: 'a' }), agentRow({ agentId: 'b' })], [sessionRow({ phase: 'running' })]);
  const { sessionId } = sessionRow();
  countAgent(book, 'a', gpuAgentRow({ agentId: 'a' }));
  countAgent(book, 'a', gpuAgentRow({ agentId: 'a', connectivity: 'late' }));
  countAgent(book, 'b', null);
  countSession(book, sessionId, sessionRow({ phase: 'stopping' }));
  countSession(book, 's-2', sessionRow({ sessionId: 's-2', phase: 'waiting' }));
  countSession(book, 's-2', null);
  t.deepEqual(
    fleetTotals(book),
    totalsOf([gpuAgentRow({ agentId: 'a', connectivity: 'late' })], [sessionRow({ phase: 'stopping' })]),
  );
});
