import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { z } from 'zod';
import { allEvents, fleetEvents, type AnyEvent } from '../domain/events.ts';
import { encodeCommit } from '../infra/log/codec.ts';
import { eventsOfCommit } from '../infra/log/eventStore/shape.ts';
import { streamOf } from '../infra/log/eventStore/stream.ts';
import type { LogName } from '../infra/log/port.ts';
import { freeLoopbackPort } from '../infra/start/ports.ts';
import { someCommit } from './support/commits.ts';
import { runProjection, type ProjectedEvent } from './support/projectionHarness.ts';
import { startProjectionServer, type ProjectionBehaviour } from './support/projectionServer.ts';

/** The projection that EventStoreDB may run, and the command that has it run. */

const LINKS = join(import.meta.dirname, '../infra/deploy/eventstore/links.js');
const MAIN = join(import.meta.dirname, '../gateway/cli/main.ts');
const GOLDEN = join(import.meta.dirname, 'fixtures/events');
/** Ids in events that are of something else than an agent or a session. */
const OTHER_IDS = ['series', 'bootId', 'imageId', 'keyId', 'previousBootId', 'tokenId', 'zone'];

async function golden(type: string): Promise<AnyEvent> {
  const event: AnyEvent = JSON.parse(await readFile(join(GOLDEN, `${type}.json`), 'utf8'));
  return event;
}

/** The events of a commit as EventStoreDB has them, behind those that are there. */
function stored(log: LogName, events: readonly AnyEvent[], from = 0): readonly ProjectedEvent[] {
  const commit = { ...someCommit(null, 'k'), events };
  return eventsOfCommit(log, encodeCommit(commit)).map(({ type, data, metadata }, index) => {
    // As the store gives them back.
    const back = JSON.parse(JSON.stringify({ data, metadata }));
    const place = { streamId: streamOf(log), sequenceNumber: from + index };
    return Object.assign(place, { isJson: true, eventType: type, data: back.data, metadata: back.metadata });
  });
}

/** The fields of an event, not of what is in them, that hold an id; and all that are called after an agent or a session. */
function idsOf(schema: z.ZodType): readonly string[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties)
    .filter(([name, field]) => isId(field) || /^(?:agent|session)_?id/i.test(name))
    .map(([name]) => name);
}

const ID = z.toJSONSchema(z.object({ id: allEvents.AgentEnabled.shape.agentId })).properties?.['id'];

function isId(field: unknown): boolean {
  const { pattern, anyOf = [] }: { readonly pattern?: string; readonly anyOf?: readonly unknown[] } = Object(field);
  return (pattern !== undefined && pattern === Object(ID).pattern) || anyOf.some(isId);
}

test('the projection asks for every event that names an agent or a session, and for no other', async (t) => {
  const named = Object.entries(allEvents).filter(([, schema]) =>
    idsOf(schema).some((name) => name === 'agentId' || name === 'sessionId'),
  );
  const { types } = await runProjection(LINKS);
  t.deepEqual(types.toSorted(), named.map(([type]) => type).toSorted());
});

test('an event names an agent or a session by the two names that the projection reads', (t) => {
  const names = new Set(Object.values(allEvents).flatMap(idsOf));
  // Another name: is it an agent's or a session's? Then links.js must read it, too. If not, it goes into OTHER_IDS.
  t.deepEqual([...names].toSorted(), ['agentId', 'sessionId', ...OTHER_IDS].toSorted());
});

test('whatever names an agent or a session is linked into its stream, once and in order', async (t) => {
  const projection = await runProjection(LINKS);
  const expected = new Map<string, string[]>();
  let place = 0;
  for (const type of Object.keys(allEvents)) {
    const event = await golden(type);
    const log: LogName = type in fleetEvents ? 'fleet' : 'zone-default';
    for (const each of stored(log, [event], place)) projection.handle(each);
    const { agentId, sessionId }: { readonly agentId?: string | null; readonly sessionId?: string } = Object(
      event.data,
    );
    const streams = [agentId == null ? '' : `agent-${agentId}`, sessionId === undefined ? '' : `session-${sessionId}`];
    for (const stream of streams.filter((name) => name !== '')) {
      expected.set(stream, [...(expected.get(stream) ?? []), `${place}@${streamOf(log)}`]);
    }
    place += 1;
  }
  t.true([...expected.keys()].some((stream) => stream.startsWith('session-')));
  t.deepEqual(projection.links, expected);
});

test('what is in no log is not linked, and a link leads to no other link', async (t) => {
  const projection = await runProjection(LINKS);
  const [event] = stored('zone-default', [await golden('SessionStarted')]);
  t.truthy(event);
  if (event === undefined) return;
  for (const streamId of ['agent-host-1', 'session-s-81', 'checkins-host-1', 'zones', 'fleet-other']) {
    projection.handle({ ...event, streamId });
  }
  projection.handle({ ...event, eventType: 'LogSealed', data: { epoch: 1 } });
  projection.handle({ ...event, eventType: 'CheckedIn', data: { agentId: 'host-1' } });
  projection.handle({ ...event, isJson: false, data: undefined });
  t.deepEqual(projection.links, new Map());
  projection.handle(event);
  t.is([...projection.links.values()].flat().length, 2);
});

interface Said {
  readonly code: unknown;
  readonly said: string;
}

async function links(verb: string, eventLog: string, ...words: readonly string[]): Promise<Said> {
  const child = spawn(process.execPath, [MAIN, 'log', 'links', verb, ...words], {
    env: { PATH: process.env['PATH'], MUSTER_EVENT_LOG: eventLog, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (said += text.toString()));
  const [code]: unknown[] = await once(child, 'close');
  return { code, said };
}

test('links are switched on, off and on again, and the store runs the very file', async (t) => {
  const { url, kept, made } = await startProjectionServer(t);
  t.like(await links('status', url), {
    code: 0,
    said: `muster-links in EventStoreDB at ${url.slice(7, -10)}: off, and never was on\n`,
  });
  t.is((await links('off', url)).code, 0, 'what is not there is off');

  const on = await links('on', url);
  t.is(on.code, 0, on.said);
  t.regex(on.said, /running, has seen 100 % of all events/);
  t.deepEqual(kept.get('muster-links'), {
    query: await readFile(LINKS, 'utf8'),
    emits: true,
    status: 'Running',
    reason: '',
  });
  t.regex((await links('off', url)).said, /: off; what was linked stays/);
  t.is(kept.get('muster-links')?.status, 'Stopped');

  const projection = kept.get('muster-links');
  if (projection !== undefined) projection.query = 'of an older release';
  t.is((await links('on', url)).code, 0);
  t.is(projection?.query, await readFile(LINKS, 'utf8'));
  t.is(made(), 1, 'one projection, whatever is said how often');
  const { said } = await links('status', url, '--json');
  t.deepEqual(JSON.parse(said), { projection: 'muster-links', status: 'Running', percent: 100, reason: '' });
});

test('what keeps links from working is said with what to do', async (t) => {
  const on = async (behaviour: Partial<ProjectionBehaviour>): Promise<Said> =>
    await links('on', (await startProjectionServer(t, behaviour)).url);
  const nowhere = `esdb://127.0.0.1:${await freeLoopbackPort()}?tls=false`;
  const cases: readonly (readonly [Promise<Said>, number, RegExp])[] = [
    [links('on', 'nats'), 1, /links need EventStoreDB/],
    [links('up', nowhere), 2, /on, off, status, not "up"/],
    [links('status', nowhere), 5, /EventStoreDB at 127\.0\.0\.1:\d+ .*MUSTER_EVENT_LOG/],
    [on({ answers: 'denied' }), 6, /lets only its operators.*\n.*\$ops or \$admins/],
    [on({ runsAs: 'Faulted', reason: 'SyntaxError: line 1' }), 1, /gave up muster-links: SyntaxError: line 1/],
    [on({ runsAs: 'Stopped' }), 1, /it is Stopped\n.*EVENTSTORE_RUN_PROJECTIONS=All/],
    [on({ answers: 'silent' }), 1, /says nothing of its projections\n.*EVENTSTORE_RUN_PROJECTIONS=All/],
  ];
  for (const [answer, expected, words] of cases) {
    const { code, said } = await answer;
    t.is(code, expected, said);
    t.regex(said, words);
  }
});
