import { RequestStrategy, type Msg } from 'nats';
import * as z from 'zod';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';

/** Who is connected, as the servers tell whoever may enter the system account, and how a connection is closed from there. */
export interface ServedConnection {
  readonly serverId: string;
  /** Of that server. */
  readonly cid: number;
  /** What it was let in as. */
  readonly name: string;
}

const PAGE = 1024;
/** Servers of a cluster answer one after another; this long after the last one no further is expected. */
const JITTER_MS = 100;
const LONGEST_MS = 2000;

const page = z.object({
  server: z.object({ id: z.string() }),
  data: z.object({
    connections: z.array(z.object({ cid: z.int(), authorized_user: z.string().default('') })),
  }),
});
type Page = z.infer<typeof page>;

/** The connections in an account, on every server that answers. `bus` is in the system account. Throws BusError. */
export async function connectionsIn(bus: Bus, account: string): Promise<readonly ServedConnection[]> {
  const firsts = await all(bus, '$SYS.REQ.SERVER.PING.CONNZ', { acc: account, auth: true, limit: PAGE });
  const found: ServedConnection[] = [];
  for (const first of firsts) {
    found.push(...served(first));
    let last = first;
    for (let offset = PAGE; last.data.connections.length === PAGE; offset += PAGE) {
      const subject = `$SYS.REQ.SERVER.${first.server.id}.CONNZ`;
      last = pageIn(await one(bus, subject, { acc: account, auth: true, limit: PAGE, offset }));
      found.push(...served(last));
    }
  }
  return found;
}

/** Closes it; whoever it was may try to come in again. A connection that is gone by then is fine. Throws BusError. */
export async function closeConnection(bus: Bus, { serverId, cid }: ServedConnection): Promise<void> {
  await one(bus, `$SYS.REQ.SERVER.${serverId}.KICK`, { cid });
}

function served({ server, data }: Page): ServedConnection[] {
  return data.connections.map(({ cid, authorized_user: name }) => ({ serverId: server.id, cid, name }));
}

async function all(bus: Bus, subject: string, body: object): Promise<readonly Page[]> {
  requireConnected(bus);
  const options = { strategy: RequestStrategy.JitterTimer, maxWait: LONGEST_MS, jitter: JITTER_MS } as const;
  const pages: Page[] = [];
  try {
    for await (const message of await bus.connection.requestMany(subject, bytesOf(body), options)) {
      pages.push(pageIn(message));
    }
  } catch (error) {
    throw asBusError(error, subject);
  }
  if (pages.length === 0) throw new BusError(BusErrorCode.NoAnswer, `no server answered ${subject}`);
  return pages;
}

async function one(bus: Bus, subject: string, body: object): Promise<Msg> {
  requireConnected(bus);
  try {
    return await bus.connection.request(subject, bytesOf(body), { timeout: LONGEST_MS });
  } catch (error) {
    throw asBusError(error, subject);
  }
}

function requireConnected(bus: Bus): void {
  if (!bus.isConnected()) throw new BusError(BusErrorCode.Disconnected, 'the bus is away');
}

function asBusError(error: unknown, subject: string): BusError {
  if (error instanceof BusError) return error;
  return new BusError(BusErrorCode.NoAnswer, `no server answered ${subject}`, { cause: error });
}

function pageIn(message: Msg): Page {
  const parsed = page.safeParse(JSON.parse(message.string()));
  if (parsed.success) return parsed.data;
  throw new BusError(BusErrorCode.Malformed, 'a server told of its connections in a way that is not understood');
}

function bytesOf(body: object): Uint8Array {
  return Buffer.from(JSON.stringify(body));
}
