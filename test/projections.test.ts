import test from 'ava';
import { RULES_VERSION, type Commit } from '../domain/commit.ts';
import type { ObservedSession } from '../domain/checkIn.ts';
import type { AnyEvent, AnyFact, ZoneFact } from '../domain/events.ts';
import { eventId } from '../infra/log/eventId.ts';
import { pendingAgentView, agentView } from '../projections/agentView.ts';
import { desiredDocumentOf } from '../projections/desired.ts';
import { explainAt } from '../projections/explainAt.ts';
import { applyCheckIn, applyFleetCommit, emptyFleetProjection } from '../projections/fleetProjection.ts';
import { sessionView } from '../projections/sessionRecord.ts';
import type { SessionPhase } from '../projections/views.ts';
import {
  applyZoneCommit,
  emptyZoneProjection,
  ENDED_KEPT,
  type ZoneProjection,
} from '../projections/zoneProjection.ts';
import { zoneSummary } from '../projections/zoneSummary.ts';
import {
  GIB,
  APPROVAL,
  NOW,
  aCheckIn,
  aGpu,
  aPlacedSession,
  aRequest,
  aSession,
  aStop,
  aWaitingSession,
  agentIn,
  anAgent,
  anImage,
  given,
  gpus,
  observed,
} from './support/builders.ts';

const STANDING = { zone: 'default', approval: APPROVAL, fingerprint: 'f1', revokedAt: null };
const OPERATOR = { kind: 'operator', id: 'op-1' } as const;

function aCommit(version: number, facts: readonly AnyFact[]): Commit {
  const envelope = (index: number) => ({
    id: eventId(`c-${version}`, index),
    schemaVersion: 1,
    occurredAt: NOW,
    actor: OPERATOR,
    correlationId: 'c',
    causationId: 'c',
  });
  const events = facts.map((fact, index): AnyEvent => ({ ...envelope(index), ...fact }));
  return { logId: 'log-1', version, previousHash: '', rulesVersion: RULES_VERSION, at: NOW, events, commands: [] };
}

/** A zone's projection after these commits, as `given` has them. */
function shown(...groups: readonly (readonly ZoneFact[])[]) {
  const projection = emptyZoneProjection('default', 'zone-default');
  for (const [index, facts] of groups.entries()) applyZoneCommit(projection, aCommit(index + 1, facts));
  const view = (sessionId: string) => {
    const record = projection.sessions.get(sessionId);
    return record === undefined ? null : sessionView(record, projection.state, null);
  };
  return { projection, view };
}

test('a session is shown in each of its phases, with a sentence', (t) => {
  const end = {
    type: 'SessionEnded',
    data: { sessionId: 's-1', agentId: 'agent-1', cause: 'USER', exitCode: 0 },
  } as const;
  const missing = { type: 'AgentWentMissing', data: { agentId: 'agent-1', silentSeconds: 60 } } as const;
  const cancelled = { type: 'SessionCancelled', data: { sessionId: 's-1', cause: 'WAIT_TIMEOUT' } } as const;
  const table: readonly (readonly [readonly (readonly ZoneFact[])[], SessionPhase, string])[] = [
    [[aWaitingSession()], 'waiting', 'Waiting for a place. No agent has joined the zone yet.'],
    [[anAgent(), aPlacedSession()], 'placed', 'Placed on agent-1, about to start.'],
    [[anAgent(), aSession()], 'running', 'Running on agent-1.'],
    [[anAgent(), aSession(), aStop()], 'stopping', 'Stopping on agent-1: its user stopped it.'],
    [
      [anAgent(), aSession(), [missing]],
      'unknown',
      'Unknown: agent-1 has stopped checking in. It may still run there.',
    ],
    [[anAgent(), aSession(), aStop(), [end]], 'ended', 'Ended: its user stopped it (exit code 0).'],
    [[aWaitingSession(), [cancelled]], 'cancelled', 'Cancelled: it waited for a place as long as it was asked to.'],
  ];
  for (const [groups, phase, sentence] of table) {
    const view = shown(...groups).view('s-1');
    t.is(view?.phase, phase);
    t.is(view?.sentence, sentence);
  }
});

test('a session’s view holds who asked, its claim while it has one, and its position in the log', (t) => {
  const running = shown(anAgent(), aSession()).view('s-1');
  t.like(running, {
    requestedBy: OPERATOR,
    requestedAt: NOW,
    startedAt: NOW,
    endedAt: null,
    position: 'zone-default:2',
  });
  t.deepEqual(running?.claim, { millicores: 1000, memoryBytes: GIB, gpuUuids: [] });
});

test('of the sessions that are over the last 200 stay listed', (t) => {
  const over = Array.from({ length: ENDED_KEPT + 5 }, (_, index): readonly ZoneFact[] => [
    ...aWaitingSession({ id: `s-${index}` }),
    { type: 'SessionCancelled', data: { sessionId: `s-${index}`, cause: 'USER' } },
  ]);
  const { projection, view } = shown(...over, aWaitingSession({ id: 'live' }));
  t.is(projection.sessions.size, ENDED_KEPT + 1);
  t.is(view('s-4'), null);
  t.is(view('s-5')?.phase, 'cancelled');
});

test('what a commit touched is told: its agents, its sessions, and the sessions of an agent that goes missing', (t) => {
  const { projection } = shown(anAgent(), aSession());
  projection.touched.agents.clear();
  projection.touched.sessions.clear();
  applyZoneCommit(
    projection,
    aCommit(3, [{ type: 'AgentWentMissing', data: { agentId: 'agent-1', silentSeconds: 60 } }]),
  );
  t.deepEqual([[...projection.touched.agents], [...projection.touched.sessions]], [['agent-1'], ['s-1']]);
});

test('sessions of an agent that is declared lost are shown ended by that, at its position, and are told as touched', (t) => {
  const data = { agentId: 'agent-1', silentSeconds: 60, sessions: 2 };
  const { projection, view } = shown(
    anAgent(),
    [...aSession(), ...aSession({ id: 's-2' }), ...aStop('s-2')],
    [{ type: 'AgentWentMissing', data }],
  );
  projection.touched.agents.clear();
  projection.touched.sessions.clear();
  applyZoneCommit(projection, aCommit(4, [{ type: 'AgentDeclaredLost', data }]));
  for (const sessionId of ['s-1', 's-2']) {
    t.like(view(sessionId), {
      phase: 'ended',
      cause: 'AGENT_LOST',
      sentence: 'Ended: its agent was declared lost.',
      agentId: 'agent-1',
      endedAt: NOW,
      claim: null,
      position: 'zone-default:4',
    });
  }
  t.deepEqual([...projection.touched.agents], ['agent-1']);
  t.deepEqual([...projection.touched.sessions].toSorted(), ['s-1', 's-2']);
  const lost = agentView(agentIn(projection.state), STANDING, null);
  t.is(lost.connectivity, 'lost');
  t.regex(lost.sentence, /^Declared lost: its sessions are over\./);
  const document = desiredDocumentOf(projection.state, 'agent-1', 'log-1');
  t.deepEqual([document?.version, document?.sessions], [4, []]);
});

test('of the sessions that end with their agents, too, the last 200 stay listed', (t) => {
  const sessions = Array.from({ length: ENDED_KEPT + 5 }, (_, index) =>
    aSession({ id: `s-${index}`, cores: 0.001, gib: 0.001 }),
  ).flat();
  const data = { agentId: 'agent-1', silentSeconds: 60, sessions: sessions.length };
  const { projection } = shown(anAgent(), sessions, [
    { type: 'AgentWentMissing', data },
    { type: 'AgentDeclaredLost', data },
  ]);
  t.is(projection.sessions.size, ENDED_KEPT);
  t.is(projection.state.sessions.size, 0);
});

test('a zone at a glance counts agents and sessions, and says when the network is the likelier cause of silence', (t) => {
  const missing = (agentId: string): ZoneFact => ({ type: 'AgentWentMissing', data: { agentId, silentSeconds: 60 } });
  const ids = ['agent-1', 'agent-2', 'agent-3'];
  const agents = ids.flatMap((id) => anAgent({ id }));
  const calm = given(agents, aSession(), aWaitingSession({ id: 's-2' }), [missing('agent-1')]);
  t.deepEqual(zoneSummary('default', calm.state, 30), {
    zone: 'default',
    agents: { never: 0, online: 2, late: 0, missing: 1, lost: 0 },
    waiting: 1,
    sessions: 1,
    conditions: [],
  });
  const { state } = given(agents, [missing('agent-1'), missing('agent-2')]);
  const [condition] = zoneSummary('default', state, 30).conditions;
  t.like(condition, { condition: 'PARTITION_SUSPECTED', silent: 2, expected: 3 });
  t.is(
    condition?.detail,
    '2 of 3 agents fell silent at once: this looks like a network partition; nothing is declared lost',
  );
});

test('the desired document names what was placed and not withdrawn, in order, at the version of its last change', (t) => {
  const { state } = given(
    anAgent({ gpus: [aGpu(0)] }),
    aSession({ id: 's-b' }),
    aPlacedSession({ id: 's-a', gpuUuids: ['GPU-0'] }),
    aSession({ id: 's-c' }),
    aStop('s-c'),
  );
  const document = desiredDocumentOf(state, 'agent-1', 'log-1');
  t.deepEqual(
    document?.sessions.map(({ sessionId, mayCreate, gpuUuids }) => ({ sessionId, mayCreate, gpuUuids })),
    [
      { sessionId: 's-a', mayCreate: true, gpuUuids: ['GPU-0'] },
      { sessionId: 's-b', mayCreate: false, gpuUuids: [] },
    ],
  );
  t.like(document, { agentId: 'agent-1', logId: 'log-1', version: 5 });
  t.is(desiredDocumentOf(state, 'agent-9', 'log-1'), null, 'no document is not an empty one');
});

test('an agent is shown with capacity, allocation, devices and what is wrong with it', (t) => {
  const devices = [aGpu(0), aGpu(1, { health: 'failed' }), aGpu(2, { usable: false, unusableReason: 'no toolkit' })];
  const { state } = given(anAgent({ gpus: devices, coresOverride: 2 }), aSession({ cores: 3, gpuUuids: ['GPU-0'] }));
  const images = [100, 20].map((sizeBytes, n) => ({ imageId: `sha256:${n}`, references: [], sizeBytes }));
  const checkIn = aCheckIn({ unmanagedContainers: 2, images });
  const view = agentView(agentIn(state), STANDING, { checkIn, receivedAt: NOW });
  t.like(view, {
    connectivity: 'online',
    intent: 'enabled',
    sentence: 'Online and enabled, 1 session on it.',
    physical: { millicores: 6000, memoryBytes: 6 * GIB, gpus: 3 },
    capacity: { millicores: 2000, memoryBytes: 6 * GIB, gpus: 1 },
    allocated: { millicores: 3000, memoryBytes: GIB, gpus: 1 },
    coresOverride: { value: 2000, setWhenPhysical: 6000 },
    gpuCounts: { detected: 3, usable: 2, schedulable: 1, free: 0 },
    engineVersion: '28',
    unmanagedContainers: 2,
    images: { count: 2, totalBytes: 120 },
    lastCheckInAt: NOW,
  });
  const silent = agentView(agentIn(state), STANDING, { checkIn: aCheckIn(), receivedAt: NOW });
  t.is(silent.images, null, 'an agent that does not tell its images does not have none');
  t.deepEqual(
    view.conditions.map(({ condition, detail }) => `${condition}: ${detail}`),
    ['OVER_ALLOCATED: over-allocated by 1 core; nothing is evicted, nothing new is placed there'],
  );
  t.deepEqual(
    view.gpus.map(({ heldBy, reason }) => [heldBy.join(), reason]),
    [
      ['s-1', null],
      ['', 'the driver reports it as failed'],
      ['', 'no toolkit'],
    ],
  );
});

test('a session shows the digest that was asked for, and from its start on the one that it was made from', (t) => {
  const [asked, made] = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`);
  const shownAfter = (digest: string | null, told: string | null) => {
    const facts = aPlacedSession({ image: anImage({ digest }) });
    const data = { sessionId: 's-1', agentId: 'agent-1', containerId: 'c-1', imageDigest: told, endpoints: [] };
    const views = [shown(anAgent(), facts), shown(anAgent(), facts, [{ type: 'SessionStarted', data }])];
    return views.map(({ view }) => view('s-1')?.imageDigest);
  };
  t.deepEqual(shownAfter(null, null), [null, null]);
  t.deepEqual(shownAfter(null, made ?? ''), [null, made]);
  t.deepEqual(shownAfter(asked ?? '', made ?? ''), [asked, made]);
  t.deepEqual(shownAfter(asked ?? '', null), [asked, asked]);
});

test('a session says how far its image is pulled and whether it is healthy, as its agent last told', (t) => {
  const projection = emptyFleetProjection('fleet');
  const data = { agentId: 'agent-1', hostname: 'host-1', simulated: false, fingerprint: null };
  applyFleetCommit(projection, aCommit(1, [{ type: 'AgentEnrolled', data }]));
  const told = (change: Partial<ObservedSession>, zone: ZoneProjection) => {
    applyCheckIn(projection, aCheckIn({ sessions: [observed('running', change)] }), NOW);
    const record = zone.sessions.get('s-1');
    const telemetry = projection.heard.get('agent-1')?.sessions.get('s-1') ?? null;
    return record === undefined ? null : sessionView(record, zone.state, telemetry);
  };
  const sentences = (zone: ZoneProjection, changes: readonly Partial<ObservedSession>[]) =>
    changes.map((change) => told(change, zone)?.sentence);
  const far = { layersDone: 3, layersTotal: 7, bytesDone: 459, bytesTotal: 1000, attempt: 1 };

  const starting = shown(anAgent(), aPlacedSession(), [
    { type: 'SessionStarting', data: { sessionId: 's-1', agentId: 'agent-1' } },
  ]).projection;
  t.deepEqual(
    sentences(starting, [
      { pull: far },
      { pull: { ...far, attempt: 2 } },
      { pull: { ...far, layersDone: 0, layersTotal: 0, bytesDone: 0, bytesTotal: 0 } },
      {},
    ]),
    [
      'Starting on agent-1: pulling its image, 45 % (3 of 7 layers).',
      'Starting on agent-1: pulling its image, 45 % (3 of 7 layers), try 2.',
      'Starting on agent-1: pulling its image.',
      'Starting on agent-1.',
    ],
  );
  t.deepEqual(told({ pull: far }, starting)?.pull, far);

  const running = shown(anAgent(), aSession()).projection;
  t.deepEqual(sentences(running, [{ health: 'starting' }, { health: 'healthy' }, { health: 'unhealthy' }, {}]), [
    'Running on agent-1, its health check has not passed yet.',
    'Running on agent-1, healthy.',
    'Running on agent-1, but its health check fails.',
    'Running on agent-1.',
  ]);
  t.is(told({ pull: far }, running)?.pull, null, 'a word from before it ran');
});

test('a session is shown anew when a check-in tells something else of it, and only then', (t) => {
  const projection = emptyFleetProjection('fleet');
  const data = { agentId: 'agent-1', hostname: 'host-1', simulated: false, fingerprint: null };
  applyFleetCommit(projection, aCommit(1, [{ type: 'AgentEnrolled', data }]));
  const touchedBy = (change: Partial<ObservedSession>) => {
    return applyCheckIn(projection, aCheckIn({ sessions: [observed('running', change)] }), NOW);
  };
  t.deepEqual(touchedBy({}), []);
  t.deepEqual(touchedBy({ health: 'healthy' }), ['s-1']);
  t.deepEqual(touchedBy({ health: 'healthy' }), []);
  t.deepEqual(touchedBy({}), ['s-1']);
});

test('what was never heard is shown as unknown, never as 0', (t) => {
  const view = agentView(agentIn(given(anAgent({ connectivity: 'never' })).state), STANDING, null);
  t.like(view, { used: null, lastCheckInAt: null, physical: null, capacity: null, engineVersion: null });
  t.is(view.sentence, 'Approved, waiting for its first check-in.');
});

test('a revoked agent says so, and what has to be done for what it holds', (t) => {
  const revoked = { ...STANDING, revokedAt: NOW };
  const shownAs = (...groups: readonly (readonly ZoneFact[])[]) =>
    agentView(agentIn(given(...groups).state), revoked, null);
  t.like(shownAs(anAgent()), {
    intent: 'revoked',
    revokedAt: NOW,
    fingerprint: 'f1',
    sentence: 'Revoked: it is not heard any more. It holds nothing, and can be removed.',
  });
  t.is(
    shownAs(anAgent(), aSession()).sentence,
    'Revoked: it is not heard any more. 1 session on it, unknown. Once it is missing, declare it lost to free what it holds.',
  );
  t.is(
    shownAs(anAgent({ connectivity: 'missing' }), aSession(), aSession({ id: 's-2' })).sentence,
    'Revoked: it is not heard any more. 2 sessions on it, unknown. Declare it lost to free what it holds.',
  );
  const enrolment = { agentId: 'agent-1', hostname: 'host-1', simulated: false, ...revoked };
  t.like(pendingAgentView(enrolment, null), { intent: 'revoked', zone: '', revokedAt: NOW });
});

test('a pending agent is shown by its own word; check-ins of agents that nobody enrolled are not kept', (t) => {
  const projection = emptyFleetProjection('fleet');
  applyCheckIn(projection, aCheckIn(), NOW);
  t.is(projection.heard.size, 0);
  const data = { agentId: 'agent-1', hostname: 'host-1', simulated: false, fingerprint: 'f1' };
  applyFleetCommit(projection, aCommit(1, [{ type: 'AgentEnrolled', data }]));
  applyCheckIn(projection, aCheckIn(), NOW);
  const enrolment = projection.state.agents.get('agent-1');
  if (enrolment === undefined) return t.fail('not enrolled');
  const view = pendingAgentView(enrolment, projection.heard.get('agent-1') ?? null);
  t.like(view, {
    intent: 'pending',
    fingerprint: 'f1',
    revokedAt: null,
    hostname: 'host-1',
    physical: { millicores: 6000 },
    capacity: null,
  });
  applyFleetCommit(projection, aCommit(2, [{ type: 'AgentRemoved', data: { agentId: 'agent-1' } }]));
  applyCheckIn(projection, aCheckIn({ seq: 2 }), NOW);
  t.is(projection.heard.size, 0, 'what a removed one said is gone, and what it says is not kept');
});

test('images are shown as last revised, and retired ones not at all', (t) => {
  const projection = emptyFleetProjection('fleet');
  const image = { ...anImage(), name: 'Desktop' };
  const revised = { ...image, revision: 2, name: 'Other' };
  applyFleetCommit(projection, aCommit(1, [{ type: 'ImageDefined', data: { image } }]));
  applyFleetCommit(projection, aCommit(2, [{ type: 'ImageRevised', data: { image: revised, previous: image } }]));
  t.deepEqual(projection.images.get('desktop'), { ...revised, position: 'fleet:2' });
  applyFleetCommit(projection, aCommit(3, [{ type: 'ImageRetired', data: { imageId: 'desktop', revision: 2 } }]));
  t.is(projection.images.size, 0);
});

test('why a session went where it went is computed again from the log, and equals the answer given then', async (t) => {
  const agents = [anAgent({ id: 'a', gpus: [aGpu(0)] }), anAgent({ id: 'b', enabled: false }), anAgent({ id: 'c' })];
  const before = [
    ...agents,
    aSession({ id: 'h', on: 'c', cores: 4 }),
    aWaitingSession({ id: 'head', cores: 4, image: anImage({ cores: 4, gpu: gpus(2) }) }),
  ];
  for (const request of [
    aRequest({ sessionId: 'x' }),
    aRequest({ sessionId: 'x', image: anImage({ cores: 7 }) }),
    aRequest({ sessionId: 'x', image: anImage({ cores: 6, gpu: gpus(1) }), whenFull: 'fail' }),
  ]) {
    const { facts, explanation } = given(...before).when(request);
    const later = [...before, facts, aSession({ id: 'after', on: 'a' })];
    const commits = later.map((group, index) => aCommit(index + 1, group));
    t.deepEqual(await explainAt(replay(commits), 'x'), explanation);
  }
  t.is(await explainAt(replay([]), 'x'), null);
});

async function* replay(commits: readonly Commit[]) {
  yield* commits;
}
