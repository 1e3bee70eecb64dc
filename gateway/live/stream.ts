import type { ServerResponse } from 'node:http';

/** One client of a live stream, as server-sent events. It never buffers more than the socket's own high-water mark. */
export interface LiveStream {
  /** False when the client is slower than what is sent: ask `whenDrained` before the next. */
  send(event: string, data: string, id: string): boolean;
  heartbeat(): void;
  readonly isSlow: boolean;
  /** Resolves when there is room again, or the stream has ended. */
  whenDrained(): Promise<void>;
  /** Aborts when the client has gone or the stream was ended. */
  readonly ended: AbortSignal;
  end(): void;
}

export type CarriedHeaders = Readonly<Record<string, string | number | string[] | undefined>>;

/** Takes over a response. `headers` are those that every answer carries. */
export function openStream(response: ServerResponse, headers: CarriedHeaders): LiveStream {
  const gone = new AbortController();
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // A proxy in between must not collect what should arrive at once.
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
  response.once('close', () => gone.abort());
  // The client's end of the connection may break at any time; `close` follows and says all there is to know.
  response.on('error', () => gone.abort());
  return {
    send(event, data, id) {
      if (gone.signal.aborted) return false;
      return response.write(`id: ${id}\nevent: ${event}\ndata: ${data}\n\n`);
    },
    heartbeat() {
      if (!gone.signal.aborted && !response.writableNeedDrain) response.write(': still here\n\n');
    },
    get isSlow() {
      return response.writableNeedDrain;
    },
    async whenDrained() {
      if (!response.writableNeedDrain || gone.signal.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      response.once('drain', resolve);
      gone.signal.addEventListener('abort', () => resolve(), { once: true });
      await promise;
      response.off('drain', resolve);
    },
    ended: gone.signal,
    end() {
      gone.abort();
      response.end();
    },
  };
}
