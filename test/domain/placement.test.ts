import test from 'ava';
import type { Candidate, Explanation } from '../../domain/placement/explanation.ts';
import { REASON_CODES } from '../../domain/placement/reasonCodes.ts';
import { restSentence } from '../../domain/placement/restSentence.ts';
import { placementRules } from '../../domain/placement/rules.ts';
import type { RequestSession } from '../../domain/zone/commands.ts';
import type { ZoneFact } from '../../domain/events.ts';
import { ALL_GPUS, aGpu, aRequest, aSession, agentIn, anAgent, anImage, given, gpus } from '../support/builders.ts';

interface Row {
  readonly code: string;
  readonly given: readonly (readonly ZoneFact[])[];
  readonly request?: Partial<RequestSession>;
  readonly sentence: string;
  readonly fix: string | null;
  readonly never: boolean;
}

const oneGpu = { image: anImage({ gpu: gpus(1) }) };
const failed = aGpu(1, { health: 'failed' });

/** One row per rule: the situation in which exactly this rule says no, and in which words. */
const TABLE: readonly Row[] = [
  {
    code: 'AGENT_PENDING',
    given: [anAgent({ connectivity: 'never' })],
    sentence: 'it has not checked in since it was approved',
    fix: 'start its agent and let it check in',
    never: false,
  },
  {
    code: 'AGENT_DISABLED',
    given: [anAgent({ enabled: false })],
    sentence: 'it is disabled',
    fix: 'enable it',
    never: false,
  },
  {
    code: 'AGENT_LATE',
    given: [anAgent({ connectivity: 'late' })],
    sentence: 'its check-ins are late',
    fix: 'wait for its next check-in',
    never: false,
  },
  {
    code: 'AGENT_MISSING',
    given: [anAgent({ connectivity: 'missing' })],
    sentence: 'it has stopped checking in',
    fix: 'bring its agent or its network back',
    never: false,
  },
  {
    code: 'ENGINE_DOWN',
    given: [anAgent({ engineDown: true })],
    sentence: 'its container engine is down',
    fix: 'start it',
    never: false,
  },
  {
    code: 'AGENT_PINNED_ELSEWHERE',
    given: [anAgent(), anAgent({ id: 'agent-2', enabled: false })],
    request: { agentId: 'agent-2' },
    sentence: 'the request asks for agent-2',
    fix: null,
    never: true,
  },
  {
    code: 'LABEL_MISSING',
    given: [anAgent({ labels: { rack: 'a', gpu: 'l4' } })],
    request: { image: anImage({ includeLabels: ['gpu=l40', 'rack'] }) },
    sentence: 'it lacks the label gpu=l40, which the image asks for',
    fix: 'give it the label gpu=l40',
    never: true,
  },
  {
    code: 'LABEL_MISSING',
    given: [anAgent({ labels: { spot: 'yes' } })],
    request: { image: anImage({ includeLabels: ['rack', 'spot', 'spot='] }) },
    sentence: 'it lacks the labels rack, spot=, which the image asks for',
    fix: 'give it the labels rack, spot=',
    never: true,
  },
  {
    code: 'LABEL_EXCLUDED',
    given: [anAgent({ labels: { spot: '', rack: 'a' } })],
    request: { image: anImage({ excludeLabels: ['rack=b', 'spot', 'gpu'] }) },
    sentence: 'it has the label spot, with which the image never runs',
    fix: 'take its label spot away',
    never: true,
  },
  {
    code: 'CORES_SHORT',
    given: [anAgent(), aSession({ id: 'h-1', cores: 4 })],
    request: { image: anImage({ cores: 3 }) },
    sentence: '1 core short: 4 of 6 are allocated',
    fix: '1 core short, or end session h-1',
    never: false,
  },
  {
    code: 'CORES_SHORT',
    given: [anAgent()],
    request: { image: anImage({ cores: 7 }) },
    sentence: 'it has 6 cores in all and 7 are asked for',
    fix: 'raise its cores override by 1',
    never: true,
  },
  {
    code: 'MEMORY_SHORT',
    given: [anAgent(), aSession({ id: 'h-1', gib: 1 }), aSession({ id: 'h-2', gib: 3 })],
    request: { image: anImage({ gib: 4 }) },
    sentence: '2 GiB of memory short: 4 GiB of 6 GiB are allocated',
    fix: '2 GiB short, or end session h-2',
    never: false,
  },
  {
    code: 'MEMORY_SHORT',
    given: [anAgent()],
    request: { image: anImage({ gib: 8 }) },
    sentence: 'it has 6 GiB of memory in all and 8 GiB are asked for',
    fix: 'raise its memory override by 2 GiB',
    never: true,
  },
  {
    code: 'GPU_NONE',
    given: [anAgent()],
    request: { image: anImage({ gpu: ALL_GPUS }) },
    sentence: 'it has no GPU',
    fix: null,
    never: true,
  },
  {
    code: 'GPU_TOTAL_INSUFFICIENT',
    given: [anAgent({ gpus: [aGpu(0)] })],
    request: { image: anImage({ gpu: gpus(2) }) },
    sentence: 'it has 1 GPU in all and 2 are asked for',
    fix: null,
    never: true,
  },
  {
    code: 'GPU_NOT_USABLE',
    given: [anAgent({ gpus: [aGpu(0, { usable: false, unusableReason: 'no toolkit' })] })],
    request: oneGpu,
    sentence: 'only 0 of its 1 GPU can be given to a container: no toolkit',
    fix: 'install the NVIDIA Container Toolkit and restart the container engine',
    never: false,
  },
  {
    code: 'GPU_UNHEALTHY',
    given: [anAgent({ gpus: [aGpu(0), failed] })],
    request: { image: anImage({ gpu: gpus(2) }) },
    sentence: 'only 1 of its 2 usable GPUs are healthy',
    fix: 'replace or reset the failed GPU',
    never: false,
  },
  {
    code: 'GPU_UNHEALTHY',
    given: [anAgent({ gpus: [aGpu(0), aGpu(1, { health: 'failed', healthReason: 'it has fallen off the bus' })] })],
    request: { image: anImage({ gpu: gpus(2) }) },
    sentence: 'only 1 of its 2 usable GPUs are healthy; GPU 1: it has fallen off the bus',
    fix: 'replace or reset the failed GPU',
    never: false,
  },
  {
    code: 'GPU_MODEL_MISMATCH',
    given: [anAgent({ gpus: [aGpu(0)] })],
    request: { image: anImage({ gpu: gpus(1), gpuModel: '*H200*' }) },
    sentence: 'too few of its GPUs match the model "*H200*"',
    fix: null,
    never: true,
  },
  {
    code: 'GPU_MEMORY_SHORT',
    given: [anAgent({ gpus: [aGpu(0)] })],
    request: { image: anImage({ gpu: gpus(1), gpuMemoryBytes: 100 * 1024 ** 3 }) },
    sentence: 'too few of its GPUs have 100 GiB of memory',
    fix: null,
    never: true,
  },
  {
    code: 'GPU_FREE_INSUFFICIENT',
    given: [anAgent({ gpus: [aGpu(0)] }), aSession({ id: 'h-1', gpuUuids: ['GPU-0'] })],
    request: oneGpu,
    sentence: '0 of its 1 fitting GPUs are free and 1 are asked for',
    fix: 'wait for a GPU, or end session h-1',
    never: false,
  },
  {
    code: 'GPU_ALL_NEEDS_EMPTY',
    given: [anAgent({ gpus: [aGpu(0), aGpu(1)] }), aSession({ id: 'h-1', gpuUuids: ['GPU-0'] })],
    request: { image: anImage({ gpu: ALL_GPUS }) },
    sentence: 'all its GPUs are asked for and 1 of 2 are held by other sessions',
    fix: 'end session h-1',
    never: false,
  },
];

for (const [index, row] of TABLE.entries()) {
  test(`${row.code} says no alone, and in these words: ${row.sentence} (${index})`, (t) => {
    const { explanation } = given(...row.given).when(aRequest({ whenFull: 'fail', ...row.request }));
    const reasons = explanation?.candidates.find(({ agentId }) => agentId === 'agent-1')?.reasons ?? [];
    t.deepEqual(
      reasons.map(({ code, sentence, fix, never }) => ({ code, sentence, fix, never })),
      [{ code: row.code, sentence: row.sentence, fix: row.fix, never: row.never }],
    );
  });
}

test('every rule has a row in the table, and its code is a known reason', (t) => {
  const covered = new Set(TABLE.map(({ code }) => code));
  for (const { code } of placementRules) {
    t.true(covered.has(code), code);
    t.true(REASON_CODES.includes(code));
  }
});

test('every rule runs for every agent, so that the explanation is complete', (t) => {
  const agents = [
    anAgent({ id: 'a', enabled: false, engineDown: true, cores: 1, connectivity: 'late' }),
    anAgent({ id: 'b', gib: 1 }),
    anAgent({ id: 'c', gpus: [aGpu(0)] }),
  ];
  const image = anImage({ cores: 2, gib: 2, gpu: gpus(1) });
  const { explanation } = given(...agents).when(aRequest({ image }));
  t.deepEqual(
    explanation?.candidates.map(({ agentId, outcome, reasons }) => ({ agentId, outcome, codes: codesOf(reasons) })),
    [
      { agentId: 'c', outcome: 'chosen', codes: [] },
      { agentId: 'b', outcome: 'refused', codes: ['MEMORY_SHORT', 'GPU_NONE', 'GPU_TOTAL_INSUFFICIENT'] },
      {
        agentId: 'a',
        outcome: 'refused',
        codes: ['AGENT_DISABLED', 'AGENT_LATE', 'ENGINE_DOWN', 'CORES_SHORT', 'GPU_NONE', 'GPU_TOTAL_INSUFFICIENT'],
      },
    ],
  );
});

test('least load places on the agent that would be loaded least, by its fullest dimension', (t) => {
  const busyMemory = [anAgent({ id: 'a', cores: 20, gib: 10 }), aSession({ id: 'h-1', on: 'a', cores: 1, gib: 8 })];
  const even = [anAgent({ id: 'b', cores: 10, gib: 10 }), aSession({ id: 'h-2', on: 'b', cores: 5, gib: 5 })];
  const { explanation } = given(...busyMemory, ...even).when(aRequest());
  t.is(explanation?.agentId, 'b');
  t.deepEqual(loadsOf(explanation), [
    ['b', 0.6],
    ['a', 0.9],
  ]);
  t.is(explanation?.candidates[1]?.reasons[0]?.code, 'LOWER_SCORE');
});

test('load is allocation, never measured use, and counts an override as capacity', (t) => {
  const { explanation } = given(anAgent({ id: 'a' }), anAgent({ id: 'b', coresOverride: 12, gibOverride: 12 })).when(
    aRequest(),
  );
  t.deepEqual(loadsOf(explanation), [
    ['b', 1 / 12],
    ['a', 1 / 6],
  ]);
});

test('ties go to fewer sessions, then to the lower id, whatever the order of the agents', (t) => {
  const free = [anAgent({ id: 'b' }), anAgent({ id: 'a' }), anAgent({ id: 'c' })];
  t.is(given(...free).when(aRequest()).explanation?.agentId, 'a');
  t.is(given(...free.toReversed()).when(aRequest()).explanation?.agentId, 'a');
  const halves = [
    aSession({ id: 'h-1', on: 'a', cores: 0.5, gib: 0.5 }),
    aSession({ id: 'h-2', on: 'a', cores: 0.5, gib: 0.5 }),
  ];
  const whole = aSession({ id: 'h-3', on: 'b', cores: 1, gib: 1 });
  const { explanation } = given(anAgent({ id: 'a' }), anAgent({ id: 'b' }), ...halves, whole).when(aRequest());
  t.is(explanation?.agentId, 'b', 'same load, fewer sessions');
});

test('a request that every agent would refuse for ever is refused although it would wait', (t) => {
  const image = anImage({ cores: 100 });
  const hopeless = given(anAgent({ id: 'a' }), anAgent({ id: 'b' })).when(aRequest({ image, whenFull: 'queue' }));
  t.is(hopeless.facts[1]?.type, 'SessionRefused');
  t.is(hopeless.explanation?.decision, 'refused');
  t.is(hopeless.state.sessions.size, 0);
  const hope = given(anAgent({ id: 'a' }), anAgent({ id: 'b', cores: 100, enabled: false })).when(aRequest({ image }));
  t.is(hope.facts[1]?.type, 'SessionWaiting');
  t.is(given().when(aRequest({ image })).facts[1]?.type, 'SessionWaiting', 'no agent yet is no refusal for ever');
});

test('nothing fits: the request waits or fails as it asks, with counts per code and the three nearest changes', (t) => {
  const agents = ['a', 'b', 'c', 'd'].map((id) => anAgent({ id, enabled: false }));
  const refusal = {
    agents: 4,
    codes: { AGENT_DISABLED: 4 },
    nearest: ['a', 'b', 'c'].map((agentId) => ({ agentId, sentence: 'enable it' })),
  };
  const { facts } = given(...agents).when(aRequest({ whenFull: 'queue' }));
  t.deepEqual(facts[1], { type: 'SessionWaiting', data: { sessionId: 's-1', refusal } });
  const { facts: failed } = given(...agents).when(aRequest({ whenFull: 'fail' }));
  t.deepEqual(failed[1], { type: 'SessionRefused', data: { sessionId: 's-1', refusal } });
});

/** So many agents `a-00`, `a-01` …, each with one session more than the one before, of 0.1 cores. */
function fleetOf(agents: number): readonly (readonly ZoneFact[])[] {
  return Array.from({ length: agents }, (_, index) => {
    const id = `a-${String(index).padStart(2, '0')}`;
    const held = Array.from({ length: index }, (_, n) => aSession({ id: `${id}-${n}`, on: id, cores: 0.1, gib: 0.1 }));
    return [...anAgent({ id }), ...held.flat()];
  });
}

test('of up to 20 agents an answer explains every one; of more a placement names the chosen one and the next three', (t) => {
  const small = given(...fleetOf(20)).when(aRequest()).explanation;
  t.like(small, { agents: 20, complete: true, codes: {} });
  t.is(small?.candidates.length, 20);
  const large = given(...fleetOf(21)).when(aRequest()).explanation;
  t.like(large, { decision: 'placed', agentId: 'a-00', agents: 21, complete: false, codes: {} });
  t.deepEqual(
    large?.candidates.map(({ agentId, outcome }) => [agentId, outcome]),
    [
      ['a-00', 'chosen'],
      ['a-01', 'fits'],
      ['a-02', 'fits'],
      ['a-03', 'fits'],
    ],
  );
  t.deepEqual(
    large?.candidates.flatMap(({ reasons }) => codesOf(reasons)),
    ['LOWER_SCORE', 'LOWER_SCORE', 'LOWER_SCORE'],
  );
});

test('of more than 20 agents a refusal names the 20 nearest and counts the reasons of all', (t) => {
  const off: ZoneFact[] = [{ type: 'AgentDisabled', data: { agentId: 'a-00' } }];
  const fleet = given(...fleetOf(30), off);
  const waiting = fleet.when(aRequest({ image: anImage({ cores: 5.95 }) }));
  t.like(waiting.explanation, { decision: 'waiting', agents: 30, complete: false });
  t.deepEqual(waiting.explanation?.codes, { AGENT_DISABLED: 1, CORES_SHORT: 29 });
  t.is(waiting.explanation?.candidates.length, 20);
});

test('an explanation that is not complete says how many agents it does not name, and what they gave', (t) => {
  const rest = (agents: number, cores: number) => {
    const { explanation } = given(...fleetOf(agents)).when(aRequest({ image: anImage({ cores }) }));
    return explanation === null ? 'no explanation' : restSentence(explanation);
  };
  t.is(rest(20, 1), null);
  t.is(rest(21, 1), 'the best 4 of 21 agents are named');
  t.is(rest(21, 7), 'the nearest 20 of 21 agents are named; all of them together gave CORES_SHORT 21');
});

test('a request may be pinned to an agent of this zone', (t) => {
  const agents = given(anAgent({ id: 'a' }), anAgent({ id: 'b', cores: 1 }));
  t.is(agents.when(aRequest({ agentId: 'b' })).explanation?.agentId, 'b');
  agents.when(aRequest({ agentId: 'x' })).refused(t, 'AGENT_UNKNOWN');
});

test('a session id that is live is refused', (t) => {
  given(anAgent(), aSession()).when(aRequest()).refused(t, 'SESSION_EXISTS');
});

test('a decision only reads the state', (t) => {
  const situation = given(anAgent({ gpus: [aGpu(0)] }), aSession({ id: 'h-1' }));
  const before = structuredClone(situation.state);
  situation.when(aRequest({ image: anImage({ gpu: gpus(1) }) }));
  t.deepEqual(situation.state, before);
  t.is(agentIn(situation.state).sessions.size, 1);
});

function codesOf(reasons: Candidate['reasons']): readonly string[] {
  return reasons.map(({ code }) => code);
}

function loadsOf(explanation: Explanation | null) {
  return explanation?.candidates.map(({ agentId, load }) => [agentId, load]);
}
