import { z } from 'zod';
import { engineStatus, hostImage, networkUse, usage } from '../../../domain/checkIn.ts';
import type { AgentHostView, CapacityStep, UtilizationView } from '../../../projections/views.ts';
import { eventRow } from './views.ts';

/** What is answered of one agent besides its row: its host, what was measured, and what placement counted with. */

const column = z.array(z.number().nullable());
const spread = z.object({ lowest: column, mean: column, highest: column });

export const utilization: z.ZodType<UtilizationView> = z
  .object({
    agentId: z.string(),
    start: z
      .number()
      .describe('of the first bucket in which something was received, ms since 1970; columns begin there'),
    stepSeconds: z.number().describe('width of a bucket, and so from one to the next'),
    samples: z.array(z.number()).describe('check-ins received in each bucket; 0: a gap, where all else is null'),
    cpuMillicores: spread.describe('over each bucket; so are the others but disk'),
    memoryMib: spread,
    diskUsedMib: column.nullable().describe('the newest in each bucket; null instead of columns: nobody told'),
    gpuPercent: spread.nullable().describe('mean load of the devices, to a tenth'),
    gpuMemoryMib: spread.nullable().describe('of all devices together'),
  })
  .meta({ id: 'Utilization' });

const amounts = z.object({ millicores: z.number(), memoryBytes: z.number(), gpus: z.number() });

const capacityStep: z.ZodType<CapacityStep> = z.object({
  at: z.number().describe('from then on, ms since 1970'),
  capacity: amounts.nullable().describe('null: its hardware was not known'),
  allocated: amounts,
});

export const capacityHistory = z
  .object({
    agentId: z.string(),
    since: z.number().describe('before that nothing is known, ms since 1970; the first step is what was so then'),
    steps: z.array(capacityStep).describe('oldest first; each holds until the next'),
    changes: z.array(eventRow).describe('changes of settings in that time, newest first, at most 500'),
    thinnedToSeconds: z
      .number()
      .nullable()
      .describe(
        'null: every step is there. Else of a busy span of so many seconds its ends, and where a line was lowest and highest',
      ),
  })
  .meta({ id: 'CapacityHistory' });

export const agentHostView: z.ZodType<AgentHostView> = z
  .object({
    agentId: z.string(),
    hostname: z.string(),
    agentVersion: z.string(),
    bootId: z.string(),
    bootedAt: z.string().nullable().describe("when this boot was first heard of, by the agent's own clock"),
    observedAt: z.string(),
    receivedAt: z.string(),
    engine: engineStatus,
    millicores: z.number(),
    memoryBytes: z.number(),
    swapBytes: z.number(),
    disk: usage.shape.disk,
    network: networkUse.nullable(),
    images: z.array(hostImage).nullable().describe('largest first; null while they are not known'),
    orphans: z.array(z.string()),
    unmanagedContainers: z.number(),
    truncated: z.boolean().describe('there was more to tell than a check-in may hold'),
  })
  .meta({ id: 'AgentHost' });
