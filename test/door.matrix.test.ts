import test from 'ava';
import type { ExecutionContext } from 'ava';
import { jetStreamApi } from '../infra/bus/api.ts';
import type { Bus } from '../infra/bus/connect.ts';
import * as names from '../infra/names.ts';
import { startDoor } from './support/door.ts';
import type { RawClient } from './support/rawClient.ts';
import { until } from './support/until.ts';

/** Everybody who may enter the bus, on every subject that there is: what is not listed here as allowed is refused. */

const AGENT = 'agent-a';
const OTHER = 'agent-b';

/** Whoever is asked for or about. */
const IDS = [AGENT, OTHER, 'nobody'];
/** `KEY` stands for the key that is trying. */
const KEYS = ['KEY', 'abcdefghijkl'];
const LOGS = ['fleet', 'zone-default'];
const ZONE_LOG = 'zone-default';

type SubjectName = Extract<
  keyof typeof names,
  `${string}Subject` | `${string}Subjects` | `${string}SubjectsOf` | `${string}SUBJECTS`
>;

/** Every subject that is spelled in infra/names.ts, those of others included: one that is new is missing here. */
const SPELLED: Readonly<Record<SubjectName, readonly string[]>> = {
  CHECKINS_SUBJECTS: [names.CHECKINS_SUBJECTS],
  COMMAND_SUBJECTS: [names.COMMAND_SUBJECTS],
  DESIRED_SUBJECTS: [names.DESIRED_SUBJECTS],
  FEED_SUBJECTS: [names.FEED_SUBJECTS],
  LEASES_SUBJECTS: [names.LEASES_SUBJECTS],
  QUERY_SUBJECTS: [names.QUERY_SUBJECTS],
  ROLLUPS_SUBJECTS: [names.ROLLUPS_SUBJECTS],
  SECRETS_SUBJECTS: [names.SECRETS_SUBJECTS],
  agentAnswerSubject: IDS.map((id) => names.agentAnswerSubject(id, 'a-call')),
  agentAnswerSubjectsOf: IDS.map(names.agentAnswerSubjectsOf),
  agentAskSubject: IDS.flatMap((id) =>
    (['desired', 'definitions'] as const).map((question) => names.agentAskSubject(id, question)),
  ),
  agentAskSubjectsOf: IDS.map(names.agentAskSubjectsOf),
  agentCallSubjects: IDS.map(names.agentCallSubjects),
  aliveSubject: [names.aliveSubject('gateway-1')],
  allAgentsAskSubject: [names.allAgentsAskSubject('desired'), names.allAgentsAskSubject('definitions')],
  capacityMarkSubject: LOGS.map(names.capacityMarkSubject),
  capacitySubject: IDS.map((id) => names.capacitySubject(id, 0)),
  capacitySubjectsOf: IDS.map(names.capacitySubjectsOf),
  checkInSubject: IDS.flatMap((id) => ['default', 'another'].map((zone) => names.checkInSubject(zone, id))),
  commandSubject: KEYS.flatMap((id) => [
    names.commandSubject(id, 'default', 'RequestSession'),
    names.commandSubject(id, 'fleet', 'DefineImage'),
  ]),
  commandSubjectsOf: KEYS.map(names.commandSubjectsOf),
  desiredSubject: IDS.map(names.desiredSubject),
  feedSubject: [
    ...IDS.map((id) => names.feedSubject(ZONE_LOG, id, 'AgentEnabled')),
    names.feedSubject('fleet', null, 'ImageDefined'),
  ],
  feedSubjects: LOGS.map(names.feedSubjects),
  feedSubjectsOf: IDS.map((id) => names.feedSubjectsOf(ZONE_LOG, id)),
  leaseSubject: LOGS.map(names.leaseSubject),
  logSubject: LOGS.map(names.logSubject),
  outputCallSubject: IDS.map(names.outputCallSubject),
  pruneCallSubject: IDS.map(names.pruneCallSubject),
  querySubject: KEYS.map((id) => names.querySubject(id, 'agents')),
  querySubjectsOf: KEYS.map(names.querySubjectsOf),
  relaySubject: [names.relaySubject('gateway-1')],
  rollupSubject: IDS.map((id) => names.rollupSubject(id, 10, 0)),
  sealedSubject: LOGS.map((log) => names.sealedSubject(log, 1)),
  sealedSubjects: LOGS.map(names.sealedSubjects),
  secretSubject: [names.secretSubject('manager-token.abc')],
  snapshotDescriptionSubject: [names.snapshotDescriptionSubject('fleet/1')],
};
const spelled = Object.values(SPELLED).flat();
const once = (subjects: readonly string[]): readonly string[] => [...new Set(subjects)];
const isWild = (subject: string): boolean => /[*>]/.test(subject);

/** And what JetStream, the server and others would hear. */
const SUBJECTS = once([
  ...spelled.filter((subject) => !isWild(subject)),
  ...IDS.flatMap((id) => [
    `muster.agent.${id}.answer.a-call.more`,
    `muster.agent.${id}.answer`,
    `_INBOX.agent.${id}.x`,
    `$JS.API.DIRECT.GET.KV_MUSTER_DESIRED.$KV.MUSTER_DESIRED.${id}`,
  ]),
  ...KEYS.map((id) => `_INBOX_${id}.x`),
  'muster.rollup.written',
  'muster.checkin.default',
  'muster.checkin.default.agent-a.more',
  'muster',
  'anything',
  '_INBOX.x',
  '_INBOX.x.y',
  '$KV.MUSTER_SECRETS.callout',
  '$KV.MUSTER_LEASES.fleet',
  '$O.MUSTER_SNAPSHOTS.C.x',
  '$JS.API.INFO',
  '$JS.API.STREAM.NAMES',
  '$JS.API.STREAM.LIST',
  ...['CREATE', 'UPDATE', 'INFO', 'DELETE', 'PURGE', 'SNAPSHOT', 'MSG.GET', 'MSG.DELETE', 'LEADER.STEPDOWN'].map(
    (verb) => `$JS.API.STREAM.${verb}.MUSTER_CHECKINS`,
  ),
  ...['CREATE', 'DURABLE.CREATE', 'NAMES', 'LIST', 'DELETE', 'MSG.NEXT'].map(
    (verb) => `$JS.API.CONSUMER.${verb}.MUSTER_CHECKINS.x`,
  ),
  '$JS.API.DIRECT.GET.MUSTER_CHECKINS',
  '$JS.API.DIRECT.GET.MUSTER_FEED_default',
  '$JS.ACK.MUSTER_CHECKINS.x.1.1.1.1.0',
  '$JS.FC.x',
  '$SYS.REQ.USER.AUTH',
  '$SYS.REQ.USER.INFO',
  '$SYS.REQ.SERVER.PING',
  '$SYS.REQ.SERVER.PING.CONNZ',
  '$SYS.REQ.ACCOUNT.APP.CONNZ',
  '$SRV.PING',
  '$SRV.INFO.muster',
  '$NRG.V.x',
  '$G',
]);

const WILDCARDS = once([
  ...spelled.filter(isWild),
  '>',
  '*',
  '*.>',
  'muster.>',
  'muster.*.>',
  'muster.checkin.>',
  `muster.checkin.*.${AGENT}`,
  'muster.agent.>',
  `muster.agent.${AGENT}.>`,
  'muster.agent.*.call.>',
  'muster.agent.*.ask.desired',
  'muster.agent.*.ask.definitions',
  'muster.agent.*.answer.*',
  `muster.agent.${AGENT}.answer.*`,
  'muster.cmd.>',
  'muster.query.>',
  'muster.feed.*.>',
  'muster.event.>',
  '_INBOX.>',
  '_INBOX.*',
  '_INBOX.agent.>',
  '_INBOX.agent.*.>',
  '$KV.>',
  '$KV.MUSTER_DESIRED.>',
  '$KV.MUSTER_DESIRED.*',
  '$JS.>',
  '$SYS.>',
]);

interface Allowed {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const EVERY_FEED = [
  'muster.feed.>',
  'muster.feed.*.>',
  'muster.feed.=fleet.>',
  'muster.feed.=fleet._.ImageDefined',
  'muster.feed.default.>',
  ...IDS.flatMap((id) => [`muster.feed.default.${id}.AgentEnabled`, `muster.feed.default.${id}.>`]),
];
const OWN_CHECKINS = [`muster.checkin.default.${AGENT}`];
const COMMANDS = ['muster.cmd.KEY.default.RequestSession', 'muster.cmd.KEY.fleet.DefineImage'];

/** Whatever its role: the gateway refuses what is too much for it, and says why (services.operations.test.ts). */
const PROGRAM: Allowed = {
  publish: ['muster.query.KEY.agents', ...COMMANDS],
  subscribe: ['_INBOX_KEY.x', ...EVERY_FEED],
};

const ALLOWED: Readonly<Record<string, Allowed>> = {
  pending: { publish: OWN_CHECKINS, subscribe: [] },
  approved: {
    publish: [
      ...OWN_CHECKINS,
      `muster.agent.${AGENT}.ask.desired`,
      `muster.agent.${AGENT}.ask.definitions`,
      `muster.agent.${AGENT}.answer.a-call`,
    ],
    subscribe: [
      `$KV.MUSTER_DESIRED.${AGENT}`,
      `muster.agent.${AGENT}.call.logs`,
      `muster.agent.${AGENT}.call.prune`,
      `muster.agent.${AGENT}.call.>`,
      `_INBOX.agent.${AGENT}.x`,
    ],
  },
  viewer: PROGRAM,
  operator: PROGRAM,
  admin: PROGRAM,
};

/** What of the subjects the server takes from this client, in the order of the subjects. */
async function taken(client: RawClient, keyId: string): Promise<Allowed> {
  const named = (subject: string): string => subject.replaceAll('KEY', keyId);
  const [publish, subscribe]: [string[], string[]] = [[], []];
  for (const subject of SUBJECTS) if ((await client.publish(named(subject))).length === 0) publish.push(subject);
  for (const subject of [...SUBJECTS, ...WILDCARDS]) {
    const plainly = await client.subscribe(named(subject));
    const inQueue = await client.subscribe(named(subject), 'muster-gateways');
    if (plainly.length === 0 || inQueue.length === 0) subscribe.push(subject);
  }
  return { publish, subscribe };
}

function sorted({ publish, subscribe }: Allowed): Allowed {
  return { publish: publish.toSorted(), subscribe: subscribe.toSorted() };
}

for (const [who, allowed] of Object.entries(ALLOWED)) {
  test(`${who}: every subject but its own is refused`, async (t) => {
    const door = await startDoor(t);
    const [client, keyId] = await clientOf(who, door);
    t.deepEqual(sorted(await taken(client, keyId)), sorted(allowed));
    t.true(client.isOpen());
  });
}

async function clientOf(
  who: string,
  door: Awaited<ReturnType<typeof startDoor>>,
): Promise<readonly [RawClient, string]> {
  if (who === 'pending') return [await door.entered(door.credentials(AGENT)), 'none'];
  if (who === 'approved') return [await door.approved(AGENT), 'none'];
  const key = await door.issueKey(who === 'viewer' || who === 'operator' ? who : 'admin');
  return [await door.entered(key), key.user];
}

test('nobody else is let in, not even into the account of those without a password', async (t) => {
  const door = await startDoor(t);
  const key = await door.issueKey('admin');
  const { pass } = door.credentials(AGENT);
  const [token = '', secret = ''] = pass.split('.');
  for (const shown of [
    {},
    { user: AGENT },
    { user: '', pass },
    { user: AGENT, pass: '' },
    { user: AGENT, pass: token },
    { user: AGENT, pass: secret },
    { user: AGENT, pass: `${token}.${secret}.` },
    { user: AGENT, pass: `.${pass}` },
    { user: AGENT, pass: `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}.${secret}` },
    { user: 'a.b', pass },
    { user: '>', pass },
    { user: 'x'.repeat(65), pass },
    { user: key.user, pass: 'wrong' },
    { user: 'aaaaaaaaaaaa', pass: key.pass },
    { user: AGENT, pass: key.pass },
    { auth_token: pass },
    { jwt: pass },
    { user: 'muster-log', pass: 'wrong' },
    { user: 'muster-app', pass },
    { user: 'muster-auth', pass: key.pass },
    { user: 'muster-sys', pass: '' },
  ]) {
    t.is(await door.enter(shown), null, JSON.stringify(shown));
  }
  t.truthy(await door.enter(key), 'and the right one is');
});

/** How many messages stand under each subject, of every stream of an account. */
async function contents(bus: Bus): Promise<Readonly<Record<string, number>>> {
  const names = await jetStreamApi(bus, 'STREAM.NAMES');
  const all: Record<string, number> = {};
  for (const stream of names['streams'] as readonly string[]) {
    const { state } = await jetStreamApi(bus, `STREAM.INFO.${stream}`, { subjects_filter: '>' });
    const { subjects } = state as { readonly subjects?: Readonly<Record<string, number>> };
    for (const [subject, count] of Object.entries(subjects ?? {})) all[`${stream} ${subject}`] = count;
  }
  return all;
}

test('no reply subject reaches a stream, another inbox, or anything but the own inbox', async (t) => {
  const door = await startDoor(t);
  const { muster } = door;
  const [agent, victim] = [await door.approved(AGENT), await door.approved(OTHER)];
  const key = await door.issueKey('admin');
  const program = await door.entered(key);
  await victim.subscribe(`_INBOX.agent.${OTHER}.>`);
  await victim.subscribe(`$KV.MUSTER_DESIRED.${OTHER}`);
  await agent.subscribe(`_INBOX.agent.${AGENT}.>`);
  await program.subscribe(`_INBOX_${key.user}.>`);
  const [app, log] = [await muster.nats.connect('app'), await muster.nats.connect('log')];
  const before = [await contents(app), await contents(log)];
  const targets = [
    `muster.checkin.default.${OTHER}`,
    `$KV.MUSTER_DESIRED.${OTHER}`,
    `muster.feed.default._.AgentEnabled`,
    `muster.feed.=fleet._.ImageDefined`,
    'muster.rollup.written',
    'muster.event.fleet',
    'muster.event.zone.default',
    '$KV.MUSTER_SECRETS.cookie',
    '$KV.MUSTER_LEASES.fleet',
    '$JS.API.STREAM.DELETE.MUSTER_CHECKINS',
    `_INBOX.agent.${OTHER}.x`,
    `_INBOX_${key.user}.x`,
    `_INBOX_${key.user.slice(0, -1)}.x`,
    `muster.cmd.${key.user}.fleet.RetireImage`,
  ];
  for (const reply of targets) {
    await agent.publish(`muster.agent.${AGENT}.ask.desired`, { reply });
    await agent.publish(`muster.agent.${AGENT}.ask.definitions`, { reply });
    await agent.publish(`muster.checkin.default.${AGENT}`, { reply, body: 'no check-in at all' });
    await agent.publish(`muster.agent.${AGENT}.answer.a-call`, { reply, body: 'no answer at all' });
    if (reply.startsWith(`_INBOX_${key.user}.`)) continue;
    await program.publish(`muster.query.${key.user}.agents`, { reply });
    await program.publish(`muster.cmd.${key.user}.fleet.RetireImage`, { reply, body: '{}' });
  }
  // Its own question, asked last, is answered; by then whatever the others set off has been sent.
  await agent.publish(`muster.agent.${AGENT}.ask.desired`, { reply: `_INBOX.agent.${AGENT}.own` });
  await untilHeard(agent, `_INBOX.agent.${AGENT}.own`);
  await program.publish(`muster.query.${key.user}.agents`, { reply: `_INBOX_${key.user}.own` });
  const [appAfter, logAfter] = [await contents(app), await contents(log)];
  const own = `MUSTER_CHECKINS muster.checkin.default.${AGENT}`;
  t.is(appAfter[own], targets.length, 'its own check-ins, malformed as they are, and nothing else');
  t.deepEqual({ ...appAfter, [own]: undefined }, { ...before[0], [own]: undefined });
  t.deepEqual(withoutLeases(logAfter), withoutLeases(before[1] ?? {}));
  t.deepEqual(victim.received, []);
  t.deepEqual(
    agent.received.map((line) => line.split(' ')[0]),
    [`_INBOX.agent.${AGENT}.own`],
  );
  t.true(program.received.every((line) => line.startsWith(`_INBOX_${key.user}.own `)));
});

function withoutLeases(all: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('KV_MUSTER_LEASES')));
}

async function untilHeard(client: RawClient, subject: string): Promise<void> {
  const heard = async (): Promise<readonly string[]> => client.received;
  await until(`an answer on ${subject}`, heard, (lines) => lines.some((line) => line.startsWith(`${subject} `)));
}

test('an approved agent hears its own document as it is written, and no other', async (t: ExecutionContext) => {
  const door = await startDoor(t);
  const [agent, other] = [await door.approved(AGENT), await door.approved(OTHER)];
  await agent.subscribe(`$KV.MUSTER_DESIRED.${AGENT}`);
  await other.subscribe(`$KV.MUSTER_DESIRED.${OTHER}`);
  const app = await door.muster.nats.connect('app');
  app.connection.publish(`$KV.MUSTER_DESIRED.${AGENT}`, 'a document');
  await app.connection.flush();
  await agent.publish(`muster.checkin.default.${AGENT}`, { body: '{}' });
  await other.publish(`muster.checkin.default.${OTHER}`, { body: '{}' });
  t.deepEqual(agent.received, [`$KV.MUSTER_DESIRED.${AGENT} a document`]);
  t.deepEqual(other.received, []);
});
