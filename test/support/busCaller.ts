import { connect, headers, type Msg, type NatsConnection } from 'nats';
import type { ExecutionContext } from 'ava';
import { commandSubject, inboxPrefix, querySubject } from '../../infra/names.ts';
import type { Rest } from './gateway.ts';
import { APP_PASSWORD } from './nats.ts';

/** What came back: `status` and `code` of a problem, 200 and null otherwise. */
export interface BusAnswer {
  readonly status: number;
  readonly code: string | null;
  readonly body: unknown;
  header(name: string): string | undefined;
}

/** A program on the bus, with an access key of its own. */
export interface BusCaller {
  readonly keyId: string;
  readonly connection: NatsConnection;
  command(target: string, name: string, fields?: object, said?: Readonly<Record<string, string>>): Promise<BusAnswer>;
  query(name: string, fields?: object): Promise<BusAnswer>;
  /** Whatever is on the subject and in the body. */
  ask(
    subject: string,
    body: string | Uint8Array,
    said?: Readonly<Record<string, string>>,
    timeoutMs?: number,
  ): Promise<BusAnswer>;
}

const PATIENCE_MS = 15_000;

/** `secret` is what the bus is shown; on REST it stands behind the id, `mk_<key id>_<secret>`. */
export interface IssuedKey {
  readonly keyId: string;
  readonly secret: string;
}

export async function issueKey(rest: Rest, role: string, expiresAt: string | null = null): Promise<IssuedKey> {
  const body = { name: `a ${role} program`, role, expiresAt };
  const answer = await rest.request('POST', '/keys', { body });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  const { key, secret } = answer.body as { readonly key: { readonly keyId: string }; readonly secret: string };
  return { keyId: key.keyId, secret: secret.slice(`mk_${key.keyId}_`.length) };
}

/** The one place where tests and measurements connect as a key. */
export async function connectAsKey(url: string, { keyId, secret }: IssuedKey): Promise<NatsConnection> {
  return await connect({ servers: url, user: keyId, pass: secret, inboxPrefix: inboxPrefix(keyId) });
}

/** Speaks as that key without being held to what a key may, and is not closed with it: what a gateway sees all the same. */
async function connectUnheld(url: string, keyId: string): Promise<NatsConnection> {
  return await connect({ servers: url, user: 'muster-app', pass: APP_PASSWORD, inboxPrefix: inboxPrefix(keyId) });
}

export async function unheldCaller(t: ExecutionContext, url: string, rest: Rest, role: string): Promise<BusCaller> {
  const { keyId } = await issueKey(rest, role);
  const connection = await connectUnheld(url, keyId);
  t.teardown(() => connection.close());
  return callerOn(connection, keyId);
}

/** A program that connects with a key of the role, until the test ends. */
export async function busCaller(t: ExecutionContext, url: string, rest: Rest, role: string): Promise<BusCaller> {
  const key = await issueKey(rest, role);
  const connection = await connectAsKey(url, key);
  t.teardown(() => connection.close());
  return callerOn(connection, key.keyId);
}

export function callerOn(connection: NatsConnection, keyId: string): BusCaller {
  const ask: BusCaller['ask'] = async (subject, body, said = {}, timeout = PATIENCE_MS) => {
    const all = headers();
    for (const [name, value] of Object.entries(said)) all.set(name, value);
    return answerIn(await connection.request(subject, body, { timeout, headers: all }));
  };
  return {
    keyId,
    connection,
    ask,
    command: (target, name, fields = {}, said = {}) =>
      ask(commandSubject(keyId, target, name), JSON.stringify(fields), said),
    query: (name, fields = {}) => ask(querySubject(keyId, name), JSON.stringify(fields)),
  };
}

function answerIn(message: Msg): BusAnswer {
  const header = (name: string) => {
    const value = message.headers?.get(name) ?? '';
    return value === '' ? undefined : value;
  };
  const code = header('Nats-Service-Error') ?? null;
  return { status: Number(header('Nats-Service-Error-Code') ?? 200), code, body: message.json<unknown>(), header };
}
