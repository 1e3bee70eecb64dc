import { fc, testProp } from '@fast-check/ava';
import { allocatedOf, capacityOf } from '../../domain/agents/capacity.ts';
import type { CheckIn } from '../../domain/checkIn.ts';
import type { ZoneFact } from '../../domain/events.ts';
import type { GpuNeed } from '../../domain/gpuNeed.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import { placementAids } from '../../domain/placement/index/zoneIndex.ts';
import { place, placementOn } from '../../domain/placement/place.ts';
import { PRUNE_MODE_NAMES } from '../../domain/pruneMode.ts';
import type { SetAgentSettings, ZoneCommand } from '../../domain/zone/commands.ts';
import { decideZone } from '../../domain/zone/decide.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';
import { isoTime } from '../../infra/clock.ts';
import {
  GIB,
  LOG_ID,
  aCheckIn,
  aGpu,
  aHardware,
  aRequest,
  aTick,
  anImage,
  observed,
  aJoin,
} from '../support/builders.ts';

/** Histories of a small zone: any commands in any order, each decided on the state that those before it made. */

const AGENTS = ['a', 'b', 'c'];
const SESSIONS = Array.from({ length: 12 }, (_, index) => `s-${index}`);
const MODELS = ['NVIDIA A100', 'NVIDIA L4'];

const agentId = fc.constantFrom(...AGENTS);
const sessionId = fc.constantFrom(...SESSIONS);
const gpuNeed: fc.Arbitrary<GpuNeed> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<GpuNeed>({ kind: 'none' }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map((count): GpuNeed => ({ kind: 'count', count })) },
  { weight: 1, arbitrary: fc.constant<GpuNeed>({ kind: 'all' }) },
);
const image = fc
  .record({
    cores: fc.integer({ min: 1, max: 8 }),
    gib: fc.integer({ min: 1, max: 8 }),
    gpu: gpuNeed,
    gpuModel: fc.constantFrom(null, '*A100', '*'),
    gpuMemoryBytes: fc.constantFrom(null, 40 * GIB),
    includeLabels: fc.constantFrom<string[]>([], [], ['rack=a']),
    excludeLabels: fc.constantFrom<string[]>([], [], ['spot']),
  })
  .map((needs) => anImage(needs));
const request: fc.Arbitrary<ZoneCommand> = fc
  .record({
    sessionId,
    image,
    priority: fc.integer({ min: -1, max: 1 }),
    whenFull: fc.constantFrom('queue', 'fail'),
    maxWaitSeconds: fc.constantFrom(null, 5),
    agentId: fc.constantFrom(null, null, null, ...AGENTS),
  })
  .map(aRequest);

/** What an agent may say, true or not: the rules hold whatever it says. */
const statusOf = fc.constantFrom('running', 'exited', 'starting', 'failed', 'gone', 'absent');
const spoken = fc.record({
  agentId,
  lag: fc.constantFrom(0, 0, 0, 1, 3),
  boot: fc.constantFrom('boot-1', 'boot-1', 'boot-1', 'boot-2', 'boot-3'),
  engineUp: fc.constantFrom(true, true, true, false),
  statuses: fc.array(statusOf, { minLength: SESSIONS.length, maxLength: SESSIONS.length }),
  cores: fc.constantFrom(6, 6, 6, 8),
  failedGpu: fc.constantFrom(null, null, 0, 1),
});
const settings: fc.Arbitrary<ZoneCommand> = fc.record({
  type: fc.constant('SetAgentSettings' as const),
  agentId,
  enabled: fc.boolean(),
  millicores: fc.constantFrom(null, 3000, 12_000),
  labels: fc.constantFrom({}, { rack: 'a' }, { spot: '', rack: 'a' }, { rack: 'b' }),
  pruneMode: fc.constantFrom(...PRUNE_MODE_NAMES),
  confirm: fc.constant(true),
  ifVersion: fc.constant(null),
}) satisfies fc.Arbitrary<SetAgentSettings>;

const step = fc.oneof(
  { weight: 8, arbitrary: request.map((command) => () => command) },
  { weight: 8, arbitrary: spoken.map((said) => (state: ZoneState) => checkInFrom(state, said)) },
  {
    weight: 3,
    arbitrary: sessionId.map((id) => (): ZoneCommand => ({ type: 'StopSession', sessionId: id, cause: 'USER' })),
  },
  { weight: 2, arbitrary: settings.map((command) => () => command) },
  {
    weight: 1,
    arbitrary: fc
      .record({ agentId, to: fc.constantFrom('late' as const, 'missing' as const, 'lost' as const) })
      .map((silence) => (): ZoneCommand => aTick({ silences: [{ ...silence, seconds: 60 }] })),
  },
  { weight: 1, arbitrary: agentId.map((id) => (): ZoneCommand => ({ type: 'DeclareAgentLost', agentId: id })) },
  { weight: 1, arbitrary: sessionId.map((id) => (): ZoneCommand => aTick({ overdueStarts: [id] })) },
  { weight: 3, arbitrary: fc.constant((): ZoneCommand => ({ type: 'PlaceWaiting' })) },
);
const steps = fc.array(step, { minLength: 1, maxLength: 80 });
type Step = (state: ZoneState) => ZoneCommand;

function checkInFrom(state: ZoneState, said: typeof spoken extends fc.Arbitrary<infer T> ? T : never): ZoneCommand {
  const agent = state.agents.get(said.agentId);
  const sessions: CheckIn['sessions'] = [];
  for (const [index, id] of SESSIONS.entries()) {
    const status = said.statuses[index];
    const held = agent?.sessions.has(id) === true;
    if (held && status !== undefined && status !== 'absent') sessions.push(observed(status, { sessionId: id }));
  }
  const checkIn = aCheckIn({
    agentId: said.agentId,
    bootId: said.boot,
    appliedVersion: Math.max(0, (agent?.desiredVersion ?? 0) - said.lag),
    hardware: aHardware({ cores: said.cores, gib: 8, gpus: devicesOf(said.agentId, said.failedGpu) }),
    sessions,
    ...(said.engineUp ? {} : { engine: { status: 'down', detail: 'no answer', mend: 'start it' } }),
  });
  return { type: 'RecordCheckIn', checkIn };
}

function devicesOf(agent: string, failed: number | null) {
  return MODELS.flatMap((model, index) => [0, 1].map((copy) => ({ model, index: index * 2 + copy }))).map(
    ({ model, index }) =>
      aGpu(index, {
        uuid: `GPU-${agent}-${index}`,
        model,
        memoryBytes: (index + 1) * 20 * GIB,
        health: index === failed ? 'failed' : 'ok',
      }),
  );
}

interface Committed {
  readonly facts: readonly ZoneFact[];
  readonly at: { readonly version: number; readonly time: string };
}

type Seen = (state: ZoneState, facts: readonly ZoneFact[], explanation: Explanation | null, before: ZoneState) => void;

/** Runs a history and gives its commits; `seen` looks at the state after each of them. */
function live(
  chosen: readonly Step[],
  seen: Seen = () => {},
): { readonly state: ZoneState; readonly commits: readonly Committed[] } {
  const state = initialZone();
  const commits: Committed[] = [];
  const joins = AGENTS.map(
    (id): Step =>
      () =>
        aJoin(id),
  );
  for (const [index, next] of [...joins, ...chosen].entries()) {
    const time = isoTime(Date.UTC(2026, 0, 1) + index * 1000);
    const version = commits.length;
    const decision = decideZone(state, next(state), { now: time, logId: LOG_ID, version });
    if (decision.kind === 'rejected' || decision.facts.length === 0) continue;
    const before = structuredClone(state);
    const at = { version: version + 1, time };
    for (const fact of decision.facts) evolveZone(state, fact, at);
    commits.push({ facts: structuredClone(decision.facts), at });
    seen(state, decision.facts, (decision.detail ?? null) as Explanation | null, before);
  }
  return { state, commits };
}

testProp(
  'folding a history in one go equals folding it in any split, from copies',
  [steps, fc.array(fc.nat({ max: 80 }), { maxLength: 4 })],
  (t, chosen, splits) => {
    const { state, commits } = live(chosen);
    let folded = initialZone();
    for (const [index, { facts, at }] of commits.entries()) {
      if (splits.includes(index)) folded = structuredClone(folded);
      for (const fact of structuredClone(facts)) evolveZone(folded, fact, at);
    }
    t.deepEqual(folded, state);
  },
);

testProp('what is allocated on an agent is the sum of the claims held there', [steps], (t, chosen) => {
  t.pass();
  live(chosen, (state) => {
    for (const agent of state.agents.values()) {
      const held = [...state.sessions.values()].filter(
        (session) => session.phase !== 'waiting' && session.agentId === agent.agentId,
      );
      const claims = held.flatMap((session) => (session.phase === 'waiting' ? [] : [session.claim]));
      t.is(agent.sessions.size, held.length);
      t.deepEqual(allocatedOf(agent), {
        millicores: claims.reduce((sum, claim) => sum + claim.millicores, 0),
        memoryBytes: claims.reduce((sum, claim) => sum + claim.memoryBytes, 0),
        gpus: claims.reduce((sum, claim) => sum + claim.gpuUuids.length, 0),
      });
    }
  });
});

testProp(
  'a placement never takes allocated past capacity, and gives exactly the devices that are asked for',
  [steps],
  (t, chosen) => {
    t.pass();
    live(chosen, (state, facts) => {
      for (const fact of facts) {
        if (fact.type !== 'SessionPlaced') continue;
        const agent = state.agents.get(fact.data.agentId);
        const session = state.sessions.get(fact.data.sessionId);
        const capacity = agent === undefined ? null : capacityOf(agent);
        if (agent === undefined || session === undefined || capacity === null) return t.fail('placed nowhere');
        t.true(agent.allocated.millicores <= capacity.millicores);
        t.true(agent.allocated.memoryBytes <= capacity.memoryBytes);
        t.true(agent.enabled && agent.connectivity === 'online');
        const { gpu } = session.image;
        const wanted = gpu.kind === 'none' ? 0 : gpu.kind === 'count' ? gpu.count : capacity.gpus;
        t.is(fact.data.claim.gpuUuids.length, wanted);
        if (gpu.kind === 'all') t.true(wanted >= 1);
      }
    });
  },
);

testProp('no device is in two sessions', [steps], (t, chosen) => {
  t.pass();
  live(chosen, (state) => {
    const uuids = [...state.sessions.values()].flatMap((session) =>
      session.phase === 'waiting' ? [] : session.claim.gpuUuids,
    );
    t.is(new Set(uuids).size, uuids.length);
  });
});

testProp(
  'the chosen agent is the first of the candidates, and an explanation names every agent',
  [steps],
  (t, chosen) => {
    t.pass();
    live(chosen, (state, facts, explanation) => {
      if (explanation === null) return;
      const [first] = explanation.candidates;
      const placed = facts.find((fact) => fact.type === 'SessionPlaced');
      t.is(explanation.candidates.length, state.agents.size);
      t.is(explanation.agentId, placed?.data.agentId ?? null);
      t.deepEqual(explanation.gpuUuids, placed?.data.claim.gpuUuids ?? []);
      t.is(first?.outcome === 'chosen' ? first.agentId : null, explanation.agentId);
      for (const { outcome, reasons } of explanation.candidates) t.is(outcome === 'chosen', reasons.length === 0);
    });
  },
);

testProp(
  'whatever is commanded, the index is told of every agent that changes: it finds who asking every agent finds',
  [steps, image],
  (t, chosen, needs) => {
    t.pass();
    live(chosen, (state) => {
      const wish = { needs, pinnedAgentId: null };
      const [best] = placementAids(state).index.best(wish, null, 1);
      const found = best === undefined ? { kind: 'nowhere' } : placementOn(best.agent, wish);
      t.deepEqual(found, place(state.agents.values(), wish, null));
    });
  },
);

testProp('a claim ends only with SessionEnded, or with an agent that is declared lost, once', [steps], (t, chosen) => {
  t.pass();
  live(chosen, (state, facts, _explanation, before) => {
    const ended = facts.flatMap((fact) => (fact.type === 'SessionEnded' ? [fact.data.sessionId] : []));
    const lost = facts.flatMap((fact) => (fact.type === 'AgentDeclaredLost' ? [fact.data.agentId] : []));
    t.is(new Set([...ended, ...lost]).size, ended.length + lost.length);
    for (const [id, session] of before.sessions) {
      if (session.phase === 'waiting') continue;
      t.is(state.sessions.has(id), !ended.includes(id) && !lost.includes(session.agentId));
    }
    for (const id of ended) t.true(before.sessions.get(id)?.phase === 'stopping');
    for (const id of lost) t.true(before.agents.get(id)?.connectivity === 'missing');
  });
});

testProp(
  'deciding again at once what was just decided changes nothing: redelivery is harmless',
  [steps, spoken],
  (t, chosen, said) => {
    const { state, commits } = live(chosen);
    const command = checkInFrom(state, { ...said, lag: 0 });
    const context = { now: '2026-01-02T00:00:00.000Z', logId: LOG_ID, version: commits.length };
    const first = decideZone(state, command, context);
    if (first.kind === 'rejected') return t.fail('a check-in is never rejected');
    for (const fact of first.facts) evolveZone(state, fact, { version: context.version + 1, time: context.now });
    const again = decideZone(state, command, { ...context, version: context.version + 1 });
    t.deepEqual(again.kind === 'accepted' ? again.facts : null, []);
  },
);
