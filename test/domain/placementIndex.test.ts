import { fc, testProp } from '@fast-check/ava';
import type { ZoneFact } from '../../domain/events.ts';
import type { GpuNeed } from '../../domain/gpuNeed.ts';
import type { Labels } from '../../domain/labels.ts';
import { explain, shortened } from '../../domain/placement/explain.ts';
import { agentRow } from '../../domain/placement/index/agentRow.ts';
import { DeviceKinds } from '../../domain/placement/index/deviceKinds.ts';
import { PlacementIndex } from '../../domain/placement/index/placementIndex.ts';
import { placementAids } from '../../domain/placement/index/zoneIndex.ts';
import { fits, place, placementOn, reserve, type Reservation } from '../../domain/placement/place.ts';
import type { PlacementRequest } from '../../domain/placement/rule.ts';
import { decideWaiting } from '../../domain/sessions/decide.ts';
import type { ZoneState } from '../../domain/zone/state.ts';
import { GIB, anImage, aWaitingSession } from '../support/builders.ts';
import { apply, ended, fleetOf, held, joined, named, observedHardware, ranking, returned } from '../support/fleets.ts';

/**
 * Fleets in which anything may stand and happen, and that are small in variety, so that ties are frequent. What asks every
 * agent is the measure; what uses the index must always answer the same.
 */

const MOST_AGENTS = 45;
const MODELS = ['NVIDIA A100', 'NVIDIA L4', 'NVIDIA H200'];

const agentId = fc.integer({ min: 0, max: MOST_AGENTS - 1 }).map((index) => `agent-${index}`);
const device = fc.record({
  model: fc.constantFrom(...MODELS),
  memoryBytes: fc.constantFrom(null, 40 * GIB, 80 * GIB),
  health: fc.constantFrom('ok' as const, 'ok' as const, 'ok' as const, 'failed' as const),
  usable: fc.constantFrom(true, true, true, false),
});
const hardware = fc.record({
  millicores: fc.constantFrom(0, 2000, 4000, 4000, 6000, 7001),
  memoryBytes: fc.constantFrom(4 * GIB, 4 * GIB, 6 * GIB, 3 * GIB + 12_345),
  gpus: fc.array(device, { maxLength: 3 }),
});
const gpu: fc.Arbitrary<GpuNeed> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<GpuNeed>({ kind: 'none' }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }).map((count): GpuNeed => ({ kind: 'count', count })) },
  { weight: 1, arbitrary: fc.constant<GpuNeed>({ kind: 'all' }) },
);
const request: fc.Arbitrary<PlacementRequest> = fc
  .record({
    millicores: fc.constantFrom(0, 500, 1000, 1000, 2000, 3333, 9000),
    memoryBytes: fc.constantFrom(0, GIB, GIB, 2 * GIB, GIB + 777),
    gpu,
    gpuModel: fc.constantFrom(null, null, '*A100', '*l?', '*'),
    gpuMemoryBytes: fc.constantFrom(null, null, 60 * GIB),
    includeLabels: fc.constantFrom<string[]>([], [], [], ['rack=a'], ['spot', 'rack']),
    excludeLabels: fc.constantFrom<string[]>([], [], ['spot'], ['rack=b']),
    pinnedAgentId: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: agentId }),
  })
  .map(({ pinnedAgentId, ...needs }) => ({ needs: anImage(needs), pinnedAgentId }));

/** Something happens; what it is may depend on the state. */
type Change = (state: ZoneState) => readonly ZoneFact[];

const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ agentId, hardware }).map(
      (seen): Change =>
        () =>
          observedHardware(seen),
    ),
  },
  {
    weight: 1,
    arbitrary: agentId.map(
      (id): Change =>
        (state) =>
          state.agents.has(id) ? [] : joined(id),
    ),
  },
  {
    weight: 1,
    arbitrary: agentId.map(
      (id): Change =>
        (state) =>
          state.agents.get(id)?.sessions.size === 0
            ? [{ type: 'AgentLeft', data: { agentId: id, approval: null } }]
            : [],
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ agentId, type: fc.constantFrom('AgentEnabled' as const, 'AgentDisabled' as const) })
      .map(({ agentId, type }): Change => () => [{ type, data: { agentId } }]),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ agentId, millicores: fc.constantFrom(null, 1000, 12_000) })
      .map(({ agentId, millicores }): Change => () => [
        { type: 'CoresOverrideSet', data: { agentId, millicores, previous: null, physicalMillicores: null } },
      ]),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ agentId, labels: fc.constantFrom<Labels>({}, { rack: 'a' }, { rack: 'b', spot: '' }, { spot: 'x' }) })
      .map(({ agentId, labels }): Change => () => [
        { type: 'AgentLabelsSet', data: { agentId, labels, previous: {} } },
      ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ agentId, type: fc.constantFrom('AgentWentLate' as const, 'AgentWentMissing' as const) })
      .map(({ agentId, type }): Change => () => [{ type, data: { agentId, silentSeconds: 30 } }]),
  },
  {
    weight: 2,
    arbitrary: agentId.map(
      (id): Change =>
        () =>
          returned(id),
    ),
  },
  {
    weight: 8,
    arbitrary: request.map(
      (wish): Change =>
        (state) =>
          placedAnywhere(state, wish),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({ agentId, request }).map(
      (wish): Change =>
        (state) =>
          overfull(state, wish),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.nat().map(
      (pick): Change =>
        (state) =>
          ended(state, pick),
    ),
  },
);

function placedAnywhere(state: ZoneState, wish: PlacementRequest): readonly ZoneFact[] {
  const placement = place(state.agents.values(), wish, null);
  return placement.kind === 'nowhere' ? [] : held(wish, placement.agentId, placement.claim.gpuUuids);
}

/** A claim where the rules would allow none: lowered overrides and failed devices leave such behind. */
function overfull(state: ZoneState, wish: { agentId: string; request: PlacementRequest }): readonly ZoneFact[] {
  const agent = state.agents.get(wish.agentId);
  if (agent === undefined) return [];
  const uuids = agent.hardware?.gpus.map(({ uuid }) => uuid).filter((uuid) => !agent.allocated.gpus.has(uuid)) ?? [];
  return held(wish.request, wish.agentId, uuids.slice(0, 1));
}

const fleet = fc.array(hardware, { maxLength: MOST_AGENTS, size: 'max' });
const changes = fc.array(change, { maxLength: 40, size: 'max' });

testProp(
  'the index finds who asking every agent finds, in the same order, whatever happens in between',
  [fleet, changes, fc.array(request, { minLength: 1, maxLength: 4 }), request],
  (t, hardwares, happened, wishes, ahead) => {
    const state = fleetOf(hardwares);
    t.pass();
    for (const next of [() => [], ...happened]) {
      apply(state, next(state));
      const { index } = placementAids(state);
      const kept = reserve(state.agents.values(), ahead);
      t.deepEqual(index.reserve(ahead), kept);
      for (const wish of wishes) {
        for (const reservation of [null, kept]) {
          const whole = ranking(state, wish, reservation);
          const best = index.best(wish, reservation, 4);
          t.deepEqual(named(best), named(whole.slice(0, 4)));
          const [first] = best;
          const placement = first === undefined ? { kind: 'nowhere' } : placementOn(first.agent, wish);
          t.deepEqual(placement, place(state.agents.values(), wish, reservation));
        }
      }
    }
  },
);

testProp(
  'an index that saw every change is worth one that is built anew',
  [fleet, changes, request],
  (t, hardwares, happened, wish) => {
    const state = fleetOf(hardwares);
    placementAids(state);
    for (const next of happened) apply(state, next(state));
    const fresh = new PlacementIndex(state.agents);
    t.deepEqual(named(placementAids(state).index.best(wish, null, 9)), named(fresh.best(wish, null, 9)));
    const copy = structuredClone(state);
    t.deepEqual(copy, state, 'and it is no part of the state');
  },
);

testProp(
  'who refuses the request for nothing refuses every request, and waiting helps nobody there',
  [fleet, changes, fc.array(request, { minLength: 1, maxLength: 10 })],
  (t, hardwares, happened, wishes) => {
    const state = fleetOf(hardwares);
    for (const next of happened) apply(state, next(state));
    t.pass();
    for (const agent of state.agents.values()) {
      const kinds = new DeviceKinds();
      kinds.learn(agent.hardware?.gpus ?? []);
      if (agentRow(agent, kinds) !== null) continue;
      for (const wish of wishes) {
        t.false(fits(agent, wish));
        t.is(reserve([agent], wish), null);
      }
    }
  },
);

testProp(
  'an answer is the whole explanation of a small fleet, and the beginning of it of a large one',
  [fleet, changes, fc.array(request, { minLength: 1, maxLength: 4 }), request],
  (t, hardwares, happened, wishes, ahead) => {
    const state = fleetOf(hardwares);
    t.pass();
    for (const next of [() => [], ...happened]) {
      apply(state, next(state));
      const reservation = reserve(state.agents.values(), ahead);
      for (const request of wishes) {
        const placement = place(state.agents.values(), request, reservation);
        if (placement.kind === 'placed') continue;
        const question = { sessions: state.sessions, request, reservation };
        const whole = explain(state.agents.values(), question, placement, 'waiting');
        t.deepEqual(placementAids(state).refusals.explain(question), shortened(whole));
      }
    }
  },
);

/** The line as it was placed when every agent was asked for every session: on a state of its own, one after another. */
function placedOneByOne(state: ZoneState): readonly string[] {
  const own = structuredClone(state);
  const placed: string[] = [];
  let reservation: Reservation | null = null;
  let headPassed = false;
  for (const { sessionId, image, pinnedAgentId } of state.line) {
    const wish = { needs: image, pinnedAgentId };
    const placement = place(own.agents.values(), wish, reservation);
    if (placement.kind === 'nowhere') {
      if (!headPassed) reservation = reserve(own.agents.values(), wish);
      headPassed = true;
      continue;
    }
    const { agentId, claim } = placement;
    apply(own, [{ type: 'SessionPlaced', data: { sessionId, agentId, claim } }]);
    placed.push(`${sessionId}@${agentId} ${claim.gpuUuids.join()}`);
  }
  return placed;
}

testProp(
  'a wake places the line as asking every agent for one after another would, and leaves the state alone',
  [fleet, changes, fc.array(request, { minLength: 1, maxLength: 30 })],
  (t, hardwares, happened, wishes) => {
    const state = fleetOf(hardwares);
    placementAids(state);
    for (const next of happened) apply(state, next(state));
    for (const [index, { needs, pinnedAgentId }] of wishes.entries()) {
      const [asked, waits] = aWaitingSession({ id: `w-${index}`, image: needs });
      if (asked?.type !== 'SessionRequested' || waits === undefined) return t.fail('not a waiting session');
      apply(state, [{ ...asked, data: { ...asked.data, agentId: pinnedAgentId } }, waits]);
    }
    const before = structuredClone(state);
    for (const time of ['first', 'again']) {
      const decision = decideWaiting(state);
      const facts = decision.kind === 'accepted' ? decision.facts : [];
      const placed = facts.flatMap((fact) =>
        fact.type === 'SessionPlaced'
          ? [`${fact.data.sessionId}@${fact.data.agentId} ${fact.data.claim.gpuUuids.join()}`]
          : [],
      );
      t.deepEqual(placed, placedOneByOne(before), time);
    }
    t.deepEqual(state, before);
  },
);
