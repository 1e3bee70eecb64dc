import test from 'ava';
import type { GpuNeed } from '../../domain/gpuNeed.ts';
import { placementAids } from '../../domain/placement/index/zoneIndex.ts';
import { placementOn, reserve } from '../../domain/placement/place.ts';
import { initialZone, type ZoneState } from '../../domain/zone/state.ts';
import { GIB, aGpu, aHardware, anImage } from '../support/builders.ts';
import { apply, ended, fleetOf, held, joined, named, ranking, returned } from '../support/fleets.ts';

/** Large fleets: what the index finds there, and how few agents are asked for it. */

/** Counts how often a rule is asked about any agent, by the one property that a rule reads of each. */
function countAsked(state: ZoneState): () => number {
  let asked = 0;
  for (const agent of state.agents.values()) {
    const { enabled } = agent;
    Object.defineProperty(agent, 'enabled', {
      get: () => {
        asked += 1;
        return enabled;
      },
    });
  }
  return () => {
    const count = asked;
    asked = 0;
    return count;
  };
}

test('in a fleet of 2,000 the rules are asked of a handful of agents, also where all are alike', (t) => {
  for (const cores of [() => 16, (index: number) => 8 + (index % 97)]) {
    const hardwares = Array.from({ length: 2000 }, (_, index) => aHardware({ cores: cores(index), gib: 64 }));
    const state = fleetOf(hardwares);
    placementAids(state);
    const asked = countAsked(state);
    const wish = { needs: anImage(), pinnedAgentId: null };
    for (let round = 0; round < 300; round += 1) {
      const [best] = placementAids(state).index.best(wish, null, 1);
      if (best === undefined) return t.fail('nowhere');
      const most = asked();
      t.true(most <= 20, `${most} were asked in round ${round}`);
      apply(state, held(wish, best.agent.agentId, []));
    }
  }
});

test('where few or none of 2,000 have the label that is asked for, the others are not asked', (t) => {
  const state = fleetOf(Array.from({ length: 2000 }, () => aHardware({ cores: 16, gib: 64 })));
  for (let index = 0; index < 2000; index += 1) {
    const labels = index % 100 === 99 ? { gpu: 'l40', rack: 'a' } : { rack: 'b' };
    apply(state, [{ type: 'AgentLabelsSet', data: { agentId: `agent-${index}`, labels, previous: {} } }]);
  }
  placementAids(state);
  const asked = countAsked(state);
  const best = (includeLabels: string[]) =>
    placementAids(state).index.best({ needs: anImage({ includeLabels }), pinnedAgentId: null }, null, 1)[0]?.agent
      .agentId;
  t.is(best(['gpu=l40']), 'agent-1099');
  t.true(asked() <= 20);
  t.is(best(['gpu', 'rack=a']), 'agent-1099');
  t.true(asked() <= 20);
  t.is(best(['pool=fast']), undefined);
  t.is(asked(), 0);
  t.is(
    placementAids(state).index.reserve({
      needs: anImage({ cores: 17, includeLabels: ['gpu=l4'] }),
      pinnedAgentId: null,
    }),
    null,
  );
  t.is(asked(), 0);
});

test('of a refusal that was given before, the rules are asked of the agents that changed, and worded for the nearest', (t) => {
  const state = fleetOf(Array.from({ length: 2000 }, () => aHardware({ cores: 4 })));
  const request = { needs: anImage({ cores: 5 }), pinnedAgentId: null };
  const question = { sessions: state.sessions, request, reservation: null };
  const asked = countAsked(state);
  const explain = () => placementAids(state).refusals.explain(question);
  const first = explain();
  t.true(asked() >= 2000);
  t.is(explain(), first, 'equal shapes share one answer');
  const other = { ...question, request: { ...request, needs: { ...request.needs, imageId: 'of-the-same-shape' } } };
  t.is(placementAids(state).refusals.explain(other), first);
  t.is(asked(), 0);
  apply(state, held({ ...request, needs: anImage({ cores: 1 }) }, 'agent-1999', []));
  t.is(explain(), first, 'a change that matters neither to the counts nor to those that are named');
  t.true(asked() <= 4);
  apply(state, held({ ...request, needs: anImage({ cores: 1 }) }, first.candidates[0]?.agentId ?? '', []));
  t.not(explain(), first);
  t.true(asked() <= 30);
});

test('a fleet of many kinds of devices, more than are told apart, is placed by the same rules', (t) => {
  const state = initialZone();
  for (let index = 0; index < 60; index += 1) {
    const agentId = `agent-${index}`;
    const gpu = aGpu(0, { uuid: `GPU-${index}`, model: `model-${index}` });
    const hardware = aHardware({ cores: 6 + (index % 3), gpus: [gpu] });
    apply(state, joined(agentId));
    apply(state, [{ type: 'AgentHardwareChanged', data: { agentId, hardware, previous: null } }, ...returned(agentId)]);
    placementAids(state);
  }
  for (const model of ['model-0', 'model-31', 'model-59', 'model-?9', 'model-60', '*']) {
    const wish = { needs: anImage({ gpu: { kind: 'count', count: 1 }, gpuModel: model }), pinnedAgentId: null };
    const found = placementAids(state).index.best(wish, null, 70);
    t.deepEqual(named(found), named(ranking(state, wish, null)), model);
  }
});

test('what is still allocated in a dimension without capacity does not count for the load', (t) => {
  const failing = { ...aHardware(), gpus: [aGpu(0, { health: 'failed' })] };
  const state = fleetOf([aHardware(), failing, aHardware()]);
  const wish = { needs: anImage(), pinnedAgentId: null };
  apply(state, held(wish, 'agent-0', []));
  apply(state, held({ ...wish, needs: anImage({ cores: 0.1, gib: 0.1 }) }, 'agent-1', ['GPU-agent-1-0']));
  apply(state, held(wish, 'agent-2', []));
  t.deepEqual(named(placementAids(state).index.best(wish, null, 1)), named(ranking(state, wish, null).slice(0, 1)));
  t.is(placementAids(state).index.best(wish, null, 1)[0]?.agent.agentId, 'agent-1');
});

test('a fleet of 300 that fills up and empties again is found in the same order all along', (t) => {
  const hardwares = Array.from({ length: 300 }, (_, index) => ({
    millicores: 16_000 + 8000 * (index % 3),
    memoryBytes: 64 * GIB + 4096 * (index % 7),
    gpus: index % 5 === 0 ? [aGpu(0), aGpu(1, { model: 'NVIDIA L4' })] : [],
  }));
  const state = fleetOf(hardwares);
  for (let round = 0; round < 4000; round += 1) {
    const gpu: GpuNeed = round % 11 === 0 ? { kind: 'count', count: 1 + (round % 2) } : { kind: 'none' };
    const needs = anImage({ cores: 1 + ((round * 7) % 5), gib: 1 + ((round * 5) % 9), gpu });
    const wish = { needs, pinnedAgentId: null };
    const [best] = placementAids(state).index.best(wish, null, 1);
    if (best !== undefined) apply(state, held(wish, best.agent.agentId, placementOn(best.agent, wish).claim.gpuUuids));
    const ends = round < 2500 ? round % 4 === 0 : true;
    if (ends) apply(state, ended(state, round * 31));
    if (round > 2500) apply(state, ended(state, round * 17));
    if (round % 50 !== 0) continue;
    const found = placementAids(state).index.best(wish, null, 4);
    t.deepEqual(named(found), named(ranking(state, wish, null).slice(0, 4)), `round ${round}`);
    t.deepEqual(placementAids(state).index.reserve(wish), reserve(state.agents.values(), wish), `round ${round}`);
  }
});
