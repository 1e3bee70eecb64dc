import { setTimeout as pause } from 'node:timers/promises';
import { ErrorCode, Events, NatsError, connect, type ConnectionOptions, type NatsConnection } from 'nats';
import { isCertificateError } from '../tls/certificate.ts';
import { whyUntrusted } from '../tls/untrusted.ts';
import { BusError, BusErrorCode } from './errors.ts';
import { clientTls, type BusTls } from './tls.ts';

/** One connection to the bus that comes back by itself, and what is known of its state. */
export interface Bus {
  readonly connection: NatsConnection;
  /** False from the moment a loss is noticed. What is published then is dropped by the client, so callers ask first. */
  isConnected(): boolean;
  /** Calls back at every loss and every return; the result ends it. */
  onChange(listener: (connected: boolean) => void): () => void;
  close(): Promise<void>;
}

export interface BusOptions {
  /** One URL or several with commas between them. */
  readonly url: string;
  readonly user: string;
  /** A function is asked at every connection, reconnections included, so that what it gives may change. */
  readonly password: string | (() => string);
  readonly name: string;
  /** Under which answers come, when the bus lets this user listen nowhere else. */
  readonly inboxPrefix?: string;
  /** For a URL with `tls://`; without it the authorities of this machine are trusted. */
  readonly tls?: BusTls | undefined;
  /** Called with every try to come back that the bus refuses; the first connection rejects instead. */
  readonly onRefused?: () => void;
  /** Called with every message that the bus did not take, since this user may not send there. */
  readonly onForbidden?: (subject: string) => void;
  /** Called with every try for the first connection that nobody answers. */
  readonly onUnanswered?: () => void;
  /** Ends the wait for the first connection; the connection itself lives until it is closed. */
  readonly signal?: AbortSignal;
}

const RETRY_MS = 200;
/** Longer than the bus waits for a gateway to let somebody in (`timeout` in nats.conf): its no is heard, not only its silence. */
const ANSWER_MS = 8000;
const MEND = '. MUSTER_NATS_CA names the file with its authority, MUSTER_NATS_TLS_NAME the name in it';

/**
 * Connects, trying again until `signal` aborts while nobody listens there. Throws BusError BUS_UNREACHABLE then, and at once
 * BUS_REFUSED when the bus does not accept the credentials, BUS_WITHOUT_TLS when it does not speak the TLS that the URL asks
 * for and BUS_UNTRUSTED when its certificate is not trusted; CertificateError when a file of ours cannot be used. Afterwards it reconnects for ever by itself.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  let lastError: unknown;
  while (options.signal?.aborted !== true) {
    try {
      return watch(await dial(options), options);
    } catch (error) {
      if (lacksTls(error)) {
        const message = `the bus at ${options.url} does not speak TLS: nothing was sent; mend the server or use nats://`;
        throw new BusError(BusErrorCode.WithoutTls, message, { cause: error });
      }
      if (isCertificateError(error)) throw error;
      const untrusted = whyUntrusted(error);
      if (untrusted !== null) {
        const message = `the certificate of the bus at ${options.url} is not trusted: ${untrusted}; nothing was sent${MEND}`;
        throw new BusError(BusErrorCode.Untrusted, message, { cause: error });
      }
      if (isRefusal(error)) {
        const message = `the bus at ${options.url} refused the user "${options.user}": check the password, and with agents and keys that a gateway runs`;
        throw new BusError(BusErrorCode.Refused, message, { cause: error });
      }
      lastError = error;
      options.onUnanswered?.();
    }
    await pauseUnlessAborted(RETRY_MS, options.signal);
  }
  throw new BusError(BusErrorCode.Unreachable, `no bus answers at ${options.url}`, { cause: lastError });
}

/** Resolves after `ms`, or at once when `signal` aborts; never throws. */
export async function pauseUnlessAborted(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

async function dial(options: BusOptions): Promise<NatsConnection> {
  // The client takes the scheme for a hint; a password must never go where TLS was asked for and is not spoken.
  const tls = options.url.includes('tls://') ? await clientTls(options.url, options.tls ?? {}) : undefined;
  return await connect({
    servers: options.url.split(',').map((url) => url.trim()),
    ...credentialsOf(options),
    name: options.name,
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    // The client's defaults give up for good after ten tries or two refusals; a bus that restarts takes longer.
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    timeout: ANSWER_MS,
    pingInterval: 20_000,
    maxPingOut: 2,
    // A trace for every request costs more than the request; our errors name the subject.
    noAsyncTraces: true,
    ...(tls === undefined ? {} : { tls }),
  });
}

function credentialsOf({ user, password }: BusOptions): Pick<ConnectionOptions, 'user' | 'pass' | 'authenticator'> {
  if (typeof password === 'string') return { user, pass: password };
  return { authenticator: () => ({ user, pass: password() }) };
}

function lacksTls(error: unknown): boolean {
  return error instanceof NatsError && error.code === ErrorCode.ServerOptionNotAvailable && error.message === 'tls';
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof NatsError &&
    (error.code === ErrorCode.AuthorizationViolation || error.code === ErrorCode.AuthenticationExpired)
  );
}

type Objections = Pick<BusOptions, 'onRefused' | 'onForbidden'>;

function watch(connection: NatsConnection, { onRefused, onForbidden }: Objections): Bus {
  const listeners = new Set<(connected: boolean) => void>();
  let connected = true;

  function change(now: boolean): void {
    connected = now;
    for (const listener of listeners) listener(now);
  }

  async function followStatus(): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === Events.Disconnect) change(false);
      if (status.type === Events.Reconnect) change(true);
      if (status.type === Events.Error && status.data === ErrorCode.AuthorizationViolation) onRefused?.();
      const { operation, subject = '' } = status.permissionContext ?? {};
      if (operation === 'publish') onForbidden?.(subject);
    }
  }

  void followStatus();
  // Closing for good is no status of the client's.
  void connection.closed().then(() => change(false));
  return {
    connection,
    isConnected: () => connected && !connection.isClosed(),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await connection.close();
    },
  };
}
