import { setTimeout as pause } from 'node:timers/promises';
import { ErrorCode, Events, NatsError, connect, type NatsConnection } from 'nats';
import { BusError, BusErrorCode } from './errors.ts';

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
  readonly password: string;
  readonly name: string;
  /** Ends the wait for the first connection; the connection itself lives until it is closed. */
  readonly signal?: AbortSignal;
}

const RETRY_MS = 200;

/**
 * Connects, trying again until `signal` aborts while nobody listens there. Throws BusError BUS_UNREACHABLE then, and at once
 * BUS_REFUSED when the bus does not accept the credentials and BUS_WITHOUT_TLS when it does not speak the TLS that the URL asks
 * for. Afterwards it reconnects for ever by itself.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  let lastError: unknown;
  while (options.signal?.aborted !== true) {
    try {
      return watch(await dial(options));
    } catch (error) {
      if (lacksTls(error)) {
        const message = `the bus at ${options.url} does not speak TLS: nothing was sent; mend the server or use nats://`;
        throw new BusError(BusErrorCode.WithoutTls, message, { cause: error });
      }
      if (isRefusal(error)) {
        const message = `the bus at ${options.url} refused the user "${options.user}": check the password`;
        throw new BusError(BusErrorCode.Refused, message, { cause: error });
      }
      lastError = error;
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
  return await connect({
    servers: options.url.split(',').map((url) => url.trim()),
    user: options.user,
    pass: options.password,
    name: options.name,
    // The client's defaults give up for good after ten tries or two refusals; a bus that restarts takes longer.
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    timeout: 5000,
    pingInterval: 20_000,
    maxPingOut: 2,
    // A trace for every request costs more than the request; our errors name the subject.
    noAsyncTraces: true,
    // The client takes the scheme for a hint; a password must never go where TLS was asked for and is not spoken.
    ...(options.url.includes('tls://') ? { tls: {} } : {}),
  });
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

function watch(connection: NatsConnection): Bus {
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
