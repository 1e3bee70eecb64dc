import test from 'ava';
import { fleetFromSnapshot } from '../ui/data/fleet.ts';
import { roomLines } from '../ui/data/room.ts';
import { agentRow, GIB, imageRow, NOON, pendingAgentRow, sessionRow, snapshot } from '../ui/gallery/fixtures.ts';

/** What the override dialog says of room before anything is saved: without a browser. */

const NONE = { millicores: 0, memoryBytes: 0, gpus: 0 };
const SIX = { millicores: 6000, memoryBytes: 6 * GIB, gpus: 0 };
const six = agentRow({ physical: SIX, capacity: SIX, allocated: NONE, coresOverride: null });
const one = imageRow({ imageId: 'one', name: 'One', millicores: 1000, memoryBytes: GIB });
const UNTOUCHED = { cores: null, memory: null };

function fleetOf(
  images: readonly ReturnType<typeof imageRow>[],
  sessions: readonly ReturnType<typeof sessionRow>[] = [],
) {
  return fleetFromSnapshot(snapshot({ images, sessions }), NOON);
}

const said = (typed: { readonly cores: string | null; readonly memory: string | null }, agent = six) =>
  roomLines(agent, typed, fleetOf([one]))?.lines.map(({ name, text, limit }) => `${name}: ${text}, ${limit}`);

test('6 CPUs and 6 GiB have room for 6; 12 CPUs alone change nothing, with 12 GiB there is room for 12', (t) => {
  t.deepEqual(said(UNTOUCHED), ['One: 6, cores are used up first']);
  t.deepEqual(said({ cores: '12', memory: null }), ['One: 6, memory is used up first']);
  t.deepEqual(said({ cores: '12', memory: '12GiB' }), ['One: 6 → 12, cores are used up first']);
});

test('no override is what is physically there, and what cannot be read changes nothing', (t) => {
  const twelve = { ...six, capacity: { ...SIX, millicores: 12_000, memoryBytes: 12 * GIB } };
  t.deepEqual(said({ cores: '0', memory: '' }, twelve), ['One: 12 → 6, cores are used up first']);
  t.deepEqual(said({ cores: 'twelve', memory: '-1' }, twelve), ['One: 12, cores are used up first']);
});

test('a handful of images is told of, those with sessions here first', (t) => {
  const images = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => imageRow({ imageId: name, name }));
  const sessions = [
    sessionRow({ imageId: 'g', agentId: 'host-1' }),
    sessionRow({ sessionId: 's-2', imageId: 'f', agentId: 'host-2' }),
    sessionRow({ sessionId: 's-3', imageId: 'e', agentId: 'host-1', phase: 'ended' }),
  ];
  const room = roomLines(six, UNTOUCHED, fleetOf(images, sessions));
  t.deepEqual(
    room?.lines.map(({ name }) => name),
    ['g', 'a', 'b', 'c', 'd'],
  );
  t.is(room?.more, 2);
});

test('nothing is told while the hardware is not known or no image is defined', (t) => {
  t.is(roomLines(pendingAgentRow(), UNTOUCHED, fleetOf([one])), null);
  t.is(roomLines(six, UNTOUCHED, fleetOf([])), null);
});
