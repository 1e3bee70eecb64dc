import { z } from 'zod';
import { imageNeeds } from '../../../domain/images/image.ts';
import { activePruneMode } from '../../../domain/pruning/record.ts';
import * as s from '../../../domain/schemas.ts';
import { parseCores, parseMemory, type Parsed } from '../../../domain/units.ts';

/** What clients send. Bodies are strict: a field that is not known is refused, since it is most often a typing error. */

export const agentParams = z.object({ agentId: s.id });
export const imageParams = z.object({ imageId: s.id });
export const sessionParams = z.object({ sessionId: s.id });

const amount = z.union([z.string().max(64), z.number()]);

interface Kind {
  readonly parse: (input: string | number) => Parsed;
  readonly description: string;
  /** The most that can be recorded, in base units. */
  readonly most: number;
}

const CORES: Kind = { parse: parseCores, description: 'cores: 2, 0.5, "500m"', most: 1e9 };
const MEMORY: Kind = {
  parse: parseMemory,
  description: 'memory: "12GiB", "12GB" or a number of bytes',
  most: Number.MAX_SAFE_INTEGER,
};

/** An amount as people write it, in base units. */
function understood(input: string | number, { parse, most }: Kind): Parsed {
  const parsed = parse(input);
  if (parsed.ok && parsed.value > most) return { ok: false, problem: `${input} is more than can be recorded` };
  return parsed;
}

function amountOf(kind: Kind) {
  return amount.describe(kind.description).transform((input, context) => {
    const parsed = understood(input, kind);
    if (parsed.ok && parsed.value > 0) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.ok ? 'must be more than 0' : parsed.problem });
    return z.NEVER;
  });
}

/** An amount that may be left out, as nothing, 0, an empty text or null: stored as null, never as 0. */
function optionalAmount(kind: Kind) {
  return z
    .union([amount, z.null()])
    .describe(`${kind.description}; 0, "" or null: none`)
    .transform((input, context) => {
      if (input === null || input === '') return null;
      const parsed = understood(input, kind);
      if (parsed.ok) return parsed.value === 0 ? null : parsed.value;
      context.addIssue({ code: 'custom', message: parsed.problem });
      return z.NEVER;
    });
}

const reason = s.reasonText.optional().describe('why; recorded, so no personal data');

export const reasonBody = z.strictObject({ reason }).nullish();

export const approvalBody = z
  .strictObject({
    reason,
    fingerprint: s.fingerprint
      .optional()
      .describe('what the agent printed as its own; when another one is recorded, nothing is approved'),
  })
  .nullish();

/** Of what cannot be taken back: somebody will want to know why it was done. */
export const neededReason = z.strictObject({ reason: s.reasonText.describe('why; recorded, so no personal data') });

export const prunePost = z.strictObject({ mode: activePruneMode, reason });

export const agentPatch = z.strictObject({
  enabled: z.boolean().optional(),
  coresOverride: optionalAmount(CORES).optional(),
  memoryOverride: optionalAmount(MEMORY).optional(),
  labels: s.labels.optional().describe('all of its labels, those that it keeps as well; {}: none'),
  pruneMode: s.pruneMode.optional().describe('what it removes of its images by itself'),
  confirm: z.boolean().optional().describe('allows an override outside 0.1x to 10x of physical'),
  reason,
});
export type AgentPatch = z.output<typeof agentPatch>;

/** The number of GPUs is checked against its limit by the route, so that it can answer with a code of its own. */
export const imagePut = z.strictObject({
  name: z.string().trim().min(1).max(120),
  reference: z.string().min(1).max(512).describe('container reference: [registry/]path[:tag]'),
  cores: amountOf(CORES),
  memory: amountOf(MEMORY),
  cpuMode: s.cpuMode.default('shares'),
  requireGpu: z.boolean().default(false),
  gpuCount: s.count.default(0).describe('0 with requireGpu: every GPU of one agent'),
  gpuModel: z.string().trim().max(128).nullish().describe('glob, for example *H200*'),
  gpuMemory: optionalAmount(MEMORY).optional(),
  includeLabels: s.labelSelectors
    .default([])
    .describe('"key" or "key=value": it runs only on agents that have all of them'),
  excludeLabels: s.labelSelectors.default([]).describe('the same: it never runs on an agent that has one of them'),
  ports: z
    .array(
      z.strictObject({ containerPort: s.port.shape.containerPort, protocol: s.port.shape.protocol.default('tcp') }),
    )
    .max(32)
    .default([]),
  shm: optionalAmount(MEMORY).optional(),
  environment: imageNeeds.shape.environment.default({}).describe('never secrets: it is recorded'),
  command: z.array(z.string().max(4096)).max(64).nullish(),
  reason,
});
export type ImagePut = z.output<typeof imagePut>;

export const sessionPost = z.strictObject({
  imageId: s.id,
  zone: s.id.default('default'),
  agentId: s.id.nullish().describe('only this agent will do'),
  priority: z.int().min(-1000).max(1000).default(0),
  whenFull: z.enum(['queue', 'fail']).default('queue'),
  maxWaitSeconds: z.int().min(1).max(31_536_000).nullish(),
  reason,
});

export const planPost = z.strictObject({
  imageId: s.id,
  zone: s.id.default('default'),
  agentId: s.id.nullish(),
  counted: z
    .boolean()
    .default(false)
    .describe('count how many agents fit, and how many of the others give each reason'),
});
