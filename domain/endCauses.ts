/** Why a session ended, each with the sentence shown to people. The codes are stable. */
export const END_CAUSES = {
  USER: 'its user stopped it',
  OPERATOR: 'an operator stopped it',
  EXPIRED: 'its time ran out',
  DRAIN_DEADLINE: 'its agent was drained and the deadline passed',
  START_FAILED: 'its container could not be started',
  START_TIMEOUT: 'its container did not start in time',
  EXITED: 'its container exited by itself',
  OOM_KILLED: 'the kernel killed it for want of memory',
  CONTAINER_GONE: 'its container was removed from outside',
  AGENT_LOST: 'its agent was declared lost',
  ORPHAN_REMOVED: 'it was an orphan and was removed',
  WAIT_TIMEOUT: 'it waited for a place as long as it was asked to',
} as const;

export type EndCause = keyof typeof END_CAUSES;
