export const StartFailure = {
  alreadyRunning: 'ALREADY_RUNNING',
  dataNotWritable: 'DATA_NOT_WRITABLE',
  diskFull: 'DISK_FULL',
  portInUse: 'PORT_IN_USE',
  portNotAllowed: 'PORT_NOT_ALLOWED',
  certificateUnusable: 'CERTIFICATE_UNUSABLE',
  busFailed: 'BUS_FAILED',
  busNotReachable: 'BUS_NOT_REACHABLE',
  dashboardFailed: 'DASHBOARD_FAILED',
  partFailed: 'PART_FAILED',
  partRefused: 'PART_REFUSED',
  interrupted: 'INTERRUPTED',
} as const;
export type StartFailure = (typeof StartFailure)[keyof typeof StartFailure];

/** Something that keeps Muster from starting. The message says what to do. */
export class StartError extends Error {
  readonly code: StartFailure;
  constructor(code: StartFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'StartError';
    this.code = code;
  }
}

export function isStartError(error: unknown, code?: StartFailure): error is StartError {
  return error instanceof StartError && (code === undefined || error.code === code);
}

/** True when a system call failed with one of these codes (`ENOENT`, ...). */
export function hasErrno(error: unknown, ...codes: readonly string[]): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
