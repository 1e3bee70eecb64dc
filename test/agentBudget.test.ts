import test from 'ava';
import { AgentBudget } from '../infra/bus/agentBudget.ts';
import { followCheckIns, publishCheckIn } from '../infra/bus/checkIns.ts';
import { ensureCheckIns } from '../infra/bus/streams.ts';
import { aCheckIn } from './support/builders.ts';
import { startNats } from './support/nats.ts';
import { until } from './support/until.ts';

/** An agent that floods its gateways is left to itself. */

const START = Date.UTC(2026, 10, 27);
const small = { messages: { most: 3, perSecond: 1 }, bytes: { most: 1000, perSecond: 100 } };

test('an agent may say so much at once, and in the long run less; another one is not held to what it said', (t) => {
  const budget = new AgentBudget(small);
  const takes = (agentId: string, bytes: number, seconds: number) =>
    budget.take(agentId, bytes, START + seconds * 1000);
  t.deepEqual(
    [0, 0, 0, 0, 0].map((seconds) => takes('loud', 1, seconds)),
    [true, true, true, false, false],
  );
  t.true(takes('other', 1, 0));
  t.false(takes('loud', 1, 0.5), 'what was refused costs nothing');
  t.true(takes('loud', 1, 1));
  t.true(takes('large', 1000, 0));
  t.false(takes('large', 101, 1));
  t.true(takes('large', 100, 1));
  t.false(takes('large', 1, -60), 'a clock that was set back gives nothing');
  t.true(takes('large', 1000, 60));
});

test('whoever has all of his allowance again is not remembered, however many there are', (t) => {
  const budget = new AgentBudget(small);
  for (let number = 0; number < 30_000; number += 1) budget.take(`agent-${number}`, 1, START + number * 10);
  t.true(budget.remembered <= 20_000);
  t.true(budget.take('agent-0', 1000, START + 300_000));
});

test('a flood of one agent is left out, and the others are heard behind it', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const bus = await nats.connect('app');
  await ensureCheckIns(bus, 1);
  const end = new AbortController();
  const heard: string[] = [];
  const problems: string[] = [];
  const following = followCheckIns(bus, {
    budget: new AgentBudget({ messages: { most: 20, perSecond: 1 }, bytes: { most: 1e6, perSecond: 1e6 } }),
    onCheckIn: ({ checkIn: { agentId, seq } }) => void heard.push(`${agentId} ${seq}`),
    onMalformed: ({ subject, problem }) => problems.push(`${subject}: ${problem}`),
    signal: end.signal,
  });
  for (let seq = 1; seq <= 1000; seq += 1) publishCheckIn(bus, 'default', aCheckIn({ agentId: 'loud', seq }));
  publishCheckIn(bus, 'default', aCheckIn({ agentId: 'quiet', seq: 1 }));
  await until(
    'the quiet one is heard',
    async () => heard,
    (all) => all.includes('quiet 1'),
  );
  end.abort();
  await following;
  const ofLoud = heard.filter((name) => name.startsWith('loud')).length;
  t.true(ofLoud >= 1 && ofLoud < 40, `${ofLoud}`);
  t.deepEqual(new Set(problems), new Set(['muster.checkin.default.loud: it says more than an agent may']));
});
