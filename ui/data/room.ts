import { roomFor, type Holding, type Room } from '../../domain/placement/room.ts';
import { parseCores, parseMemory, type Parsed } from '../../domain/units.ts';
import type { AgentView, ImageView } from '../../projections/views.ts';
import { imagesInOrder, isOver, type Fleet } from './fleet.ts';

/** So many images are told of before an override is saved. */
const IMAGES_SHOWN = 5;

/** What of the fleet room is told of. */
export type RoomFleet = Pick<Fleet, 'images' | 'sessions'>;

/** How many more sessions of one image an agent has room for. */
export interface RoomLine {
  readonly imageId: string;
  readonly name: string;
  /** `6 → 12`; one number where they do not differ. */
  readonly text: string;
  /** What stands in the way of one more, in words. */
  readonly limit: string;
  readonly change: 'more' | 'fewer' | 'same';
}

export interface RoomLines {
  readonly lines: readonly RoomLine[];
  /** Images that are not listed. */
  readonly more: number;
}

const LIMITS: Readonly<Record<Room['limit'], string>> = {
  cores: 'cores are used up first',
  memory: 'memory is used up first',
  GPUs: 'GPUs are used up first',
};

/**
 * Room for more sessions as it is and as it would be with the overrides that stand in the fields: of the images that sessions
 * here were started from first, then of the others by name. Null where it cannot be told: hardware not known, or nothing
 * defined. What was not touched (null) or cannot be read changes nothing.
 */
export function roomLines(
  agent: AgentView,
  typed: { readonly cores: string | null; readonly memory: string | null },
  fleet: RoomFleet,
): RoomLines | null {
  const { physical, capacity } = agent;
  if (physical === null || capacity === null || fleet.images.size === 0) return null;
  const before = holdingOf(agent, capacity);
  const after = holdingOf(agent, {
    millicores: amount(typed.cores, parseCores, physical.millicores, capacity.millicores),
    memoryBytes: amount(typed.memory, parseMemory, physical.memoryBytes, capacity.memoryBytes),
  });
  const images = usedFirst(agent.agentId, fleet);
  const lines = images
    .slice(0, IMAGES_SHOWN)
    .map((image) => line(image, roomFor(before, image), roomFor(after, image)));
  return { lines, more: images.length - lines.length };
}

function line({ imageId, name }: ImageView, before: Room, after: Room): RoomLine {
  const change = after.sessions > before.sessions ? 'more' : after.sessions < before.sessions ? 'fewer' : 'same';
  const text = change === 'same' ? `${after.sessions}` : `${before.sessions} → ${after.sessions}`;
  return { imageId, name, text, limit: LIMITS[after.limit], change };
}

function holdingOf({ allocated, gpus }: AgentView, capacity: Holding['capacity']): Holding {
  const schedulable = gpus.filter((gpu) => gpu.schedulable);
  return { capacity, allocated, gpus: schedulable.map((device) => ({ device, held: device.heldBy.length > 0 })) };
}

/** Nothing and 0 are no override: capacity is physical then. */
function amount(text: string | null, parse: (text: string) => Parsed, physical: number, now: number): number {
  if (text === null) return now;
  if (text.trim() === '') return physical;
  const parsed = parse(text);
  if (!parsed.ok) return now;
  return parsed.value === 0 ? physical : parsed.value;
}

function usedFirst(agentId: string, { images, sessions }: RoomFleet): readonly ImageView[] {
  const used = new Set<string>();
  for (const session of sessions.values()) {
    if (session.agentId === agentId && !isOver(session)) used.add(session.imageId);
  }
  const inOrder = imagesInOrder({ images });
  return [
    ...inOrder.filter(({ imageId }) => used.has(imageId)),
    ...inOrder.filter(({ imageId }) => !used.has(imageId)),
  ];
}
