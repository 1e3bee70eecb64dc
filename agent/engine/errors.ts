export const EngineErrorCode = {
  engineDown: 'ENGINE_DOWN',
  addressUnsupported: 'ADDRESS_UNSUPPORTED',
  engineUnsuitable: 'ENGINE_UNSUITABLE',
  imageNotFound: 'IMAGE_NOT_FOUND',
  imageNoAccess: 'IMAGE_NO_ACCESS',
  imageInUse: 'IMAGE_IN_USE',
  noSpace: 'NO_SPACE',
  network: 'NETWORK',
  gpuDeviceUnknown: 'GPU_DEVICE_UNKNOWN',
  noGpuDriver: 'NO_GPU_DRIVER',
  containerStartFailed: 'CONTAINER_START_FAILED',
  containerRunning: 'CONTAINER_RUNNING',
  containerGone: 'CONTAINER_GONE',
  timeout: 'TIMEOUT',
  refused: 'ENGINE_REFUSED',
} as const;
export type EngineErrorCode = (typeof EngineErrorCode)[keyof typeof EngineErrorCode];

/** The engine could not do it. The message says what to do; `cause` is what the engine said. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'EngineError';
    this.code = code;
  }
}

export function isEngineError(error: unknown, code?: EngineErrorCode): error is EngineError {
  return error instanceof EngineError && (code === undefined || error.code === code);
}

export function isEngineDown(error: unknown): error is EngineError {
  return isEngineError(error, EngineErrorCode.engineDown);
}

export function isEngineTimeout(error: unknown): error is EngineError {
  return isEngineError(error, EngineErrorCode.timeout);
}

export function isNetworkFailure(error: unknown): error is EngineError {
  return isEngineError(error, EngineErrorCode.network);
}

/** Another attempt without any change may succeed. */
export function isTransient(error: unknown): boolean {
  return isEngineDown(error) || isEngineTimeout(error) || isNetworkFailure(error);
}

/** What was being done, so that the same words of the engine lead to the right advice. */
export type EngineTask = 'call' | 'pull' | 'create' | 'start' | 'network';

/** System error codes that mean: nobody answers at the engine's address, or it went away in the middle. */
const GONE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'EACCES',
  'EPERM',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);
const GONE_WORDS = /socket hang up|^aborted$|premature close/i;

/**
 * What engines say in plain text, because their status code is 500 for all of it. The first match decides: "no space"
 * may come wrapped in any other failure.
 */
const SIGNS: readonly (readonly [RegExp, EngineErrorCode])[] = [
  [/no space left on device|disk quota exceeded/i, EngineErrorCode.noSpace],
  [/unresolvable CDI devices|unknown device|device not found.*nvidia/i, EngineErrorCode.gpuDeviceUnknown],
  [
    /could not select device driver|nvidia-container-cli|CDI .*(?:not enabled|not supported)/i,
    EngineErrorCode.noGpuDriver,
  ],
  [/denied|unauthorized|authentication required|no basic auth/i, EngineErrorCode.imageNoAccess],
  [
    /no such image|manifest unknown|manifest for .* not found|repository .* not found|name unknown|no matching manifest/i,
    EngineErrorCode.imageNotFound,
  ],
  [
    /dial tcp|no such host|i\/o timeout|TLS handshake|connection (?:refused|reset)|unexpected EOF|byte range request|toomanyrequests|\b50[234]\b/i,
    EngineErrorCode.network,
  ],
];

/** Turns whatever an engine call threw into an `EngineError`. `subject` is the image, container or network it was about. */
export function explainEngineFailure(error: unknown, task: EngineTask, subject: string): EngineError {
  if (error instanceof EngineError) return error;
  const said = error instanceof Error ? error.message.trim() : String(error);
  const code = isGone(error, said) ? EngineErrorCode.engineDown : codeOf(said, task);
  return new EngineError(code, sentence(code, subject, said), error);
}

function isGone(error: unknown, said: string): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && typeof error.code === 'string' && GONE.has(error.code)) || GONE_WORDS.test(said);
}

function codeOf(said: string, task: EngineTask): EngineErrorCode {
  const sign = SIGNS.find(([pattern]) => pattern.test(said))?.[1];
  switch (task) {
    case 'network':
      return EngineErrorCode.network;
    case 'start':
      // Words such as "permission denied" are about the session's own program here, not about a registry.
      return sign === EngineErrorCode.noSpace || isAboutGpu(sign) ? sign : EngineErrorCode.containerStartFailed;
    case 'create':
      return sign ?? EngineErrorCode.containerStartFailed;
    case 'pull':
    case 'call':
      return sign ?? EngineErrorCode.refused;
  }
}

function isAboutGpu(code: EngineErrorCode | undefined): code is EngineErrorCode {
  return code === EngineErrorCode.gpuDeviceUnknown || code === EngineErrorCode.noGpuDriver;
}

function sentence(code: EngineErrorCode, subject: string, said: string): string {
  switch (code) {
    case EngineErrorCode.engineDown:
      return `The container engine does not answer (${said}). Check that it runs and that the agent's user may open its socket.`;
    case EngineErrorCode.imageNotFound:
      return `The image ${subject} is not there. Check its name and tag. The engine said: ${said}`;
    case EngineErrorCode.imageNoAccess:
      return `The registry refuses ${subject}: it is private or does not exist. Check the name, and sign this host's engine in to the registry. The engine said: ${said}`;
    case EngineErrorCode.imageInUse:
      return `The container engine keeps the image ${subject}: ${said}`;
    case EngineErrorCode.noSpace:
      return `No space is left for ${subject} on the engine's disk. Prune images or enlarge the disk. The engine said: ${said}`;
    case EngineErrorCode.network:
      return `The network failed for ${subject}. Check this host's network, proxy and registry mirror. The engine said: ${said}`;
    case EngineErrorCode.gpuDeviceUnknown:
      return `The engine does not know a GPU that ${subject} needs. Make the CDI specification anew (nvidia-ctk cdi generate) and look at nvidia-smi. The engine said: ${said}`;
    case EngineErrorCode.noGpuDriver:
      return `The engine cannot give GPUs to ${subject}: install the NVIDIA container toolkit and restart the engine. The engine said: ${said}`;
    case EngineErrorCode.containerStartFailed:
      return `The container of ${subject} could not be started. The engine said: ${said}`;
    case EngineErrorCode.containerRunning:
      return `The container of ${subject} still runs: stop it first. The engine said: ${said}`;
    case EngineErrorCode.containerGone:
      return `The container of ${subject} is not there any more. The engine said: ${said}`;
    case EngineErrorCode.timeout:
      return `The container engine took too long for ${subject}. Look at its load and its log. ${said}`;
    case EngineErrorCode.addressUnsupported:
    case EngineErrorCode.engineUnsuitable:
    case EngineErrorCode.refused:
      return `The container engine refused ${subject}: ${said}`;
  }
}
