import { z } from 'zod';
import { pruneRecords } from './pruning/record.ts';
import * as s from './schemas.ts';

/**
 * The one sentence an agent speaks: its whole observed state. Published on `muster.checkin.<zone>.<agentId>` every
 * interval and at once when something changed. `seq` counts within `bootId`; `appliedVersion` is the version of the
 * desired document that has been carried out (0: none yet), of the log `logId`.
 */

/** How far the pull of a session's image is. Bytes are of the layers whose size is known so far; tries count from 1. */
export const observedPull = z.object({
  layersDone: s.count,
  layersTotal: s.count,
  bytesDone: s.bytes,
  bytesTotal: s.bytes,
  attempt: z.int().min(1),
});
export type ObservedPull = z.infer<typeof observedPull>;

/** What the image's own health check says; images without one have none. */
export const health = z.enum(['starting', 'healthy', 'unhealthy']);
export type Health = z.infer<typeof health>;

/** One wanted or labelled container as the agent sees it. `gone`: it was started once and its container is no more. */
export const observedSession = z.object({
  sessionId: s.id,
  status: z.enum(['pulling', 'starting', 'running', 'paused', 'exited', 'failed', 'gone']),
  containerId: z.string().max(128).nullable(),
  exitCode: z.int().nullable(),
  oomKilled: z.boolean(),
  endpoints: z.array(s.endpoint).max(64),
  failure: z.object({ code: z.string().max(64), detail: s.shortText }).nullable(),
  /**
   * Of the image that the container was made from, until the document says that it was seen started. Older agents do not
   * tell; images that never were in a registry have none.
   */
  imageDigest: s.imageDigest.optional(),
  /** Both only measure: they are shown and decide nothing. */
  pull: observedPull.optional(),
  health: health.nullable().optional(),
});
export type ObservedSession = z.infer<typeof observedSession>;

/** Is the container engine there, and if not, how to mend it. */
export const engineStatus = z.discriminatedUnion('status', [
  z.object({ status: z.literal('up'), version: z.string().max(64) }),
  z.object({ status: z.literal('down'), detail: s.shortText, mend: s.shortText }),
]);

/** An agent of an earlier release does not tell why a device is not healthy; neither does what is stored of it. */
const hardware = s.hardware.extend({
  gpus: z.array(s.gpuDevice.extend({ healthReason: s.shortText.nullable().default(null) })).max(256),
});

/** A part of a GPU in MIG mode: shown, and not given to sessions. */
const migInstance = z.object({
  uuid: z.string().max(96).nullable(),
  profile: z.string().max(64).nullable(),
  gpuInstance: s.count.nullable(),
  computeInstance: s.count.nullable(),
  memoryBytes: s.bytes.nullable(),
});

/**
 * What moves on a GPU; null: not told. Uncorrected memory errors are counted since the driver was loaded and in the device's
 * life; pages and rows are memory taken out of use. `newestXid` is the last error that the driver reported of it. The defaults
 * are for what agents of earlier releases said.
 */
const gpuUse = z.object({
  uuid: z.string().max(96),
  utilizationPercent: z.number().min(0).max(100).nullable(),
  memoryUsedBytes: s.bytes.nullable(),
  temperatureCelsius: z.number().nullable(),
  powerWatts: z.number().nullable(),
  volatileUncorrected: s.count.nullable().default(null),
  aggregateUncorrected: s.count.nullable().default(null),
  retiredPages: s.count.nullable().default(null),
  remappedRows: s.count.nullable().default(null),
  retirementPending: z.boolean().nullable().default(null),
  newestXid: z.object({ code: s.count, at: s.time }).nullable().default(null),
  migInstances: z.array(migInstance).max(64).default([]),
});

export type GpuUse = z.infer<typeof gpuUse>;

/** What a session's processes hold of a GPU's memory. */
const gpuShare = z.object({ uuid: z.string().max(96), memoryUsedBytes: s.bytes.nullable() });

/** Averages since the previous check-in over the host's own network devices, without loopback and the bridges of containers. */
export const networkUse = z.object({ receivedBytesPerSecond: s.bytes, sentBytesPerSecond: s.bytes });

/**
 * What is measured, never decided on: busy cores averaged since the previous check-in, memory used = total - available,
 * the file system of the engine's data root. Sessions: their own CPU and memory, and their memory on GPUs. Older agents
 * do not tell the network.
 */
export const usage = z.object({
  cpuMillicores: s.millicores,
  memoryBytes: s.bytes,
  disk: z.object({ usedBytes: s.bytes, totalBytes: s.bytes }).nullable(),
  network: networkUse.nullable().optional(),
  gpus: z.array(gpuUse).max(256),
  sessions: z.array(
    z.object({
      sessionId: s.id,
      millicores: s.millicores,
      memoryBytes: s.bytes,
      gpus: z.array(gpuShare).max(256).default([]),
    }),
  ),
});
export type Usage = z.infer<typeof usage>;

/** An image on the host, whoever brought it there. Layers that images share count in the size of each. */
export const hostImage = z.object({
  imageId: z.string().max(128),
  references: z.array(z.string().max(255)).max(16),
  sizeBytes: s.bytes,
});
export type HostImage = z.infer<typeof hostImage>;

/**
 * `images`: newest first; absent while they are not known. `prunes`: what was removed of them and is not known to be in the log,
 * in the order of its numbers, the first of it where it is much; absent when there is none. `truncated`: there was more to tell than a check-in may hold,
 * and measurements, images or details were left out or shortened; what sessions do is told in whole all the same.
 */
export const checkIn = z.object({
  schemaVersion: z.literal(1),
  agentId: s.id,
  bootId: s.id,
  seq: z.int().min(1),
  logId: s.id.nullable(),
  appliedVersion: s.version,
  observedAt: s.time,
  agentVersion: z.string().max(64),
  hostname: z.string().max(255),
  simulated: z.boolean(),
  hardware,
  usage,
  engine: engineStatus,
  sessions: z.array(observedSession).max(4096),
  orphans: z.array(z.object({ sessionId: s.id, logId: s.id })).max(256),
  unmanagedContainers: s.count,
  images: z.array(hostImage).max(512).optional(),
  prunes: pruneRecords.optional(),
  truncated: z.literal(true).optional(),
});
export type CheckIn = z.infer<typeof checkIn>;
