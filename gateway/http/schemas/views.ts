import { z } from 'zod';
import { usage } from '../../../domain/checkIn.ts';
import { eventEnvelope } from '../../../domain/events.ts';
import { imageDefinition } from '../../../domain/images/image.ts';
import { REASON_CODES } from '../../../domain/placement/reasonCodes.ts';
import type { Explanation } from '../../../domain/placement/explanation.ts';
import * as s from '../../../domain/schemas.ts';
import { health, observedPull } from '../../../domain/checkIn.ts';
import { refusalSummary } from '../../../domain/sessions/events.ts';
import type { AgentView, ImageView, SessionView, ZoneSummary } from '../../../projections/views.ts';

/** The shapes of projections/views.ts as schemas, so that nothing else leaves and the OpenAPI document knows them. */

const amounts = z.object({ millicores: z.number(), memoryBytes: z.number(), gpus: z.number() });
const override = z.object({ value: z.number(), setWhenPhysical: z.number().nullable() });
const gpu = s.gpuDevice.extend({
  schedulable: z.boolean(),
  reason: z.string().nullable(),
  heldBy: z.array(z.string()),
});

export const agentView: z.ZodType<AgentView> = z
  .object({
    agentId: z.string(),
    hostname: z.string(),
    zone: z.string().describe('empty while the agent is in none'),
    simulated: z.boolean(),
    fingerprint: z.string().nullable().describe('of its own secret; null: it has none, or none was told'),
    revokedAt: s.time.nullable().describe('since when it is not heard any more'),
    connectivity: z.enum(['never', 'online', 'late', 'missing', 'lost']),
    intent: z.enum(['pending', 'enabled', 'disabled', 'revoked']),
    operation: z.literal('none'),
    conditions: z.array(z.object({ condition: s.condition, detail: z.string(), mend: z.string() })),
    sentence: z.string(),
    physical: amounts.nullable(),
    capacity: amounts.nullable(),
    allocated: amounts,
    coresOverride: override.nullable().describe('millicores'),
    memoryOverride: override.nullable().describe('bytes'),
    labels: s.labels.describe('in the order of their keys'),
    pruneMode: s.pruneMode.describe('what it removes of its images by itself'),
    swapBytes: s.bytes.nullable(),
    memoryRisks: z.array(z.object({ level: z.enum(['covered', 'uncovered']), sentence: z.string() })),
    used: usage.nullable(),
    lastCheckInAt: z.string().nullable(),
    gpus: z.array(gpu),
    gpuCounts: z.object({ detected: s.count, usable: s.count, schedulable: s.count, free: s.count }),
    sessions: s.count,
    engineVersion: z.string().nullable(),
    unmanagedContainers: s.count,
    images: z
      .object({ count: s.count, totalBytes: s.bytes })
      .nullable()
      .describe('on its host; layers that images share count in each of them'),
    settingsVersion: s.version.describe('the ETag of the agent'),
  })
  .meta({ id: 'Agent' });

export const zoneSummary: z.ZodType<ZoneSummary> = z
  .object({
    zone: z.string(),
    agents: z
      .object({ never: s.count, online: s.count, late: s.count, missing: s.count, lost: s.count })
      .describe('how many have joined it, by connectivity'),
    waiting: s.count.describe('sessions in the line'),
    sessions: s.count.describe('sessions that hold a claim'),
    conditions: z.array(
      z.object({
        condition: z.literal('PARTITION_SUSPECTED'),
        silent: s.count.describe('agents that fell silent at once'),
        expected: s.count.describe('agents that were expected to speak'),
        detail: z.string(),
        mend: z.string(),
      }),
    ),
  })
  .meta({ id: 'Zone' });

export const sessionView: z.ZodType<SessionView> = z
  .object({
    sessionId: z.string(),
    zone: z.string(),
    imageId: z.string(),
    imageRevision: z.number(),
    imageDigest: z
      .string()
      .nullable()
      .describe('of the image that its container was made from; until it runs, the one that was asked for'),
    phase: z.enum(['waiting', 'placed', 'starting', 'running', 'stopping', 'ended', 'refused', 'cancelled', 'unknown']),
    sentence: z.string(),
    agentId: z.string().nullable(),
    claim: s.claim.nullable(),
    endpoints: z.array(s.endpoint),
    priority: z.number(),
    requestedBy: s.actor,
    requestedAt: z.string(),
    startedAt: z.string().nullable(),
    endedAt: z.string().nullable(),
    cause: s.endCause.nullable(),
    exitCode: z.number().nullable(),
    refusal: refusalSummary.nullable(),
    pull: observedPull.nullable().describe('how far its image is, while its agent pulls that'),
    health: health.nullable().describe("what the image's own health check says while it runs"),
    position: z.string(),
  })
  .meta({ id: 'Session' });

const imageShape = imageDefinition.extend({ position: z.string() });

export const imageView: z.ZodType<ImageView> = imageShape.meta({ id: 'Image' });

/** An image as saved, with how the amounts were understood. */
export const savedImage: z.ZodType<ImageView & { readonly echoes: readonly string[] }> = imageShape
  .extend({ echoes: z.array(z.string()) })
  .meta({ id: 'SavedImage' });

const reason = z.object({
  code: z.enum(REASON_CODES),
  never: z.boolean().describe('waiting does not help'),
  numbers: z.record(z.string(), z.number()),
  sentence: z.string(),
  fix: z.string().nullable(),
});

export const explanation: z.ZodType<Explanation> = z
  .object({
    decision: z.enum(['placed', 'waiting', 'refused']),
    agentId: z.string().nullable(),
    gpuUuids: z.array(z.string()),
    agents: s.count.describe('how many agents there were'),
    complete: z.boolean().describe('all of them are candidates here; otherwise the first few'),
    codes: z
      .record(z.string(), s.count)
      .describe('agents per reason when none took it, or when counted; otherwise empty'),
    candidates: z.array(
      z.object({
        agentId: z.string(),
        outcome: z.enum(['chosen', 'fits', 'refused']),
        load: z.number().nullable(),
        sessions: s.count,
        reasons: z.array(reason),
      }),
    ),
    fits: s.count.describe('how many agents fit, when counted').exactOptional(),
    otherRules: s.count
      .describe('the rules version of the decision, when these reasons were computed by another')
      .exactOptional(),
  })
  .meta({ id: 'Explanation' });

export const eventRow = eventEnvelope
  .extend({ position: z.string(), log: z.string(), version: z.int(), index: z.int() })
  .meta({ id: 'EventRow' });

export const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('stable; match on this'),
    detail: z.string(),
    numbers: z.record(z.string(), z.number()).optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
