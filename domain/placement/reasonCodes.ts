/**
 * Every reason for which an agent does not take a session, in the order in which the rules run and are shown. Codes are
 * stable: scripts match on them. LINE_RESERVED is ours: the agent is kept for a session that waits further ahead.
 */
export const REASON_CODES = [
  'AGENT_PENDING',
  'AGENT_DISABLED',
  'AGENT_DRAINING',
  'AGENT_LATE',
  'AGENT_MISSING',
  'ENGINE_DOWN',
  'ZONE_MISMATCH',
  'AGENT_PINNED_ELSEWHERE',
  'LABEL_MISSING',
  'LABEL_EXCLUDED',
  'IMAGE_PULL_FAILED',
  'DISK_PROJECTED',
  'CORES_SHORT',
  'MEMORY_SHORT',
  'GPU_NONE',
  'GPU_NOT_USABLE',
  'GPU_TOTAL_INSUFFICIENT',
  'GPU_FREE_INSUFFICIENT',
  'GPU_CORDONED',
  'GPU_UNHEALTHY',
  'GPU_MODEL_MISMATCH',
  'GPU_MEMORY_SHORT',
  'GPU_ALL_NEEDS_EMPTY',
  'SESSION_CAP',
  'LINE_RESERVED',
  'LOWER_SCORE',
] as const;

export type ReasonCode = (typeof REASON_CODES)[number];
