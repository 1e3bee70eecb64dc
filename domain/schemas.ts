import { z } from 'zod';
import { END_CAUSES, type EndCause } from './endCauses.ts';
import { GPU_COUNT_LIMIT } from './gpuNeed.ts';
import { ID_PATTERN } from './ids.ts';
import { isDigest } from './images/reference.ts';
import {
  LABEL_KEY_PATTERN,
  LABEL_KEY_RULE,
  LABEL_VALUE_PATTERN,
  LABEL_VALUE_RULE,
  LABELS_LIMIT,
  SELECTOR_PATTERN,
  SELECTOR_RULE,
  SELECTORS_LIMIT,
} from './labels.ts';
import { PRUNE_MODE_NAMES } from './pruneMode.ts';

/** The small schemas that events, commands, documents and the REST edge share. */

export const id = z.string().regex(ID_PATTERN, 'an id is 1 to 64 letters, digits, "_" or "-"');
export const version = z.int().min(0);
export const millicores = z.int().min(0).max(1e9);
export const bytes = z.int().min(0);
export const count = z.int().min(0);
export const time = z.iso.datetime();
export const shortText = z.string().max(500);
/** Tells two secrets apart and opens nothing. */
export const fingerprint = z.string().min(1).max(64);

/** Why somebody did something. The form says: no personal data. */
export const reasonText = z.string().trim().min(1).max(500);

export const endCause = z.enum(Object.keys(END_CAUSES) as [EndCause, ...EndCause[]]);

export const gpuNeed = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('count'), count: z.int().min(1).max(GPU_COUNT_LIMIT) }),
  z.object({ kind: z.literal('all') }),
]);

/** What names an image's content for good. */
export const imageDigest = z.string().refine(isDigest, 'a digest is "sha256:" and 64 hexadecimal digits');

export const cpuMode = z.enum(['shares', 'quota']);

/** Who did something. `system` is Muster itself: a rule that came due. */
export const actor = z.object({
  kind: z.enum(['operator', 'agent', 'system', 'automation']),
  id: z.string().min(1).max(64),
});

export const pruneMode = z.enum(PRUNE_MODE_NAMES);

/** All labels of an agent. */
export const labels = z
  .record(z.string().regex(LABEL_KEY_PATTERN, LABEL_KEY_RULE), z.string().regex(LABEL_VALUE_PATTERN, LABEL_VALUE_RULE))
  .refine((all) => Object.keys(all).length <= LABELS_LIMIT, `at most ${LABELS_LIMIT} labels`);

/** What an image says of the labels of agents: `key` or `key=value`. */
export const labelSelectors = z.array(z.string().regex(SELECTOR_PATTERN, SELECTOR_RULE)).max(SELECTORS_LIMIT);

export const port = z.object({
  containerPort: z.int().min(1).max(65_535),
  protocol: z.enum(['tcp', 'udp']),
});

/** Where a published port of a session can be reached. */
export const endpoint = port.extend({ hostAddress: z.string().max(64), hostPort: z.int().min(1).max(65_535) });
export type Endpoint = z.infer<typeof endpoint>;

/**
 * One GPU as an agent reports it. `usable` means that the container engine can inject it; `unusableReason` says why not.
 * `memoryBytes` and `driver` are null where the driver does not tell. `healthReason` is a sentence that stays the same while
 * the trouble does, because each change of hardware is an event; null: healthy, or not told.
 */
export const gpuDevice = z.object({
  uuid: z.string().min(1).max(96),
  index: count,
  model: z.string().max(128),
  memoryBytes: bytes.nullable(),
  driver: z.string().max(64).nullable(),
  pciAddress: z.string().max(32),
  migMode: z.enum(['on', 'off']).nullable(),
  health: z.enum(['ok', 'warning', 'failed']),
  healthReason: shortText.nullable(),
  usable: z.boolean(),
  unusableReason: shortText.nullable(),
});
export type GpuDevice = z.infer<typeof gpuDevice>;

/** What an agent physically has. */
export const hardware = z.object({
  millicores,
  memoryBytes: bytes,
  swapBytes: bytes,
  gpus: z.array(gpuDevice).max(256),
});
export type Hardware = z.infer<typeof hardware>;

/** Trouble of an agent that an operator should see. The set is closed; most members get their detection later. */
export const condition = z.enum([
  'DOCKER_DOWN',
  'DISK_PRESSURE',
  'GPU_FAILED',
  'CLOCK_SKEW',
  'OVER_ALLOCATED',
  'TOKEN_OLD',
  'VERSION_SKEW',
  'DESIRED_NOT_APPLIED',
  'IDENTITY_CONFLICT',
  'LOG_REWOUND',
]);
export type Condition = z.infer<typeof condition>;

/** What a session holds on an agent. */
export const claim = z.object({ millicores, memoryBytes: bytes, gpuUuids: z.array(z.string().max(96)) });
export type Claim = z.infer<typeof claim>;
