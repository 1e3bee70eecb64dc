import type { FleetEvent } from '../../domain/events.ts';
import type { ImageView, SessionView } from '../../projections/views.ts';
import { counted } from './amounts.ts';
import type { ChangedField } from './fieldChanges.ts';
import { fieldsFrom, type ImageFields } from './imageForm.ts';
import { actorText } from './changes.ts';

/** What differs between two revisions of an image, and what to do when somebody else was faster. */

export interface FieldChange extends ChangedField {
  readonly field: keyof ImageFields;
}

/** A revision as the log tells it. */
export interface Revision {
  readonly revision: number;
  readonly at: string;
  readonly who: string;
  readonly reason: string | null;
  /** Empty for the first, and for one that defines anew what was retired. */
  readonly changes: readonly FieldChange[];
}

const LABELS: Readonly<Record<keyof ImageFields, string>> = {
  name: 'Name',
  reference: 'Container image',
  cores: 'CPU cores',
  memory: 'Memory',
  cpuMode: 'CPU mode',
  requireGpu: 'Require GPU',
  gpuCount: 'GPU count',
  gpuModel: 'GPU model',
  gpuMemory: 'Memory per GPU',
  includeLabels: 'Only on agents with',
  excludeLabels: 'Never on agents with',
  ports: 'Ports',
  shm: 'Shared memory',
  environment: 'Environment',
  command: 'Command',
};

/** In the order of the form. */
export const IMAGE_FIELDS = [
  'name',
  'reference',
  'cores',
  'memory',
  'cpuMode',
  'requireGpu',
  'gpuCount',
  'gpuModel',
  'gpuMemory',
  'includeLabels',
  'excludeLabels',
  'ports',
  'shm',
  'environment',
  'command',
] as const satisfies readonly (keyof ImageFields)[];

export function changedFields(before: ImageFields, after: ImageFields): readonly FieldChange[] {
  return IMAGE_FIELDS.filter((field) => before[field] !== after[field]).map((field) => ({
    field,
    label: LABELS[field],
    before: asText(before[field]),
    after: asText(after[field]),
  }));
}

/** What somebody typed since `base`, on top of what stands there by now. Where both changed a field, the typed one stays. */
export function rebased(base: ImageFields, typed: ImageFields, theirs: ImageFields): ImageFields {
  const kept = changedFields(base, typed).map(({ field }) => [field, typed[field]] as const);
  return Object.assign({ ...theirs }, Object.fromEntries(kept));
}

/** The revisions of one image among the events of the fleet's log, newest first. */
export function revisionsIn(events: readonly FleetEvent[], imageId: string): readonly Revision[] {
  const found: Revision[] = [];
  for (const event of events) {
    if (event.type !== 'ImageDefined' && event.type !== 'ImageRevised') continue;
    const { image } = event.data;
    if (image.imageId !== imageId) continue;
    const changes =
      event.type === 'ImageDefined' ? [] : changedFields(fieldsFrom(event.data.previous), fieldsFrom(image));
    const { occurredAt: at, reason = null } = event;
    found.push({ revision: image.revision, at, who: actorText(event.actor), reason, changes });
  }
  return found.toReversed();
}

/** What retiring an image does to the sessions that were started from it and are not over. */
export function retireConsequences(sessions: readonly Pick<SessionView, 'phase'>[]): readonly string[] {
  const waiting = sessions.filter(({ phase }) => phase === 'waiting').length;
  const placed = sessions.length - waiting;
  return [
    'No new session can be started from it. The log keeps the definition, and its id may be defined anew.',
    placed === 0
      ? 'No session of it is on an agent.'
      : `${counted(placed, 'session of it stays', 'sessions of it stay')} as ${placed === 1 ? 'it is' : 'they are'}: nothing that runs is stopped.`,
    ...(waiting === 0
      ? []
      : [`${counted(waiting, 'session that waits is', 'sessions that wait are')} still started when there is room.`]),
  ];
}

/** The sessions of an image that hold or want something. */
export function sessionsOf(imageId: string, sessions: Iterable<SessionView>): readonly SessionView[] {
  const found: SessionView[] = [];
  for (const session of sessions) if (session.imageId === imageId && session.endedAt === null) found.push(session);
  return found;
}

export function isUnchanged(image: ImageView, fields: ImageFields): boolean {
  return changedFields(fieldsFrom(image), fields).length === 0;
}

function asText(value: string | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value;
}
