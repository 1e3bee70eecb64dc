import test from 'ava';
import type { FleetCommand } from '../domain/fleet/commands.ts';
import type { ZoneCommand } from '../domain/zone/commands.ts';
import { Core } from '../gateway/core/core.ts';
import { forwardTo, serveForwarded } from '../gateway/core/forward.ts';
import { fleetSubmission, zoneSubmission } from '../gateway/core/forwardedCommands.ts';
import { createMemoryRelay, type MemoryRelays } from '../infra/bus/memoryRelay.ts';
import { FLEET_LOG, zoneLog } from '../infra/log/port.ts';
import { aCheckIn, anImage, APPROVAL, aRequest, NOW } from './support/builders.ts';
import { memoryCorePorts } from './support/corePorts.ts';
import { manualClock } from './support/manualClock.ts';

/** What gateways ask of one another, and what becomes of it when they are not of one release. */

const actor = { kind: 'operator', id: 'anna' } as const;
const image = { ...anImage(), name: 'Desktop' };
const [keyId, tokenId, agentId, fingerprint] = ['k'.repeat(12), 't'.repeat(12), 'agent-1', 'SHA256:x'];

const ZONE: readonly ZoneCommand[] = [
  { type: 'JoinAgent', agentId, hostname: 'host-1', simulated: false, approval: APPROVAL },
  { type: 'LeaveAgent', agentId, approval: APPROVAL },
  { type: 'SetAgentSettings', agentId, confirm: false, ifVersion: null },
  {
    type: 'SetAgentSettings',
    agentId,
    enabled: true,
    millicores: null,
    memoryBytes: 1,
    labels: { gpu: 'l40' },
    pruneMode: 'normal',
    confirm: true,
    ifVersion: 7,
  },
  aRequest(),
  { type: 'StopSession', sessionId: 's-1', cause: 'OPERATOR' },
  { type: 'DeclareAgentLost', agentId },
  { type: 'SealLog' },
];

const FLEET: readonly FleetCommand[] = [
  { type: 'EnrolAgent', agentId, hostname: 'host-1', simulated: false, fingerprint, expected: false },
  { type: 'ApproveAgent', agentId, zone: 'default', fingerprint: null },
  { type: 'RevokeAgent', agentId },
  { type: 'RemoveAgent', agentId, left: null },
  { type: 'RemoveAgent', agentId, left: APPROVAL },
  { type: 'RecordRejections', since: NOW, until: NOW, counts: { KEY_WRONG: 3 } },
  { type: 'DefineImage', image, ifRevision: 0 },
  { type: 'RetireImage', imageId: 'desktop', ifRevision: null },
  { type: 'CreatePerson', personId: 'anna', name: 'Anna', role: 'admin' },
  { type: 'ChangePersonRole', personId: 'anna', role: 'viewer' },
  { type: 'RemovePerson', personId: 'anna' },
  { type: 'IssueAccessKey', keyId, name: 'jobs', role: 'viewer', expiresAt: NOW, fingerprint },
  { type: 'RevokeAccessKey', keyId },
  { type: 'IssueManagerToken', tokenId, fingerprint },
  { type: 'RevokeManagerToken', tokenId, force: true },
  { type: 'SealLog' },
];

test('what a gateway of this release asks is understood as it is', (t) => {
  const around = { key: 'k', recorded: true, actor, reason: 'why', correlationId: 'c', request: { a: [1] } };
  for (const command of ZONE) t.deepEqual(zoneSubmission({ ...around, command }), { ...around, command });
  for (const command of FLEET) t.deepEqual(fleetSubmission({ ...around, command }), { ...around, command });
});

/** A gateway that leads, and what another one sends it. */
async function leader() {
  const clock = manualClock(Date.UTC(2026, 0, 1));
  const relays: MemoryRelays = new Map();
  const core = new Core({
    ...memoryCorePorts(clock, () => undefined),
    relay: createMemoryRelay('gateway-1', relays),
  });
  await core.start();
  const other = createMemoryRelay('gateway-2', relays);
  let count = 0;
  const ask = async (log: string, command: object, change: object = {}) => {
    count += 1;
    const submission = { key: `k-${count}`, recorded: true, actor, command, ...change };
    const asked = other.ask('gateway-1', { log, submission });
    await clock.advance(100);
    return await asked;
  };
  return { core, ask };
}

test('what an older gateway does not say of labels is read as it was meant: any', async (t) => {
  const { core, ask } = await leader();
  const { includeLabels: _, excludeLabels: __, ...old } = image;
  t.like(await ask(FLEET_LOG, { type: 'DefineImage', image: old, ifRevision: null }), { answer: { kind: 'accepted' } });
  t.like(core.fleetProjection.state.images.get('desktop'), { includeLabels: [], excludeLabels: [] });
  const { name: ___, ...needs } = old;
  t.like(await ask(zoneLog('default'), { ...aRequest(), image: needs }), { answer: { kind: 'accepted' } });
});

test('what is not understood is refused with the place and the remedy, and nothing is done', async (t) => {
  const { core, ask } = await leader();
  const [zone, before] = [zoneLog('default'), core.fleet.version];
  for (const [log, command, change, why] of [
    [zone, { type: 'StopSession', sessionId: 's-1', cause: 'EXPIRED' }, {}, 'StopSession: field "cause"'],
    [zone, { type: 'LeaveAgent', agentId: 'a.b', approval: APPROVAL }, {}, 'LeaveAgent: field "agentId"'],
    [zone, { ...aRequest(), gpuSlices: 2 }, {}, 'Unrecognized key: "gpuSlices"'],
    [zone, { ...aRequest(), image: null }, {}, 'RequestSession: field "image"'],
    [zone, { type: 'RecordCheckIn', checkIn: aCheckIn() }, {}, 'there is no command "RecordCheckIn"'],
    [zone, { type: 'CreatePerson', personId: 'eve', name: 'Eve', role: 'admin' }, {}, 'no command "CreatePerson"'],
    [FLEET_LOG, { type: 'constructor' }, {}, 'there is no command "constructor"'],
    [FLEET_LOG, { type: 'CreateZone', zone: 'far' }, {}, 'there is no command "CreateZone"'],
    [FLEET_LOG, { type: 'RevokeAgent', agentId }, { actor: 'anna' }, 'a command: field "actor"'],
    [FLEET_LOG, { type: 'RevokeAgent', agentId }, { key: '' }, 'a command: field "key"'],
    [FLEET_LOG, [], {}, 'a command: field "command'],
  ] as const) {
    const reply = (await ask(log, command, change)) as { readonly code: string; readonly message: string };
    t.like(reply, { kind: 'failed', code: 'UNAVAILABLE' }, why);
    t.true(reply.message.includes(why) && reply.message.endsWith('run one release on both'), reply.message);
  }
  t.is(core.fleet.version, before);
  t.is(core.zones.get('default')?.replica.version, 0);
});

test('what a defect says is told to nobody but the log of the gateway that has it', async (t) => {
  const relays: MemoryRelays = new Map();
  const troubles: unknown[] = [];
  const decide = () => Promise.reject(new TypeError('secrets.get(...) is undefined'));
  serveForwarded(createMemoryRelay('gateway-1', relays), decide, (_, cause) => troubles.push(cause));
  const submission = { key: 'k', recorded: true, actor, command: { type: 'SealLog' } };
  const asked = forwardTo(createMemoryRelay('gateway-2', relays), 'gateway-1', FLEET_LOG, submission);
  const error = await t.throwsAsync(asked, { code: 'UNAVAILABLE' });
  t.false(error.message.includes('secrets'));
  t.is(String(troubles[0]), 'TypeError: secrets.get(...) is undefined');
});
