import { ErrorCode, Match, NatsError, headers, type ServiceMsg } from 'nats';
import type { Bus } from './connect.ts';

/** A request as it came. What is answered goes to `reply`, whoever that is: to be looked at first. */
export interface ServedRequest {
  readonly subject: string;
  /** Empty when no answer is asked for. */
  readonly reply: string;
  readonly data: Uint8Array;
  /** What was said under a name, in any case of letters; several with commas between them. */
  header(name: string): string | undefined;
  /** Whether it was sent: not when the bus is away, and not when it is longer than a message may be. */
  respond(text: string, told: Readonly<Record<string, string>>): 'sent' | 'away' | 'too-long';
}

export interface ServiceOptions {
  readonly name: string;
  /** As semver has it. */
  readonly version: string;
  readonly description: string;
  /** Of those who serve in one group, one is given each request. */
  readonly group: string;
  readonly endpoints: readonly {
    readonly name: string;
    readonly subject: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly take: (request: ServedRequest) => Promise<void>;
  readonly onTrouble: (sentence: string, cause?: unknown) => void;
}

/**
 * Serves requests as a NATS micro service, so that `nats micro ls` and `info` tell of it, until the result is called: then
 * nothing new is taken. It resolves when everything that had arrived was given to `take`.
 */
export async function serveRequests(bus: Bus, options: ServiceOptions): Promise<() => Promise<void>> {
  const { name, version, description, group, endpoints, take, onTrouble } = options;
  const service = await bus.connection.services.add({ name, version, description, queue: group });
  let stopping = false;

  /** The library would answer an error that is thrown here to whatever reply subject there is. */
  async function taken(message: ServiceMsg): Promise<void> {
    try {
      await take(served(bus, message));
    } catch (error) {
      onTrouble(`a request on ${message.subject} was not answered`, error);
    }
  }

  for (const endpoint of endpoints) {
    service.addEndpoint(endpoint.name, {
      subject: endpoint.subject,
      metadata: { ...endpoint.metadata },
      handler: (_, message) => void taken(message),
    });
  }
  void service.stopped.then((error) => {
    if (!stopping) onTrouble('requests on the bus are no longer served by this gateway; start it again', error);
  });
  return async () => {
    stopping = true;
    await service.stop();
  };
}

function served(bus: Bus, message: ServiceMsg): ServedRequest {
  const { subject, reply = '', data } = message;
  return {
    subject,
    reply,
    data,
    header(name) {
      const said = message.headers?.values(name, Match.IgnoreCase) ?? [];
      return said.length === 0 ? undefined : said.join(', ');
    },
    respond(text, told) {
      if (!bus.isConnected()) return 'away';
      const all = headers();
      for (const [name, value] of Object.entries(told)) all.set(name, value);
      try {
        message.respond(Buffer.from(text), { headers: all });
        return 'sent';
      } catch (error) {
        if (error instanceof NatsError && error.code === ErrorCode.MaxPayloadExceeded) return 'too-long';
        throw error;
      }
    },
  };
}
