import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { SessionView } from '../projections/views.ts';
import { temporaryFolder } from './support/folder.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from './support/gateway.ts';
import { startProgram } from './support/program.ts';

const MAIN = join(import.meta.dirname, '../gateway/cli/main.ts');

interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs `muster` with these words to its end. */
async function run(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Said> {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let error = '';
  child.stdout.on('data', (text: Buffer) => (out += text.toString()));
  child.stderr.on('data', (text: Buffer) => (error += text.toString()));
  const [code]: unknown[] = await once(child, 'close');
  return { code: Number(code), out, error };
}

/** The command line of an operator who has the key of this gateway. */
function muster(gateway: TestGateway): (...words: string[]) => Promise<Said> {
  const env = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_ADMIN_KEY: ADMIN_KEY };
  return (...words) => run(words, env);
}

async function ok(t: ExecutionContext, said: Promise<Said>): Promise<string> {
  const { code, out, error } = await said;
  t.is(code, 0, `${out}${error}`);
  return out;
}

test('an operator sees agents, defines an image, starts a session, asks why, and stops it', async (t) => {
  const gateway = await startGateway(t);
  await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const say = muster(gateway);
  t.regex(await ok(t, say('agents', 'set', 'six', '--cores', '12')), /12 cores \(x2\.0 of 6 cores\)/);
  await ok(t, say('images', 'define', 'one', '--reference', 'busybox', '--cores', '5', '--memory', '1GiB'));
  const started = await ok(t, say('sessions', 'start', 'one', '--wait'));
  const sessionId = /^s-[a-z2-7]{12}/.exec(started)?.[0] ?? '';
  t.regex(started, /Running on six/);
  t.regex(await ok(t, say('agents')), /^AGENT +HOST +STATE +CPU .*\nsix +host-of-six +online +5 \/ 12 +1 GiB \/ 6 GiB/);
  const shown = await ok(t, say('agents', 'show', 'six'));
  t.regex(shown, /CPU +5 of 12 CPUs allocated \(42 %\), 0\.1 \/ 6 \(2 %\) used, \d+ s ago/);
  t.regex(shown, /images +1, 1 GiB in all\nnetwork +2 KiB\/s received, 1 KiB\/s sent, \d+ s ago/);
  t.regex(await ok(t, say('sessions', 'why', sessionId)), /: placed on six\n +six: chosen, would be loaded to 42 %/);
  t.regex(await ok(t, say('sessions')), new RegExp(`${sessionId} +one +running +six`));
  t.regex(await ok(t, say('sessions', 'stop', sessionId, '--reason', 'enough')), /Stopping on six/);
  t.regex(
    await ok(t, say('log', '--verify')),
    /^zone-default: intact, \d+ commits, \d+ events up to zone-default:\d+\nchain hash [0-9a-f]{64}/,
  );
  t.regex(
    await ok(t, say('log', 'seal', 'zone-default', '--reason', 'a year is over')),
    /^zone-default: epoch 1 ended at (zone-default:\d+); .*\nMUSTER_EVENTS_zone_default_1 .* snapshot at or past \1 exists$/m,
  );
  t.regex(
    await ok(t, say('log', 'list')),
    /^LOG +POSITION +EPOCH +LEADER .*\nfleet +fleet:\d+ +1 +gateway-\w+ \(this one\) +leading .*\nzone-default +zone-default:\d+ +2 /,
  );
  const again = await say('log', 'seal', 'fleet', '--reason', 'tidy', '--json');
  t.is((JSON.parse(again.out) as { epoch: number }).epoch, 1);
  t.regex(await ok(t, say('log', '--lines', '50')), /SessionStopRequested +\S+ six +by admin +"enough"/);
  const json: { readonly sessions: readonly SessionView[] } = JSON.parse(await ok(t, say('sessions', '--json')));
  t.is(json.sessions[0]?.sessionId, sessionId);
  t.regex(await ok(t, say('sign-in')), /#sign-in=\S+/);
});

test('a refusal says its sentence, code, numbers and fix on standard error, with an exit code for scripts', async (t) => {
  const gateway = await startGateway(t);
  await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  await gateway.defineImage('seven', { cores: 7 });
  const say = muster(gateway);
  const refused = await say('sessions', 'start', 'seven', '--fail');
  t.is(refused.code, 3);
  t.is(refused.out, '');
  t.regex(refused.error, /^muster: Refused\..*\nCode: SESSION_REFUSED\n(.*\n)*six: CORES_SHORT \(never\): /);
  const far = await say('agents', 'set', 'six', '--cores', '100');
  t.is(far.code, 1);
  t.regex(far.error, /CONFIRM_NEEDED\noverride: 100000\nphysical: 6000\n.*--confirm/);
  const online = await say('agents', 'declare-lost', 'six', '--reason', 'it is slow');
  t.is(online.code, 1);
  t.regex(online.error, /^muster: six checks in; .*\nCode: AGENT_NOT_MISSING/i);
  t.is((await say('agents', 'declare-lost', 'six')).code, 2, 'never without a reason');
  t.is((await say('log', 'seal', 'fleet')).code, 2, 'never without a reason');
  t.is((await say('agents', 'show', 'none')).code, 4);
  t.is((await say('images', 'define', 'x')).code, 2);
  t.is((await say('nonsense')).code, 2);
  t.is((await run(['agents'], { MUSTER_HTTP: '127.0.0.1:1', MUSTER_ADMIN_KEY: ADMIN_KEY })).code, 5);
  const wrongKey = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_ADMIN_KEY: 'not-the-key-of-this-one' };
  t.is((await run(['agents'], wrongKey)).code, 6);
  const noKey = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_DATA: await temporaryFolder(t) };
  t.is((await run(['agents'], noKey)).code, 6);
  const misspelt = await run(['agents'], { MUSTER_HTPP: '127.0.0.1:1' });
  t.is(misspelt.code, 2);
  t.regex(misspelt.error, /MUSTER_HTPP .*did you mean MUSTER_HTTP/);
});

test('the log is followed as it is written', async (t) => {
  const gateway = await startGateway(t);
  await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const env = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_ADMIN_KEY: ADMIN_KEY };
  const follower = startProgram(t, process.execPath, [MAIN, 'log', '--follow', '--lines', '1'], { env });
  await follower.says(/AgentReturned/);
  await gateway.request('POST', '/agents/six/disable', { body: { reason: 'maintenance' } });
  await follower.says(/AgentDisabled +six +by admin +"maintenance"/);
  t.pass();
});

test('help tells the exit codes, and needs no gateway', async (t) => {
  const { code, out } = await run(['--help'], {});
  t.is(code, 0);
  t.regex(out, /Exit codes:\n +0 +done/);
  t.regex((await run(['config'], {})).out, /MUSTER_HTTP +`127\.0\.0\.1:8080`/);
});
