import { z } from 'zod';
import { approval } from '../fleet/approval.ts';
import { pruneMark, pruneRecord } from '../pruning/record.ts';
import * as s from '../schemas.ts';

const about = { agentId: s.id };

const prune = {
  ...about,
  series: pruneMark.shape.series,
  ...pruneRecord.omit({ outcome: true, freedBytes: true }).shape,
};

/** What is recorded of an agent in its zone's log. A setting carries the new and the previous value; `null` is none. */
export const agentEvents = {
  AgentJoined: z.object({ ...about, hostname: s.shortText, simulated: z.boolean() }),
  /** `observedAt` is the agent's own time of the first check-in of this boot that was recorded; null: not told (version 1). */
  AgentBooted: z.object({
    ...about,
    bootId: s.id,
    previousBootId: s.id.nullable(),
    agentVersion: s.shortText,
    observedAt: s.time.nullable(),
  }),
  AgentHardwareChanged: z.object({ ...about, hardware: s.hardware, previous: s.hardware.nullable() }),
  AgentEnabled: z.object(about),
  AgentDisabled: z.object(about),
  CoresOverrideSet: z.object({
    ...about,
    millicores: s.millicores.nullable(),
    previous: s.millicores.nullable(),
    physicalMillicores: s.millicores.nullable(),
  }),
  MemoryOverrideSet: z.object({
    ...about,
    memoryBytes: s.bytes.nullable(),
    previous: s.bytes.nullable(),
    physicalMemoryBytes: s.bytes.nullable(),
  }),
  /** All of its labels; what was before is told in whole, too. */
  AgentLabelsSet: z.object({ ...about, labels: s.labels, previous: s.labels }),
  PruneModeSet: z.object({ ...about, mode: s.pruneMode, previous: s.pruneMode }),
  /** `imageId` is the container engine's. Nothing is freed while others share its layers, or where only a tag of it went. */
  ImageRemoved: z.object({ ...prune, freedBytes: s.bytes }),
  /** It was to be removed, and the engine or somebody who uses it had something against it. */
  ImageRemovalSkipped: z.object(prune),
  AgentWentLate: z.object({ ...about, silentSeconds: s.count }),
  AgentWentMissing: z.object({ ...about, silentSeconds: s.count }),
  AgentReturned: z.object({ ...about, from: z.enum(['never', 'late', 'missing', 'lost']) }),
  /** Ends every session on it with AGENT_LOST and releases their claims; `sessions` says how many. One event, not many. */
  AgentDeclaredLost: z.object({ ...about, sessions: s.count }),
  AgentConditionRaised: z.object({ ...about, condition: s.condition, detail: s.shortText, mend: s.shortText }),
  AgentConditionCleared: z.object({ ...about, condition: s.condition }),
  /** It held nothing, and the zone knows only which approval is over with it; null: not told (version 1). */
  AgentLeft: z.object({ ...about, approval: approval.nullable() }),
};
