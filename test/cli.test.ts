import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { PruneDesk } from '../agent/prune/desk.ts';
import { realClock } from '../infra/clock.ts';
import { answerPrune, hearPruneCalls } from '../infra/bus/pruneCalls.ts';
import type { SessionView } from '../projections/views.ts';
import { quietLog } from './support/agentRig.ts';
import { MAIN, muster, ok, run } from './support/cli.ts';
import { startFakeAgent } from './support/fakeAgent.ts';
import { temporaryFolder } from './support/folder.ts';
import { ADMIN_KEY, startGateway } from './support/gateway.ts';
import { startProgram } from './support/program.ts';
import { until } from './support/until.ts';

test('an operator sees agents, defines an image, starts a session, asks why, and stops it', async (t) => {
  const gateway = await startGateway(t);
  const imageDigest = `sha256:${'d'.repeat(64)}`;
  await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6, tells: () => ({ imageDigest }) });
  const say = muster(gateway);
  t.regex(await ok(t, say('agents', 'set', 'six', '--cores', '12')), /12 cores \(x2\.0 of 6 cores\)/);
  const labelled = say('agents', 'set', 'six', '--label', 'gpu=l40', '--label', 'spot', '--prune-mode', 'normal');
  t.regex(await ok(t, labelled), /labels: gpu=l40, spot\n +prune mode normal: Images/);
  const others = await ok(t, say('agents', 'set', 'six', '--no-label', 'spot', '--label', 'rack=b-7'));
  t.is(others, 'six:\n  labels: gpu=l40, rack=b-7\n');
  await ok(t, say('images', 'define', 'one', '--reference', 'busybox', '--cores', '5', '--memory', '1GiB'));
  const picky = ['--reference', 'busybox', '--cores', '1', '--memory', '1GiB', '--include-label', 'gpu=l40', 'rack'];
  await ok(t, say('images', 'define', 'picky', ...picky, '--exclude-label', 'spot'));
  t.regex(
    await ok(t, say('images', 'show', 'picky')),
    /\nonly on agents with +gpu=l40, rack\nnever on agents with +spot\n/,
  );
  const started = await ok(t, say('sessions', 'start', 'one', '--wait'));
  const sessionId = /^s-[a-z2-7]{12}/.exec(started)?.[0] ?? '';
  t.regex(started, /Running on six/);
  t.regex(await ok(t, say('agents')), /^AGENT +HOST +STATE +CPU .*\nsix +host-of-six +online +5 \/ 12 +1 GiB \/ 6 GiB/);
  const shown = await ok(t, say('agents', 'show', 'six'));
  t.regex(shown, /CPU +5 of 12 CPUs allocated \(42 %\), 0\.1 \/ 6 \(2 %\) used, \d+ s ago/);
  t.regex(shown, /labels +gpu=l40, rack=b-7\nprune mode +normal: Images/);
  t.regex(shown, /images +1, 1 GiB in all\nnetwork +2 KiB\/s received, 1 KiB\/s sent, \d+ s ago/);
  t.regex(await ok(t, say('sessions', 'why', sessionId)), /: placed on six\n +six: chosen, would be loaded to 42 %/);
  t.regex(await ok(t, say('sessions', 'show', sessionId)), new RegExp(`\\ndigest +${imageDigest}\\nphase +running`));
  const recorded = (await gateway.events()).find(({ type }) => type === 'SessionStarted');
  t.like(recorded, { schemaVersion: 2, data: { sessionId, imageDigest } });
  t.regex(await ok(t, say('sessions')), new RegExp(`${sessionId} +one +running +six`));
  t.regex(await ok(t, say('sessions', 'stop', sessionId, '--reason', 'enough')), /Stopping on six/);
  t.regex(
    await ok(t, say('log', '--verify')),
    /^zone-default: intact, \d+ commits, \d+ events up to zone-default:\d+\nchain hash [0-9a-f]{64}/,
  );
  t.regex(
    await ok(t, say('log', 'seal', 'zone-default', '--reason', 'a year is over')),
    /^zone-default: epoch 1 ended at (zone-default:\d+); .*\nIt can be moved offline after a snapshot at or past \1 exists: back the stream MUSTER_EVENTS_zone_default_1 up, then delete it$/m,
  );
  t.regex(
    await ok(t, say('log', 'list')),
    /^LOG +POSITION +EPOCH +LEADER .*\nfleet +fleet:\d+ +1 +gateway-\w+ \(this one\) +leading .*\nzone-default +zone-default:\d+ +2 .*\n\nKept in NATS JetStream at 127\.0\.0\.1:\d+$/m,
  );
  const again = await say('log', 'seal', 'fleet', '--reason', 'tidy', '--json');
  t.is((JSON.parse(again.out) as { epoch: number }).epoch, 1);
  t.regex(await ok(t, say('log', '--lines', '50')), /SessionStopRequested +\S+ six +by admin +"enough"/);
  const json: { readonly sessions: readonly SessionView[] } = JSON.parse(await ok(t, say('sessions', '--json')));
  t.is(json.sessions[0]?.sessionId, sessionId);
  t.regex(await ok(t, say('sign-in')), /#sign-in=\S+/);
});

test('people and keys are made, changed and taken away; secrets are printed once, on standard output alone', async (t) => {
  const gateway = await startGateway(t);
  const say = muster(gateway);
  t.regex(await ok(t, say('people')), /^Nobody has an account yet/);
  const added = await say('people', 'add', 'anna', '--name', 'Anna Smith', '--role', 'admin');
  t.is(added.code, 0);
  t.regex(added.out, /^http:\/\/\S+\/#set-password=anna\.[\w-]{43}\n$/);
  t.regex(added.error, /^anna: admin\nGive anna this link .* once, until /);
  t.regex(
    await ok(t, say('people')),
    /^ACCOUNT +NAME +ROLE +STATE .*\nanna +Anna Smith +admin +has a link until \S+ +- +0$/m,
  );
  t.regex(await ok(t, say('people', 'link', 'anna')), /^http:\S+\n$/);
  await ok(t, say('people', 'add', 'ben'));
  t.is(await ok(t, say('people', 'role', 'ben', 'operator')), 'ben: operator\n');
  t.is(await ok(t, say('people', 'sign-out', 'ben')), 'ben: signed out of 0 browsers\n');
  t.is(await ok(t, say('people', 'remove', 'ben', '--reason', 'left')), 'ben: removed, and signed out everywhere\n');
  t.regex((await say('people', 'remove', 'anna')).error, /LAST_ADMIN/);
  t.is((await say('people', 'link', 'carl')).code, 4);
  const issued = await say('keys', 'issue', 'nightly jobs', '--role', 'operator', '--days', '90');
  const [, keyId = ''] = /^mk_([a-z2-7]{12})_[\w-]{43}\n$/.exec(issued.out) ?? [];
  t.regex(issued.error, new RegExp(`^${keyId}: operator, until 20`));
  t.false(issued.error.includes(issued.out.trim()));
  const byKey = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_ADMIN_KEY: issued.out.trim() };
  t.is((await run(['agents'], byKey)).code, 0);
  const refused = await run(['people'], byKey);
  t.is(refused.code, 6);
  t.regex(refused.error, /needs the role admin; yours is operator\nCode: ROLE_NEEDED/);
  t.regex(await ok(t, say('keys')), new RegExp(`\\n${keyId} +nightly jobs +operator +20\\S+ +just now +[0-9a-f]{16}`));
  t.is((await say('keys', 'revoke', keyId)).code, 2, 'never without a reason');
  t.is(await ok(t, say('keys', 'revoke', keyId, '--reason', 'over')), `${keyId}: revoked\n`);
  t.is((await run(['agents'], byKey)).code, 6);
  t.regex(await ok(t, say('keys')), /^No key was issued/);
  t.is((await say('keys', 'issue', 'x', '--days', '0')).code, 2);
});

test('a manager token is printed once, or written into a new file of its owner alone', async (t) => {
  const gateway = await startGateway(t);
  const say = muster(gateway);
  t.regex(await ok(t, say('manager-token')), /^No manager token is live/);
  const issued = await say('manager-token', 'issue', '--reason', 'the first hosts');
  const [, first = ''] = /^mt_([a-z2-7]{12})_[\w-]{43}\n$/.exec(issued.out) ?? [];
  t.regex(issued.error, new RegExp(`^${first}: admits agents until it is revoked`));
  t.regex(issued.error, /\nOn a host: npx muster agent --join <bus url> --token-file <file>\n$/);
  t.false(issued.error.includes(issued.out.trim()));
  const folder = await temporaryFolder(t);
  const file = join(folder, 'manager.token');
  const written = await say('manager-token', 'issue', '--out', file);
  t.is(written.out, '');
  t.regex(written.error, new RegExp(`is in ${file}\\.\nOn a host: .* --token-file ${file}\n$`));
  t.is((await stat(file)).mode & 0o777, 0o600);
  const [, second = ''] = /^mt_([a-z2-7]{12})_[\w-]{43}\n$/.exec(await readFile(file, 'utf8')) ?? [];
  const again = await say('manager-token', 'issue', '--out', file);
  t.is(again.code, 2);
  t.regex(again.error, /no token was issued: EEXIST/);
  t.regex(
    await ok(t, say('manager-token')),
    new RegExp(`^TOKEN .*\n${second} +.* ago +- +[0-9a-f]{16}\n${first} .*\n$`),
  );
  t.is((await say('manager-token', 'revoke', first)).code, 2, 'never without a reason');
  t.is(await ok(t, say('manager-token', 'revoke', first, '--reason', 'rotated')), `${first}: revoked\n`);
  const last = await say('manager-token', 'revoke', second, '--reason', 'rotated');
  t.is(last.code, 1);
  t.regex(last.error, /Code: MANAGER_TOKEN_LAST\n.*--force/);
  await ok(t, say('manager-token', 'revoke', second, '--force', '--reason', 'all hosts are gone'));
  t.is((await say('manager-token', 'revoke', second, '--reason', 'again')).code, 4);
  const unreachable = { MUSTER_HTTP: '127.0.0.1:1', MUSTER_ADMIN_KEY: ADMIN_KEY };
  const none = join(folder, 'none.token');
  t.is((await run(['manager-token', 'issue', '--out', none], unreachable)).code, 5);
  t.deepEqual(await readdir(folder), ['manager.token'], 'no empty file is left');
});

test('an agent is approved by its fingerprint, revoked with a reason, and removed', async (t) => {
  const gateway = await startGateway(t);
  const say = muster(gateway);
  const agent = startFakeAgent(await gateway.nats.connect('app'), { agentId: 'new', cores: 1, memoryGib: 1 });
  t.teardown(agent.stop);
  await until('new pending', gateway.agents, (agents) => agents.length === 1);
  t.regex(await ok(t, say('agents', 'show', 'new')), /\nfingerprint +none\n/);
  const differs = await say('agents', 'approve', 'new', '--fingerprint', 'f1');
  t.is(differs.code, 1);
  t.regex(differs.error, /Code: FINGERPRINT_DIFFERS/);
  t.regex(await ok(t, say('agents', 'approve', 'new')), /^new: .*\nIt has no secret of its own/);
  const early = await say('agents', 'remove', 'new');
  t.is(early.code, 1);
  t.regex(early.error, /Code: AGENT_NOT_REVOKED\n.*agents revoke/);
  t.is((await say('agents', 'revoke', 'new')).code, 2, 'never without a reason');
  t.regex(await ok(t, say('agents', 'revoke', 'new', '--reason', 'stolen')), /^new: Revoked: it is not heard any more/);
  t.regex(await ok(t, say('agents')), /\nnew +host-of-new +\w+, revoked /);
  t.regex(await ok(t, say('agents', 'show', 'new')), /\nrevoked +\d{4}-/);
  agent.stop();
  t.is(await ok(t, say('agents', 'remove', 'new')), 'new: removed\n');
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

test('an operator sees what a prune would remove, has it removed, and is told when the agent does not answer', async (t) => {
  const gateway = await startGateway(t);
  const agent = await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const say = muster(gateway);
  const silent = await say('agents', 'prune', 'six', '--mode', 'normal', '--dry-run');
  t.is(silent.code, 1);
  t.regex(silent.error, /six did not answer within 3 s/i);

  const bus = await gateway.nats.connect('app');
  const image = { imageId: 'sha256:1', references: ['a:1'], sizeBytes: 3 * 1024 ** 2, why: 'it has no tag left' };
  const kept = { imageId: 'sha256:2', references: ['b:1'], sizeBytes: 1024 ** 2, why: 'Muster did not pull it' };
  const desk = new PruneDesk({
    clock: realClock,
    log: quietLog,
    logId: () => agent.document()?.logId ?? null,
    prune: async ({ mode, dryRun }) => ({
      agentId: 'six',
      mode,
      at: '2026-11-27T10:00:00.000Z',
      images: [
        { ...image, verdict: 'remove', outcome: dryRun ? null : 'removed' },
        { ...kept, verdict: 'keep', outcome: null },
      ],
      bytes: image.sizeBytes,
    }),
    answer: (callId, answer) => answerPrune(bus, 'six', callId, answer),
  });
  hearPruneCalls(
    bus,
    'six',
    (call) => call?.kind === 'prune' && desk.take(call),
    (error) => t.fail(error.message),
  );
  await bus.connection.flush();
  const preview = await ok(t, say('agents', 'prune', 'six', '--mode', 'normal', '--dry-run'));
  t.regex(
    preview,
    /^IMAGE +SIZE +WHAT +WHY\na:1 +3 MiB +would go +it has no tag left\nb:1 +1 MiB +stays +Muster did not/,
  );
  t.true(preview.endsWith('Would be removed: 1 image, up to 3 MiB.\n'));
  const pruned = await ok(t, say('agents', 'prune', 'six', '--mode', 'normal', '--reason', 'the disk is full'));
  t.regex(pruned, /a:1 +3 MiB +removed(.*\n)*Removed: 1 image, up to 3 MiB\.\n$/);
  t.is((await say('agents', 'prune', 'six')).code, 2, 'never without a mode');
  t.regex((await say('agents', 'prune', 'six', '--mode', 'off')).error, /INVALID_REQUEST/);
});

test('the log is followed as it is written', async (t) => {
  const gateway = await startGateway(t);
  await gateway.agentOnline({ agentId: 'six', cores: 6, memoryGib: 6 });
  const env = { MUSTER_HTTP: new URL(gateway.url).host, MUSTER_ADMIN_KEY: ADMIN_KEY };
  const follower = startProgram(t, process.execPath, [MAIN, 'log', '--follow', '--lines', '1'], { env });
  await follower.says(/AgentReturned/);
  await gateway.request('POST', '/agents/six/disable', { body: { reason: 'maintenance' } });
  const [line] = await follower.says(/AgentDisabled +six .*/);
  t.regex(line, /^AgentDisabled +six +by admin +"maintenance"/);
});

test('help tells the exit codes, and needs no gateway', async (t) => {
  const { code, out } = await run(['--help'], {});
  t.is(code, 0);
  t.regex(out, /Exit codes:\n +0 +done/);
  t.regex((await run(['config'], {})).out, /MUSTER_HTTP +`127\.0\.0\.1:8080`/);
});
