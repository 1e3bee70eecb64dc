import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { askBus, judgeBus, type BusAccount, type BusLook } from '../agent/check/bus.ts';
import { judgeClock } from '../agent/check/clock.ts';
import { judgeConfiguration, lookAtConfiguration } from '../agent/check/configuration.ts';
import { judgeData, tryDataFolder, type DataFolderFacts } from '../agent/check/dataFolder.ts';
import { judgeDescriptors, parseLimits } from '../agent/check/descriptors.ts';
import type { Finding } from '../agent/check/finding.ts';
import { probe, type Look } from '../agent/check/probe.ts';
import { inJson, inWords } from '../agent/check/say.ts';
import { judgeSessionAddress } from '../agent/check/sessionAddress.ts';
import type { Credential } from '../agent/credential.ts';
import { readWords } from '../agent/words.ts';
import { agentPassword, newAgentSecret } from '../infra/agentIdentity.ts';
import { BusError, BusErrorCode } from '../infra/bus/errors.ts';
import { ensureDesired } from '../infra/bus/streams.ts';
import { realClock } from '../infra/clock.ts';
import { answerAsGateway, letAgentsIn, WORLD_TOKEN } from './support/agentProcess.ts';
import { temporaryFolder } from './support/folder.ts';
import { failed, late, seen, told } from './support/looks.ts';
import { startNats } from './support/nats.ts';

/** What the check of a host says of its bus, clock, configuration and data, and how it says it. */

const FINGERPRINT = 'SHA256:of-its-secret';
const bus: BusAccount = { version: '2.15.1', standing: 'approved', time: { ms: 0, withinMs: 10 }, aheadMs: 3 };
const silent = { time: null, aheadMs: null };
const at = (look: Look<BusAccount>, url = 'nats://bus:4222'): BusLook => ({ url, look });
const refused = new BusError(BusErrorCode.Refused, 'refused');
const BUSES: readonly (readonly [string, readonly BusLook[], RegExp])[] = [
  ['one that lets the agent in is well', [at(seen(bus))], /^ok bus: nats-server 2\.15\.1 at nats:\/\/bus:4222 lets/],
  [
    'whoever is not let in is told what to look at',
    [at({ kind: 'failed', error: refused })],
    /^wrong bus: .*does not let this agent in → .*a gateway runs.*manager-token list.*not revoked$/,
  ],
  [
    'one without the TLS that was asked for is told',
    [at({ kind: 'failed', error: new BusError(BusErrorCode.WithoutTls, 'plain') }, 'tls://bus:4222')],
    /^wrong bus: tls:\/\/bus:4222 does not speak TLS → give that nats-server a certificate/,
  ],
  ['nobody there is told', [at(failed('ECONNREFUSED'))], /^wrong bus: nobody listens at nats:\/\/bus:4222 →/],
  ['an unknown host is told', [at(failed('ENOTFOUND'))], /^wrong bus: .*not known → .*getent hosts/],
  ['a firewall or another program is told', [at(late)], /^wrong bus: .*firewall.*something else listens/],
  [
    'of an agent that never joined only the bus is known',
    [at(seen({ ...bus, version: null, standing: 'stranger', ...silent }))],
    /^ok bus: a nats-server answers at nats:\/\/bus:4222; whether it lets this agent in shows when the agent is started$/,
  ],
  [
    'one that waits for approval is told the fingerprint to compare',
    [at(seen({ ...bus, standing: 'pending', ...silent }))],
    /^warning bus: .*waits for its approval → .*SHA256:of-its-secret$/,
  ],
  [
    'a bus on which no gateway answers is a warning',
    [at(seen({ ...bus, standing: 'unanswered', ...silent }))],
    /^warning bus: .*no gateway answers → start a gateway/,
  ],
  [
    'of a cluster one server is enough',
    [at(seen(bus), 'nats://a:1'), at(failed('ECONNREFUSED'), 'nats://b:1')],
    /^ok bus: .*\nwarning bus: nobody listens at nats:\/\/b:1/,
  ],
  ['anything else keeps its words', [at(failed('EPROTO', 'odd'))], /^wrong bus: .*it failed: odd/],
];
for (const [title, looks, expected] of BUSES) {
  test(`bus: ${title}`, (t) => t.regex(told(judgeBus({ kind: 'set', looks, fingerprint: FINGERPRINT })), expected));
}

test('bus: none is a fault only for an agent that is configured to run by itself', (t) => {
  t.regex(told(judgeBus({ kind: 'none', alone: true })), /^wrong bus/);
  t.regex(told(judgeBus({ kind: 'none', alone: false })), /^warning bus: .*npm start/);
});

test('bus: whoever has nothing to show it is told why, and where that comes from', (t) => {
  t.regex(
    told(judgeBus({ kind: 'unarmed', why: 'there is no manager token in /x' })),
    /^wrong bus: there is no manager token in \/x → .*npx muster manager-token issue/,
  );
});

test('bus: how an agent stands is learned from a real one', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const end = new AbortController();
  t.teardown(() => end.abort());
  let standing: 'pending' | 'approved' = 'pending';
  await letAgentsIn(t, nats, end.signal, () => standing);
  const password = agentPassword(WORLD_TOKEN, newAgentSecret());
  const host = { hostname: 'host-1', simulated: false };
  const ask = (credential: Credential | null) => askBus(nats.url, { agentId: 'agent-1', host, credential }, realClock);
  const shown: Credential = { fingerprint: FINGERPRINT, password: () => password };

  t.deepEqual(await ask(null), { version: null, standing: 'stranger', ...silent });
  await t.throwsAsync(ask({ ...shown, password: () => `${password}x` }), { code: 'BUS_REFUSED' });
  t.like(await ask(shown), { standing: 'pending', ...silent });
  standing = 'approved';
  t.like(await ask(shown), { standing: 'unanswered', ...silent });
  await ensureDesired(await nats.connect('app'), 1);
  await answerAsGateway(t, nats, end.signal);
  const { standing: approved, aheadMs } = await ask(shown);
  t.is(approved, 'approved');
  t.true(Math.abs(aheadMs ?? Infinity) < 5000);
});

test('bus: where no gateway says who may enter, whoever is known is not let in, and a stranger learns no more', async (t) => {
  const nats = await startNats();
  t.teardown(() => nats.stop());
  const host = { hostname: 'host-1', simulated: false };
  const password = agentPassword(WORLD_TOKEN, newAgentSecret());
  const ask = (credential: Credential | null) => askBus(nats.url, { agentId: 'agent-1', host, credential }, realClock);
  const [known, stranger] = await Promise.allSettled([
    ask({ fingerprint: FINGERPRINT, password: () => password }),
    ask(null),
  ]);
  t.like(known, { status: 'rejected', reason: { code: 'BUS_REFUSED' } });
  t.like(stranger, { status: 'fulfilled', value: { standing: 'stranger' } });
});

for (const [aheadMs, withinMs, expected] of [
  [0, 0, /^ok clock: 0\.0 s off/],
  [2000, 0, /^ok/],
  [2001, 0, /^warning clock: 2\.0 s ahead of the gateway's.*→ sudo timedatectl set-ntp true/],
  [-5000, 0, /^warning clock: 5\.0 s behind the gateway's/],
  [2400, 1000, /^ok/],
] as const) {
  test(`clock: ${aheadMs} ms ahead, known within ${withinMs} ms`, (t) => {
    t.regex(told(judgeClock({ ...bus, aheadMs, time: { ms: 0, withinMs } })), expected);
  });
}

test('clock: where no gateway tells its time it is not compared, and that is said', (t) => {
  t.regex(told(judgeClock(null)), /^warning clock: not compared/);
});

const folder: DataFolderFacts = { folder: '/data', exists: true, ownerUid: 0 };
const DATA: readonly (readonly [string, Look<DataFolderFacts>, Look<number>, RegExp])[] = [
  ['one that can be written is well', seen(folder), seen(1), /^ok data folder: .*knows 1 session$/],
  [
    'one that is yet to be made is well',
    seen({ ...folder, exists: false }),
    seen(0),
    /^ok data folder: .*can be made$/,
  ],
  ['a full disk is told', failed('ENOSPC'), seen(0), /^wrong data folder: no space is left.*→ free some/],
  ['missing rights are told', failed('EACCES'), seen(0), /^wrong data folder: this user may not write.*→ sudo chown/],
  ['a read-only disk is told', failed('EROFS'), seen(0), /^wrong data folder: .*read-only/],
  ['a file in its way is told', failed('ENOTDIR'), seen(0), /^wrong data folder: .*is a file/],
  ['a disk that hangs is told', late, late, /^wrong data folder: .*no answer within 3 s/],
  [
    'a damaged ledger is told in its own words',
    seen(folder),
    failed('LEDGER_UNREADABLE', 'damaged'),
    /^wrong data folder: it failed: damaged/,
  ],
  [
    'root is told whose data it is',
    seen({ ...folder, ownerUid: 998 }),
    seen(0),
    /\nwarning user: root checks here.*→ sudo -u '#998'/,
  ],
];
for (const [title, trial, ledger, expected] of DATA) {
  test(`data folder: ${title}`, (t) => {
    t.regex(told(judgeData({ dataDir: '/data', uid: 0, trial, ledger })), expected);
  });
}

test('data folder: whoever is not root knows by the trial what it may do', (t) => {
  const trial = seen({ ...folder, ownerUid: 998 });
  t.regex(told(judgeData({ dataDir: '/data', uid: 997, trial, ledger: seen(0) })), /^ok data folder: [^\n]*$/);
});

test('data folder: the trial leaves nothing behind, and makes no folder', async (t) => {
  const parent = await temporaryFolder(t);
  t.like(await tryDataFolder(join(parent, 'a', 'b')), { folder: parent, exists: false });
  t.like(await tryDataFolder(parent), { folder: parent, exists: true });
  await writeFile(join(parent, 'file'), '');
  t.regex(
    told(
      judgeData({
        dataDir: '/x',
        uid: 0,
        trial: await probe(1000, () => tryDataFolder(join(parent, 'file'))),
        ledger: seen(0),
      }),
    ),
    /is a file/,
  );
});

test('descriptors: few are a warning, too few stop sessions', (t) => {
  const text =
    'Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 4096                 files     \n';
  t.is(parseLimits(text), 1024);
  t.is(parseLimits(text.replace('1024     ', 'unlimited')), Infinity);
  t.throws(() => parseLimits(''));
  t.regex(told(judgeDescriptors(seen(1024))), /^ok/);
  t.regex(told(judgeDescriptors(seen(Infinity))), /^ok/);
  t.regex(told(judgeDescriptors(seen(1023))), /^warning descriptors: .*→ ulimit -n 8192.*LimitNOFILE/);
  t.regex(told(judgeDescriptors(seen(127))), /^wrong descriptors/);
  t.regex(told(judgeDescriptors(failed('ENOENT'))), /^warning/);
});

test('session address: it must be one of this host', (t) => {
  const own = ['127.0.0.1', '10.0.0.5', '::1'];
  for (const address of ['127.0.0.1', '127.1.2.3', '0.0.0.0', '::', '10.0.0.5', '::1']) {
    t.is(judgeSessionAddress(address, own).level, 'ok', address);
  }
  t.regex(
    told(judgeSessionAddress('10.0.0.6', own)),
    /^wrong session address: .*10\.0\.0\.6.*→ set it to one of 127\.0\.0\.1, 10\.0\.0\.5$/,
  );
});

test('configuration: what is wrong is told, and the rest is still known', (t) => {
  const look = lookAtConfiguration({ MUSTER_ZONE: 'a b', MUSTER_NATS_URL: 'bus:4222', MUSTER_AGENT_ID: 'me' });
  t.regex(
    told(judgeConfiguration(look)),
    /^wrong configuration: MUSTER_NATS_URL must be like.*\nwrong configuration: MUSTER_ZONE must be/,
  );
  t.like(look.config, { agentId: 'me', zone: 'default', natsUrl: undefined });
  t.regex(
    told(judgeConfiguration(lookAtConfiguration({}))),
    /^ok configuration: the environment: agent .*, zone default$/,
  );
});

test('a look that hangs is late, one that fails keeps its error', async (t) => {
  t.deepEqual(await probe(20, () => new Promise(() => {})), { kind: 'late', limitMs: 20 });
  t.like(await probe(20, () => Promise.reject(new Error('no'))), { kind: 'failed', error: { message: 'no' } });
  t.deepEqual(await probe(20, () => Promise.resolve(1)), { kind: 'seen', facts: 1 });
});

test('findings are told by sign and word, and summed up', (t) => {
  const findings: Finding[] = [
    { check: 'engine', level: 'ok', text: 'fine', mend: null },
    { check: 'disk', level: 'warning', text: 'little', mend: 'tidy' },
    { check: 'bus', level: 'wrong', text: 'away', mend: 'start it' },
  ];
  const check = { agentId: 'a', zone: 'z', findings };
  t.is(
    inWords('h', check),
    [
      '✔ ok       engine  fine',
      '! warning  disk    little → tidy',
      '✘ wrong    bus     away → start it',
      '',
      'h: 1 thing keeps sessions from running here, 1 warning',
    ].join('\n'),
  );
  t.regex(inWords('h', { ...check, findings: findings.slice(0, 2) }), /\nh: ready for sessions, 1 warning$/);
  t.deepEqual(JSON.parse(inJson('h', check)), { host: 'h', agentId: 'a', zone: 'z', ok: false, findings });
});

test('the words of the agent are run, check and help; anything else is wrong usage', (t) => {
  t.deepEqual(readWords([]), { kind: 'run', join: null, tokenFile: null });
  t.deepEqual(readWords(['--join', 'tls://bus:4222', '--token-file', '/etc/muster/manager.token']), {
    kind: 'run',
    join: 'tls://bus:4222',
    tokenFile: '/etc/muster/manager.token',
  });
  t.deepEqual(readWords(['check']), { kind: 'check', json: false });
  t.deepEqual(readWords(['check', '--json']), { kind: 'check', json: true });
  t.deepEqual(readWords(['--help']), { kind: 'help' });
  t.deepEqual(readWords(['check', '-h']), { kind: 'help' });
  for (const words of [
    ['chekc'],
    ['check', 'twice'],
    ['--json'],
    ['--verbose'],
    ['--join'],
    ['check', '--join', 'nats://a:1'],
  ]) {
    t.is(readWords(words).kind, 'misused', words.join(' '));
  }
  const page = readWords(['--join', 'https://muster.test']);
  t.regex(page.kind === 'misused' ? page.problem : '', /joins the bus.*--join tls:/);
});
