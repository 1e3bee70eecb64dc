import test from 'ava';
import { countFits } from '../../domain/placement/countFits.ts';
import { explain } from '../../domain/placement/explain.ts';
import { aRequest, anAgent, anImage, given, gpus } from '../support/builders.ts';

const FLEET = given(
  anAgent({ id: 'small', cores: 2 }),
  anAgent({ id: 'large', cores: 16 }),
  anAgent({ id: 'closed', cores: 16, enabled: false }),
  anAgent({ id: 'late-and-small', cores: 2, connectivity: 'late' }),
).state;

test('agents that fit are counted, and of the others how many gave each reason', (t) => {
  const needs = anImage({ cores: 4 });
  t.deepEqual(countFits(FLEET.agents.values(), { needs, pinnedAgentId: null }), {
    fits: 1,
    codes: { AGENT_DISABLED: 1, AGENT_LATE: 1, CORES_SHORT: 2 },
  });
});

test('where nothing fits the counts are those of the whole explanation', (t) => {
  const request = { needs: anImage({ gpu: gpus(1) }), pinnedAgentId: null };
  const question = { sessions: FLEET.sessions, request, reservation: null };
  const { codes } = explain(FLEET.agents.values(), question, { kind: 'nowhere' }, 'waiting');
  t.deepEqual(countFits(FLEET.agents.values(), request), { fits: 0, codes });
  t.is(codes['GPU_NONE'], 4);
});

test('without an agent nothing is counted', (t) => {
  const { image } = aRequest();
  t.deepEqual(countFits([], { needs: image, pinnedAgentId: null }), { fits: 0, codes: {} });
});
