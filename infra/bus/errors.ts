/** What went wrong with the bus, as data: callers ask the predicates. */
export const BusErrorCode = {
  Unreachable: 'BUS_UNREACHABLE',
  Refused: 'BUS_REFUSED',
  WithoutTls: 'BUS_WITHOUT_TLS',
  Untrusted: 'BUS_UNTRUSTED',
  Disconnected: 'BUS_DISCONNECTED',
  NoAnswer: 'BUS_NO_ANSWER',
  JetStreamAway: 'JETSTREAM_AWAY',
  JetStreamRefused: 'JETSTREAM_REFUSED',
  StreamDiffers: 'STREAM_DIFFERS',
  Contended: 'BUS_CONTENDED',
  Malformed: 'BUS_MALFORMED',
} as const;
export type BusErrorCode = (typeof BusErrorCode)[keyof typeof BusErrorCode];

export class BusError extends Error {
  override readonly name = 'BusError';
  readonly code: BusErrorCode;
  /** JetStream's own error number, when the server gave one. */
  readonly serverCode: number | null;

  constructor(
    code: BusErrorCode,
    message: string,
    options: { readonly serverCode?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.serverCode = options.serverCode ?? null;
  }
}

/** JetStream's error numbers that are acted on. */
export const ServerCode = {
  insufficientResources: 10_023,
  noMessageFound: 10_037,
  jetStreamOffForAccount: 10_039,
  insufficientStorage: 10_047,
  streamNameInUse: 10_058,
  streamNotFound: 10_059,
  otherStream: 10_060,
  wrongLastSequence: 10_071,
  jetStreamOff: 10_076,
  storeFailed: 10_077,
  streamSealed: 10_109,
  wrongLastSequenceInFlight: 10_164,
} as const;

export function isBusUnreachable(error: unknown): boolean {
  return error instanceof BusError && error.code === BusErrorCode.Unreachable;
}

/** The bus answered, and does not accept these credentials. */
export function isBusRefused(error: unknown): boolean {
  return error instanceof BusError && error.code === BusErrorCode.Refused;
}

/** The address asks for TLS and the bus does not speak it; nothing was sent there. */
export function isBusWithoutTls(error: unknown): boolean {
  return error instanceof BusError && error.code === BusErrorCode.WithoutTls;
}

/** The bus has a certificate that is not trusted here; nothing was sent there. */
export function isBusUntrusted(error: unknown): boolean {
  return error instanceof BusError && error.code === BusErrorCode.Untrusted;
}

/** Nobody on the bus answered for a stream; nothing was written. */
export function isJetStreamAway(error: unknown): boolean {
  return error instanceof BusError && error.code === BusErrorCode.JetStreamAway;
}

/** The bus or its leader is away for the moment: what was asked may work later. */
export function isBusAway(error: unknown): boolean {
  return error instanceof BusError && AWAY.has(error.code);
}

const AWAY: ReadonlySet<BusErrorCode> = new Set([
  BusErrorCode.Disconnected,
  BusErrorCode.NoAnswer,
  BusErrorCode.JetStreamAway,
]);

export function isStreamDifferent(error: unknown): boolean {
  return error instanceof BusError && error.code === BusErrorCode.StreamDiffers;
}

export function hasServerCode(error: unknown, ...codes: readonly number[]): boolean {
  return error instanceof BusError && error.serverCode !== null && codes.includes(error.serverCode);
}
