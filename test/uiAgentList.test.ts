import { fc, testProp } from '@fast-check/ava';
import test from 'ava';
import type { AgentView } from '../projections/views.ts';
import { AGENT_COLUMNS, cardHeight, chosenColumns, columnsThatFit, keepColumns } from '../ui/data/agentColumns.ts';
import {
  agentFilter,
  ALL_AGENTS,
  listingFrom,
  listingQuery,
  narrowedTo,
  type AgentListing,
} from '../ui/data/agentFilter.ts';
import { AgentOrder } from '../ui/data/agentOrder.ts';
import { AgentPlaces } from '../ui/data/agentPlaces.ts';
import { AGENT_SORTS } from '../ui/data/agentSorts.ts';
import { agentMenu } from '../ui/data/agentWishes.ts';
import { bulkPreview, runBulk, type BulkChange } from '../ui/data/bulk.ts';
import { ChangeLog } from '../ui/data/changeLog.ts';
import { applyPatch, fleetFromSnapshot, type Fleet } from '../ui/data/fleet.ts';
import { Problem } from '../ui/data/problem.ts';
import { placeOf, rowPlaces, rowWindow } from '../ui/data/rowWindow.ts';
import { selectedAfter } from '../ui/data/selection.ts';
import {
  agentRow,
  DOCKER_DOWN,
  GIB,
  gpuAgentRow,
  NOON,
  pendingAgentRow,
  revokedAgentRow,
  secondsBefore,
  snapshot,
} from '../ui/gallery/fixtures.ts';

/** Which agents the table shows, in what order, which rows of it are drawn, and what is done to many: without a browser. */

function host(number: number, change: Partial<AgentView> = {}): AgentView {
  return agentRow({ agentId: `host-${number}`, hostname: `host-${number}`, ...change });
}

function fleetOf(agents: readonly AgentView[]): Fleet {
  return fleetFromSnapshot(snapshot({ agents }), NOON);
}

function patched(fleet: Fleet, agents: readonly AgentView[], removedAgents: readonly string[] = []): Fleet {
  return applyPatch(fleet, { agents, removedAgents, serverTime: secondsBefore(0) }, NOON);
}

function orderOf(fleet: Fleet, listing: Partial<AgentListing> = {}): readonly string[] {
  const order = new AgentOrder();
  order.update(fleet, { ...ALL_AGENTS, ...listing });
  return order.ids;
}

const busy = (millicores: number) => ({
  used: { cpuMillicores: millicores, memoryBytes: 0, disk: null, gpus: [], sessions: [] },
});

test('agents are in the order of their names, numbers by their size; what is not known stands last either way', (t) => {
  const fleet = fleetOf([host(10, busy(1)), host(2, { used: null }), host(1, busy(3))]);
  t.deepEqual(orderOf(fleet), ['host-1', 'host-2', 'host-10']);
  t.deepEqual(orderOf(fleet, { sort: { by: 'cpuUsed', descending: true } }), ['host-1', 'host-10', 'host-2']);
  t.deepEqual(orderOf(fleet, { sort: { by: 'cpuUsed', descending: false } }), ['host-10', 'host-1', 'host-2']);
});

test('sorted by state the worst come first, and those to approve before those that are well', (t) => {
  const fleet = fleetOf([
    host(1),
    pendingAgentRow(),
    host(2, { connectivity: 'missing' }),
    host(3, { conditions: [DOCKER_DOWN] }),
    host(4, { intent: 'disabled' }),
  ]);
  t.deepEqual(orderOf(fleet, { sort: { by: 'state', descending: false } }), [
    'host-2',
    'host-3',
    'host-new',
    'host-4',
    'host-1',
  ]);
});

test('agents are found by every word, by state, zone, and by whether somebody should look', (t) => {
  const agents = [host(1), host(2, { zone: 'lab', connectivity: 'late' }), pendingAgentRow()];
  const found = (listing: Partial<AgentListing>) =>
    agents.filter(agentFilter({ ...ALL_AGENTS, ...listing })).map(({ agentId }) => agentId);
  t.deepEqual(found({ text: ' HOST  lab' }), ['host-2']);
  t.deepEqual(found({ state: 'late' }), ['host-2']);
  t.deepEqual(found({ state: 'pending' }), ['host-new']);
  t.deepEqual(found({ zone: 'default' }), ['host-1']);
  t.deepEqual(found({ attention: true }), ['host-2', 'host-new']);
});

test('a label is found as a whole, by its key, and as a part of what is said', (t) => {
  const agents = [
    host(1, { labels: { gpu: 'L4' } }),
    host(2, { labels: { gpu: 'l40', rack: 'b' } }),
    host(3, { labels: { spot: '' } }),
    host(4),
  ];
  const found = (text: string) =>
    agents.filter(agentFilter({ ...ALL_AGENTS, text })).map(({ agentId }) => agentId.slice('host-'.length));
  t.deepEqual(found('gpu=l4'), ['1']);
  t.deepEqual(found('gpu=L40 rack=b'), ['2']);
  t.deepEqual(found('gpu='), ['1', '2']);
  t.deepEqual(found('spot='), ['3']);
  t.deepEqual(found('spo'), ['3']);
  t.deepEqual(found('gp l4'), ['1', '2']);
  t.deepEqual(found('gpu=l'), [], 'a value is said in full');
  t.deepEqual(found('rack=b online'), ['2']);
  t.is(narrowedTo(' gp  online', 'gpu=l40'), 'gp online gpu=l40');
  t.is(narrowedTo('gpu=l40 ', 'gpu=l40'), 'gpu=l40 ');
});

test('sorted by labels those without any stand last', (t) => {
  const fleet = fleetOf([host(1), host(2, { labels: { rack: 'b' } }), host(3, { labels: { rack: 'a', spot: '' } })]);
  t.deepEqual(orderOf(fleet, { sort: { by: 'labels', descending: false } }), ['host-3', 'host-2', 'host-1']);
  t.deepEqual(orderOf(fleet, { sort: { by: 'labels', descending: true } }), ['host-2', 'host-3', 'host-1']);
});

test('an address says what is shown, and what it does not say well is left out', (t) => {
  const listing: AgentListing = {
    text: 'a b',
    state: 'late',
    zone: 'lab',
    attention: true,
    sort: { by: 'cpuUsed', descending: true },
  };
  const query = listingQuery(listing).toString();
  t.is(query, 'q=a+b&state=late&zone=lab&attention=1&sort=-cpuUsed');
  t.deepEqual(listingFrom(new URLSearchParams(query)), listing);
  t.is(listingQuery(ALL_AGENTS).toString(), '');
  t.deepEqual(listingFrom(new URLSearchParams('state=constructor&sort=-nothing')), ALL_AGENTS);
});

const change = fc.record({
  number: fc.nat(12),
  gone: fc.boolean(),
  millicores: fc.nat(4),
  online: fc.boolean(),
  name: fc.constantFrom('a', 'b'),
});

testProp(
  'an order that is kept up patch by patch is the one that is made at once, by every sort and filter',
  [
    fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 8 }),
    fc.constantFrom(...AGENT_SORTS),
    fc.boolean(),
    fc.boolean(),
  ],
  (t, patches, by, descending, filtered) => {
    const listing: AgentListing = { ...ALL_AGENTS, sort: { by, descending }, state: filtered ? 'online' : null };
    const order = new AgentOrder();
    let fleet = fleetOf([host(0), host(1), host(2)]);
    for (const changes of patches) {
      const rows = changes
        .filter(({ gone }) => !gone)
        .map(({ number, millicores, online, name }) =>
          host(number, {
            ...busy(millicores),
            hostname: `${name}-${number}`,
            connectivity: online ? 'online' : 'late',
            sessions: millicores,
          }),
        );
      const removed = changes.filter(({ gone }) => gone).map(({ number }) => `host-${number}`);
      fleet = patched(fleet, rows, removed);
      order.update(fleet, listing);
      t.deepEqual(order.ids, orderOf(fleet, listing));
    }
  },
);

test('a patch that only measures leaves the order by name untouched, and copies nothing', (t) => {
  const order = new AgentOrder();
  const before = fleetOf([host(1), host(2)]);
  order.update(before, ALL_AGENTS);
  const { ids } = order;
  const after = patched(before, [host(1, busy(5))]);
  order.update(after, ALL_AGENTS);
  t.is(order.ids, ids);
  t.is(after.agents, before.agents);
  t.not(after, before, 'but it is seen that something changed');
});

test('who has not read for long reads everything, and nothing is kept for ever', (t) => {
  const log = new ChangeLog();
  const start = log.end;
  log.add('a');
  log.add('a');
  t.deepEqual(log.since(start), new Set(['a']));
  const later = log.end;
  for (let count = 0; count < 100_000; count += 1) log.add('b');
  t.is(log.since(later), null);
  t.deepEqual(log.since(log.end), new Set());
  log.add('c');
  t.deepEqual(log.since(log.end - 1), new Set(['c']));
});

test('only rows on the screen and some beyond are drawn, at the ends as in the middle', (t) => {
  const drawn = (rows: number, above: number) =>
    rowWindow(
      rowPlaces(rows, () => 50),
      { above, screen: 900 },
    );
  t.deepEqual(drawn(10_000, 0), { first: 0, count: 31 });
  t.deepEqual(drawn(10_000, 5000), { first: 94, count: 31 });
  t.deepEqual(drawn(10_000, 10_000 * 50), { first: 9969, count: 31 });
  t.deepEqual(drawn(3, 0), { first: 0, count: 3 });
  t.deepEqual(drawn(0, 700), { first: 0, count: 0 });
});

testProp(
  'of rows of any heights all that are on the screen are drawn, and none overlaps another',
  [
    fc.array(fc.integer({ min: 4, max: 30 }), { minLength: 1, maxLength: 200 }),
    fc.nat({ max: 6000 }),
    fc.integer({ min: 1, max: 100 }),
  ],
  (t, heights, above, screen) => {
    const places = rowPlaces(heights.length, (index) => heights[index] ?? 0);
    const { first, count } = rowWindow(places, { above, screen });
    let end = 0;
    for (const [index, height] of heights.entries()) {
      const place = placeOf(places, index);
      t.deepEqual(place, { top: end, height });
      end += height;
      const isSeen = place.top < above + screen && end > above;
      t.true(!isSeen || (index >= first && index < first + count), `row ${index} of ${first} + ${count}`);
    }
  },
);

test('a patch looks at the heights of what it changes, and moves nothing unless one of them is another', (t) => {
  const ids = Array.from({ length: 10_000 }, (_, number) => `host-${number}`);
  let fleet = fleetOf(ids.map((_, number) => host(number)));
  const places = new AgentPlaces();
  let looked = 0;
  const heightOf = (agent: AgentView | undefined): number => {
    looked += 1;
    return agent?.sessions ?? 0;
  };
  const update = (listed: readonly string[] = ids): number => {
    looked = 0;
    places.update({ ids: listed, agents: fleet.agents, changes: fleet.agentChanges, heightOf });
    return looked;
  };
  t.is(update(), 10_000);
  const { places: before } = places;
  t.is(update(), 0);
  fleet = patched(fleet, [host(7, busy(5)), host(9, busy(6)), host(20_000)]);
  t.is(update(), 2, 'of one that is not listed nothing is asked');
  t.is(places.places, before);
  fleet = patched(fleet, [host(7, { sessions: 5 })]);
  t.is(update(), 1);
  t.deepEqual(placeOf(places.places, 7), { top: 14, height: 5 });
  t.deepEqual(placeOf(places.places, 8), { top: 19, height: 2 });
  t.is(update(ids.toReversed()), 10_000, 'another order');
  t.deepEqual(placeOf(places.places, 9_992), { top: 19_984, height: 5 });
});

test('a range is selected in the order shown; what is not shown stays selected', (t) => {
  const shown = ['a', 'b', 'c', 'd'];
  const after = (selected: readonly string[], wish: Parameters<typeof selectedAfter>[1]) =>
    [...selectedAfter(new Set(selected), wish, shown)].toSorted();
  t.deepEqual(after(['x'], { kind: 'range', from: 'c', to: 'a' }), ['a', 'b', 'c', 'x']);
  t.deepEqual(after(['x'], { kind: 'range', from: 'gone', to: 'b' }), ['b', 'x']);
  t.deepEqual(after(['a'], { kind: 'toggle', agentId: 'a' }), []);
  t.deepEqual(after(['x'], { kind: 'all' }), ['a', 'b', 'c', 'd', 'x']);
  t.deepEqual(after(['x', 'a'], { kind: 'none' }), []);
});

test('columns that do not fit are left away, the least needed first, and the choice is remembered', (t) => {
  t.deepEqual(columnsThatFit(new Set(AGENT_COLUMNS), 200), AGENT_COLUMNS);
  const narrow = columnsThatFit(new Set(AGENT_COLUMNS), 60);
  t.true(narrow.includes('cpu') && narrow.includes('enabled') && !narrow.includes('disk'));
  const stored = new Map<string, string>();
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  };
  t.deepEqual(chosenColumns(storage), new Set(AGENT_COLUMNS.filter((column) => column !== 'labels')));
  keepColumns(storage, new Set(['disk', 'cpu']));
  t.deepEqual(chosenColumns(storage), new Set(['cpu', 'disk']));
  keepColumns(storage, new Set());
  t.deepEqual(chosenColumns(storage), new Set());
});

test('a card is as high as what stands on it: an agent without GPUs has no bar for them, and one that waits no bars', (t) => {
  const all = ['enabled', 'cpu', 'memory', 'gpu', 'sessions'] as const;
  const bare = ['cpu', 'memory'] as const;
  const [none, some, waits] = [host(1), gpuAgentRow(), pendingAgentRow()];
  t.is(cardHeight(all, some) - cardHeight(all, none), 4);
  t.is(cardHeight(all, none) - cardHeight(all, waits), 4);
  t.is(cardHeight(bare, some), cardHeight(bare, none));
  t.true(cardHeight([...bare, 'gpu'], none) > cardHeight(bare, none), 'the word has to stand somewhere');
});

const said = (agents: readonly AgentView[], what: BulkChange) =>
  bulkPreview(agents, what).map(({ does, sentence }) => `${does ? 'yes' : 'no'}: ${sentence}`);

test('before many are disabled or enabled it says what happens to each, and why others are skipped', (t) => {
  const agents = [host(1), host(2, { intent: 'disabled', sessions: 0 }), pendingAgentRow(), revokedAgentRow()];
  t.deepEqual(said(agents, { kind: 'disable' }), [
    'yes: It takes nothing new. Its 2 sessions stay untouched.',
    'no: It is disabled already.',
    'no: It waits for approval.',
    'no: It is revoked.',
  ]);
  t.deepEqual(
    said([...agents.slice(0, 2), host(3, { intent: 'disabled', connectivity: 'missing' })], { kind: 'enable' }),
    ['no: It is enabled already.', 'yes: It takes new sessions.', 'yes: It takes new sessions once it is back.'],
  );
});

test('before many are overridden each is told in its own ratio; an unusual value is skipped until it is meant', (t) => {
  const override = (change: Partial<Extract<BulkChange, { kind: 'override' }>>) =>
    ({ kind: 'override', cores: null, memory: null, confirm: false, ...change }) as const;
  const small = host(2, { coresOverride: null, physical: { millicores: 500, memoryBytes: GIB, gpus: 0 } });
  t.deepEqual(said([host(1)], override({ cores: '12' })), ['no: It has that already.']);
  t.deepEqual(said([host(1)], override({})), ['no: No value is given.']);
  t.regex(said([host(1)], override({ cores: 'many' }))[0] ?? '', /^no: CPU: "many" is not a number of cores/);
  t.regex(
    said([small], override({ cores: '6' }))[0] ?? '',
    /^no: Unusual, and not confirmed\. CPU: 6 cores, x12\.0 of 0\.5 cores\./,
  );
  t.regex(said([small], override({ cores: '6', confirm: true }))[0] ?? '', /^yes: CPU: 6 cores, x12\.0/);
  t.regex(said([host(1)], override({ cores: '4' }))[0] ?? '', /Over-allocated by 1 core then: it ends nothing/);
  t.regex(
    said([host(1)], override({ cores: '0' }))[0] ?? '',
    /^yes: CPU: No override: placement counts with the physical 6 cores\.$/,
  );
  t.regex(
    said([host(1)], override({ memory: '24GiB' }))[0] ?? '',
    /RAM: 24 GiB, x2\.0 of 12 GiB\. When sessions use all of it: 12 GiB not covered/,
  );
});

test('what is refused for one stops none of the others, and nothing new begins once it is stopped', async (t) => {
  const agents = Array.from({ length: 20 }, (_, index) => host(index));
  const stop = new AbortController();
  const told: string[] = [];
  let underWay = 0;
  let most = 0;
  const work = async ({ agentId }: AgentView): Promise<void> => {
    underWay += 1;
    most = Math.max(most, underWay);
    await Promise.resolve();
    underWay -= 1;
    if (agentId === 'host-1') throw new Problem({ status: 409, code: 'AGENT_UNKNOWN', title: 'no', detail: 'no' });
    if (agentId === 'host-11') stop.abort();
  };
  const note = ({
    agent,
    refusal,
  }: {
    readonly agent: AgentView;
    readonly refusal: { readonly code: string } | null;
  }) => void told.push(`${agent.agentId} ${refusal?.code ?? 'done'}`);
  await runBulk(agents, work, note, stop.signal);
  t.true(told.includes('host-1 AGENT_UNKNOWN') && told.includes('host-2 done') && told.includes('host-11 done'));
  t.true(told.length < 20, 'it was stopped');
  t.true(most > 1 && most <= 6);
  await t.throwsAsync(
    runBulk([host(1)], () => Promise.reject(new RangeError('a bug')), note, AbortSignal.timeout(1000)),
  );
});

test('the menu of an agent has what its state allows, and says what the role does not', (t) => {
  const menu = (agent: AgentView, may: 'viewer' | 'admin' = 'admin') =>
    agentMenu(agent, may).map(({ id, why }) => `${id}${why === null ? '' : '!'}`);
  t.deepEqual(menu(host(1)), ['override', 'history', 'revoke']);
  t.deepEqual(menu(host(1, { connectivity: 'missing' }), 'viewer'), [
    'override!',
    'history',
    'declare-lost!',
    'revoke!',
  ]);
  t.deepEqual(menu(pendingAgentRow()), ['approve', 'revoke', 'remove']);
  t.deepEqual(menu(revokedAgentRow({ sessions: 0 })), ['history', 'declare-lost', 'remove']);
});
