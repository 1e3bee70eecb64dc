import test from 'ava';
import type { ZoneFact } from '../../domain/events.ts';
import { LINE_LIMIT, type ZoneState } from '../../domain/zone/state.ts';
import type { RequestSession } from '../../domain/zone/commands.ts';
import { evolveZone } from '../../domain/zone/evolve.ts';
import {
  ALL_GPUS,
  NOW,
  aGpu,
  aRequest,
  aSession,
  aWaitingSession,
  anAgent,
  anImage,
  given,
  gpus,
} from '../support/builders.ts';

const WAKE = { type: 'PlaceWaiting' } as const;
const release = (sessionId: string, agentId = 'agent-1'): readonly ZoneFact[] => [
  { type: 'SessionEnded', data: { sessionId, agentId, cause: 'USER', exitCode: null } },
];

/** Who is placed, in order, and where. */
function placed(facts: readonly ZoneFact[]) {
  return facts.flatMap((fact) =>
    fact.type === 'SessionPlaced' ? [`${fact.data.sessionId}@${fact.data.agentId}`] : [],
  );
}

function outcome(situation: ReturnType<typeof given>, request: Partial<RequestSession>) {
  return situation.when(aRequest({ sessionId: 'late-comer', ...request })).facts[1];
}

const lineOf = (state: ZoneState) => state.line.map(({ sessionId }) => sessionId);

test('the line is priority descending, then log order', (t) => {
  const { state } = given(
    aWaitingSession({ id: 'a' }),
    aWaitingSession({ id: 'b', priority: 5 }),
    aWaitingSession({ id: 'c' }),
    aWaitingSession({ id: 'd', priority: 5 }),
    aWaitingSession({ id: 'e', priority: -1 }),
  );
  t.deepEqual(lineOf(state), ['b', 'd', 'a', 'c', 'e']);
});

test('when a claim is released the line is placed from its head, as many as fit', (t) => {
  const waiting = ['a', 'b', 'c'].map((id) => aWaitingSession({ id, cores: 3 }));
  const { facts, state } = given(anAgent(), ...waiting).when(WAKE);
  t.deepEqual(placed(facts), ['a@agent-1', 'b@agent-1']);
  t.deepEqual(lineOf(state), ['c']);
  given(anAgent(), aSession({ id: 'h', cores: 6 }), ...waiting)
    .when(WAKE)
    .expect(t, []);
});

test('each event that may let somebody in is a chance to try the line again', (t) => {
  const base = [anAgent(), aSession({ id: 'h' }), aWaitingSession({ id: 'w' })];
  const chancesOf = (...more: (readonly ZoneFact[])[]) => given(...base, ...more).state.chances;
  const agentId = 'agent-1';
  const before = chancesOf();
  const helpful: Record<string, readonly ZoneFact[]> = {
    'claim released': release('h'),
    'agent enabled': [{ type: 'AgentEnabled', data: { agentId } }],
    'cores overridden': [
      { type: 'CoresOverrideSet', data: { agentId, millicores: 9, previous: null, physicalMillicores: 6 } },
    ],
    'agent labelled': [{ type: 'AgentLabelsSet', data: { agentId, labels: { rack: 'a' }, previous: {} } }],
    'agent back': [{ type: 'AgentReturned', data: { agentId, from: 'late' } }],
    'engine back': [{ type: 'AgentConditionCleared', data: { agentId, condition: 'DOCKER_DOWN' } }],
    'head gone': [{ type: 'SessionCancelled', data: { sessionId: 'w', cause: 'USER' } }],
    'a new head': aWaitingSession({ id: 'w-2', priority: 1 }),
    'a session placed before the head': aSession({ id: 'x', priority: 1 }),
  };
  for (const [what, facts] of Object.entries(helpful)) t.true(chancesOf(facts) > before, what);
  const useless: Record<string, readonly ZoneFact[]> = {
    'agent disabled': [{ type: 'AgentDisabled', data: { agentId } }],
    'prune mode set': [{ type: 'PruneModeSet', data: { agentId, mode: 'normal', previous: 'off' } }],
    'agent late': [{ type: 'AgentWentLate', data: { agentId, silentSeconds: 30 } }],
    'somebody joins the end': aWaitingSession({ id: 'w-2' }),
  };
  for (const [what, facts] of Object.entries(useless)) t.is(chancesOf(facts), before, what);
});

test('the head reserves the agent with the smallest shortfall, ties by id', (t) => {
  const situation = given(
    anAgent({ id: 'a' }),
    anAgent({ id: 'b' }),
    aSession({ id: 'h-a', on: 'a', cores: 4 }),
    aSession({ id: 'h-b', on: 'b', cores: 3 }),
    aWaitingSession({ id: 'head', cores: 4, gib: 0.5 }),
  );
  const fact = outcome(situation, { image: anImage({ cores: 2, gib: 1 }) });
  t.like(fact, { type: 'SessionPlaced', data: { agentId: 'a' } }, 'b is one core short, a two: b is kept');
});

test('a later request may take the reserved agent only if the head’s shortfall does not grow', (t) => {
  const situation = given(
    anAgent(),
    aSession({ id: 'h', cores: 4 }),
    aWaitingSession({ id: 'head', cores: 4, gib: 1 }),
  );
  t.is(outcome(situation, { image: anImage({ cores: 1 }) })?.type, 'SessionWaiting');
  const { explanation } = situation.when(aRequest({ sessionId: 'late-comer' }));
  t.deepEqual(
    explanation?.candidates[0]?.reasons.map(({ code }) => code),
    ['LINE_RESERVED'],
  );
  const memoryHead = given(
    anAgent({ gpus: [aGpu(0)] }),
    aSession({ id: 'h', gib: 4 }),
    aWaitingSession({ id: 'head', gib: 4 }),
  );
  const onlyCores = { ...anImage({ cores: 3 }), memoryBytes: 0 };
  t.is(outcome(memoryHead, { image: onlyCores })?.type, 'SessionPlaced', 'enough cores are left for the head');
});

test('a request of a higher priority than the head goes before it', (t) => {
  const situation = given(anAgent(), aSession({ id: 'h', cores: 4 }), aWaitingSession({ id: 'head', cores: 4 }));
  t.is(outcome(situation, { priority: 1 })?.type, 'SessionPlaced');
  t.is(outcome(situation, { priority: 0 })?.type, 'SessionWaiting');
});

test('those further back are placed around the reservation', (t) => {
  const situation = given(
    anAgent({ id: 'a' }),
    anAgent({ id: 'b' }),
    aSession({ id: 'h-a', on: 'a', cores: 4 }),
    aSession({ id: 'h-b', on: 'b', cores: 5 }),
    aWaitingSession({ id: 'head', cores: 3 }),
    aWaitingSession({ id: 'small', cores: 1 }),
    aWaitingSession({ id: 'other', cores: 2 }),
  );
  t.deepEqual(placed(situation.when(WAKE).facts), ['small@b'], 'a is kept for the head');
});

test('only the head reserves: when nothing can be kept for it, nobody further back is kept anything for', (t) => {
  const situation = given(
    anAgent({ id: 'a' }),
    anAgent({ id: 'off', enabled: false, cores: 16 }),
    aSession({ id: 'h', on: 'a', cores: 4 }),
    aWaitingSession({ id: 'head', cores: 16 }),
    aWaitingSession({ id: 'second', cores: 4 }),
    aWaitingSession({ id: 'third', cores: 1 }),
  );
  t.deepEqual(placed(situation.when(WAKE).facts), ['third@a']);
});

test('a device that the head could not have is not kept for it, and one that it could have is', (t) => {
  const mixed = [aGpu(0, { model: 'A' }), aGpu(1, { model: 'A' }), aGpu(2, { model: 'B', memoryBytes: 1 })];
  const head = aWaitingSession({ id: 'head', image: anImage({ cores: 0.5, gib: 4, gpu: gpus(2), gpuModel: 'A' }) });
  const situation = given(anAgent({ gpus: mixed }), aSession({ id: 'h', cores: 1, gib: 4 }), head);
  const taking = (gpuModel: string) => ({ ...anImage({ cores: 0.5, gpu: gpus(1), gpuModel }), memoryBytes: 0 });
  t.is(outcome(situation, { image: taking('B') })?.type, 'SessionPlaced');
  t.is(outcome(situation, { image: taking('A') })?.type, 'SessionWaiting');
});

test('an agent is kept for a head that wants all its devices', (t) => {
  const head = aWaitingSession({ id: 'head', image: anImage({ gpu: ALL_GPUS }) });
  const situation = given(anAgent({ gpus: [aGpu(0), aGpu(1)] }), aSession({ id: 'h', gpuUuids: ['GPU-0'] }), head);
  t.is(outcome(situation, { image: anImage({ gpu: gpus(1) }) })?.type, 'SessionWaiting');
  t.is(outcome(situation, { image: anImage() })?.type, 'SessionPlaced', 'a session without a GPU is in nobody’s way');
});

test('a wake places at most 128', (t) => {
  const waiting = Array.from({ length: 200 }, (_, index) =>
    aWaitingSession({ id: `w-${index}`, cores: 0.01, gib: 0.01 }),
  );
  const first = given(anAgent(), ...waiting).when(WAKE);
  t.is(first.facts.length, 128);
  t.is(lineOf(first.state).length, 72);
});

test('a wake tries at most 64 distinct shapes that do not fit; equal shapes share one answer', (t) => {
  const full = [anAgent(), aSession({ id: 'h', cores: 5.5 })];
  const distinct = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      aWaitingSession({ id: `w-${index}`, cores: 1 + index / 1000, gib: 0.01 }),
    );
  const fitting = aWaitingSession({ id: 'fits', image: { ...anImage({ gib: 0.01 }), millicores: 0 } });
  t.deepEqual(placed(given(...full, ...distinct(63), fitting).when(WAKE).facts), ['fits@agent-1']);
  t.deepEqual(placed(given(...full, ...distinct(64), fitting).when(WAKE).facts), []);
  const equal = Array.from({ length: 300 }, (_, index) => aWaitingSession({ id: `w-${index}`, cores: 2, gib: 0.01 }));
  t.deepEqual(placed(given(...full, ...equal, fitting).when(WAKE).facts), ['fits@agent-1']);
});

test('a full line refuses a further request', (t) => {
  const { state, when } = given(anAgent({ enabled: false }));
  t.is(state.line.length, 0);
  const many = Array.from({ length: LINE_LIMIT }, (_, index) => aWaitingSession({ id: `w-${index}` })).flat();
  for (const fact of many) evolveZone(state, fact, { version: 2, time: NOW });
  t.is(state.line.length, LINE_LIMIT);
  given(anAgent({ enabled: false }), many)
    .when(aRequest())
    .refused(t, 'LINE_FULL');
  t.is(when(aRequest()).facts.length, 2);
});
