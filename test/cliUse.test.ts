import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { errorOf } from '../gateway/cli/problemText.ts';
import { MAIN, muster, ok, run } from './support/cli.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from './support/gateway.ts';
import { startProgram } from './support/program.ts';
import { until } from './support/until.ts';

const environment = (gateway: TestGateway): Readonly<Record<string, string>> => ({
  MUSTER_HTTP: new URL(gateway.url).host,
  MUSTER_ADMIN_KEY: ADMIN_KEY,
});

test('a word that is no command is refused by that name, with where the commands are', async (t) => {
  for (const group of ['agents', 'people']) {
    const { code, error } = await run([group, 'wipe', 'all'], {});
    t.is(code, 2);
    t.is(error, `error: unknown command 'wipe'; see muster ${group} --help\n`);
  }
  t.regex((await run(['agents', 'help', 'show'], {})).out, /^Usage: muster agents show /);
});

test('wrong use ends with 2 and one sentence, without the words of HTTP, before anything is asked where that is possible', async (t) => {
  const gateway = await startGateway(t);
  await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const say = muster(gateway);
  const cases: readonly (readonly [words: readonly string[], error: RegExp])[] = [
    [
      ['agents', 'set', 'six', '--cores', 'abc'],
      /^muster: coresOverride: "abc" is not a number .*\nCode: INVALID_REQUEST\n$/,
    ],
    [['agents', 'set', 'six', '--prune-mode', 'x'], /^muster: pruneMode: [^\n]*\nCode: INVALID_REQUEST\n$/],
    [['agents', 'set', 'six'], /^muster: there is nothing to set\n.*agents set --help\n$/],
    [['log', '--lines', 'x'], /^muster: --lines takes a whole number from 1 to 1000, not "x"\n$/],
    [['log', '--lines', '1001'], /^muster: --lines takes a whole number from 1 to 1000, not "1001"\n$/],
    [['sessions', 'logs', 's', '-n', '5001'], /^muster: --lines takes a whole number from 0 to 5000, not "5001"\n$/],
    [
      ['log', '--log', 'fleet', '--after', 'zone-default:1'],
      /^muster: zone-default:1 .*\nCode: .*\nafter: not a position of fleet\n$/,
    ],
  ];
  for (const [words, error] of cases) {
    const said = await say(...words);
    t.is(said.code, 2, words.join(' '));
    t.regex(said.error, error);
    t.is(said.out, '');
  }
  const unknown = await say('log', '--log', 'nope');
  t.is(unknown.code, 4);
  t.regex(unknown.error, /there is no log "nope"\nCode: LOG_UNKNOWN\n.*muster log list\n$/);
});

test('a store of logs that is away ends a command as a gateway does that is away', (t) => {
  const problem = { code: 'UNAVAILABLE', detail: 'the event store is away; nothing was done, try again' };
  t.like(errorOf(503, JSON.stringify(problem)), { code: 5, message: problem.detail });
});

test('a gateway by itself tells how it is used, and takes no words', async (t) => {
  for (const words of [['--help'], ['-h']]) {
    const { code, out } = await run(['gateway', ...words], {});
    t.is(code, 0);
    t.regex(out, /^muster gateway +run one more gateway/);
  }
  const { code, error } = await run(['gateway', '--port', '1'], {});
  t.is(code, 2);
  t.regex(error, /^muster gateway takes no "--port 1"\n\nmuster gateway /);
});

test('what is shown of agents and of the log says no more than there is', async (t) => {
  const gateway = await startGateway(t);
  const say = muster(gateway);
  const agent = startFakeAgent(await gateway.nats.connect('app'), { agentId: 'new', cores: 1, memoryGib: 1 });
  t.teardown(agent.stop);
  await until('new pending', gateway.agents, (agents) => agents.length === 1);
  t.regex(await ok(t, say('agents', 'show', 'new')), /\nCPU +\S+ \/ 1 .* used, .*\nRAM +\S+ \S+ \/ 1 GiB/);
  await gateway.defineImage('big', { cores: 7 });
  t.is((await say('sessions', 'start', 'big', '--fail')).code, 3);
  t.regex(await ok(t, say('sessions')), /\n1 more is over; --all shows them\n$/);
  await ok(t, say('people', 'add', 'anna'));
  const issued = await ok(t, say('keys', 'issue', 'nightly'));
  const log = await ok(t, say('log', '--log', 'fleet'));
  t.regex(log, /PersonCreated +anna +by admin/);
  t.regex(log, new RegExp(`AccessKeyIssued +${issued.slice(3, 15)} +by admin`));
});

test('waiting for a session goes on when its gateway was away', async (t) => {
  const before = await startGateway(t);
  const agent = await before.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await before.defineImage('one');
  await before.request('POST', '/agents/six/disable', { body: {} });
  const waiting = startProgram(t, process.execPath, [MAIN, 'sessions', 'start', 'one', '--wait'], {
    env: environment(before),
  });
  await waiting.says(/Waiting for a place/);
  await before.gateway.stop();
  await waiting.says(/the connection was lost; trying again\n/);
  const { nats, dataDir } = before;
  await startGateway(t, { nats, dataDir, env: { MUSTER_HTTP: new URL(before.url).host } });
  await before.request('POST', '/agents/six/enable', { body: {} });
  await waiting.says(/Running on six/);
  t.is((await waiting.ended).code, 0);
  agent.stop();
});

test('of a large fleet no more is read and printed than somebody reads', async (t) => {
  const asked: string[] = [];
  const candidates = Array.from({ length: 30 }, (_, index) => ({
    agentId: `host-${index}`,
    outcome: index === 0 ? 'chosen' : 'fits',
    load: 0.5,
    sessions: 0,
    reasons: [],
  }));
  const answers: Readonly<Record<string, object>> = {
    '/api/v1/sessions': { sessions: [] },
    '/api/v1/me': { simulated: false },
    '/api/v1/sessions/s-1/placement': {
      decision: 'placed',
      agentId: 'host-0',
      gpuUuids: [],
      agents: 30,
      complete: true,
      codes: {},
      candidates,
    },
  };
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.end(JSON.stringify(answers[url]));
  }).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const env = { MUSTER_HTTP: `127.0.0.1:${port}`, MUSTER_ADMIN_KEY: ADMIN_KEY };
  t.regex(await ok(t, run(['sessions'], env)), /^No session is live/);
  t.deepEqual(asked, ['/api/v1/sessions', '/api/v1/me']);
  const why = (await ok(t, run(['sessions', 'why', 's-1'], env))).split('\n');
  t.is(why.length, 1 + 20 + 1 + 1);
  t.is(why.at(-2), '  the best 20 of 30 agents are named; --json names all');
});
