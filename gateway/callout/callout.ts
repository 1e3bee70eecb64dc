import type { Msg } from 'nats';
import * as z from 'zod';
import type { Bus } from '../../infra/bus/connect.ts';
import type { Clock } from '../../infra/clock.ts';
import { readToken, signedToken } from '../../infra/nkeys/jwt.ts';
import { isPublicKey, type Signer } from '../../infra/nkeys/nkey.ts';
import type { Admission, Refusal } from './admission.ts';
import { connectionName, permissionsOf, type Entry } from './entry.ts';

/** Where nats-server asks who may enter; any gateway answers. */
const SUBJECT = '$SYS.REQ.USER.AUTH';
const QUEUE = 'muster-gateways';
/** The account of whoever is let in. */
export const ACCOUNT = 'APP';
/** An entry ends by itself after a day at most. Not all at once, since all of a fleet entered at once after a restart. */
const LONGEST_SECONDS = 24 * 3600;
const SHORTEST_SECONDS = 20 * 3600;
const ANSWER_SECONDS = 60;
/** Most entries that wait for the log at a time; then the bus tells the next to try again. */
const MOST_AT_ONCE = 1000;
const MOST_SUBSCRIPTIONS = 64;
/** Most bytes of one message: a check-in of a host with everything is smaller. */
const MOST_BYTES = 1024 * 1024;

const asked = z.object({
  aud: z.literal('nats-authorization-request'),
  iss: z.string(),
  nats: z.object({
    server_id: z.object({ id: z.string() }),
    user_nkey: z.string().refine((text) => isPublicKey(text, 'user')),
    client_info: z.object({ host: z.string().default('') }),
    connect_opts: z.object({
      user: z.string().default(''),
      pass: z.string().default(''),
      name: z.string().default(''),
    }),
  }),
});
type Asked = z.infer<typeof asked>;

/** How asking ended, for whoever counts it. */
export type CalloutOutcome = 'agent' | 'pending' | 'key' | Refusal | 'REQUEST_MALFORMED';

export interface CalloutPorts {
  readonly signer: Signer;
  readonly admission: Pick<Admission, 'admit'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly count: (outcome: CalloutOutcome, seconds: number) => void;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/**
 * Answers nats-server when somebody wants to enter. Ends with the signal; who is in stays in. Of several gateways one is
 * asked.
 */
export function answerCallouts(
  ports: CalloutPorts & { /** In account AUTH. */ readonly bus: Bus },
  signal: AbortSignal,
): void {
  const { bus, count, onTrouble } = ports;
  const judgement = calloutJudge(ports);
  const subscription = bus.connection.subscribe(SUBJECT, {
    queue: QUEUE,
    callback(error, message) {
      if (error === null) void answer(message);
      else onTrouble('this gateway cannot say who may enter the bus', error);
    },
  });
  signal.addEventListener('abort', () => bus.connection.isClosed() || subscription.unsubscribe(), { once: true });

  async function answer(message: Msg): Promise<void> {
    const begun = performance.now();
    const { outcome, token } = await judgement(message.data);
    if (token !== null && !bus.connection.isClosed()) message.respond(Buffer.from(token));
    count(outcome, (performance.now() - begun) / 1000);
  }
}

/** What is answered to a question of the server; `token` null: nothing, so that whoever it was waits until the server gives up. */
export interface Judgement {
  readonly outcome: CalloutOutcome;
  readonly token: string | null;
}

/**
 * Judges the server's questions: with a token that says what somebody may, or that he may not enter. The questions are signed by the
 * server, the answers with the key that its configuration names. Never rejects.
 */
export function calloutJudge(ports: Omit<CalloutPorts, 'count'>): (question: Uint8Array) => Promise<Judgement> {
  let waiting = 0;

  async function judge({ nats }: Asked): Promise<Entry | Refusal> {
    if (waiting >= MOST_AT_ONCE) return 'UNAVAILABLE';
    waiting += 1;
    try {
      const { user, pass: password, name } = nats.connect_opts;
      return await ports.admission.admit({ user, password, name, host: nats.client_info.host });
    } catch (error) {
      ports.onTrouble('somebody could not be let in, and will try again', error);
      return 'UNAVAILABLE';
    } finally {
      waiting -= 1;
    }
  }

  return async (question) => {
    const request = readRequest(question);
    if (request === null) return { outcome: 'REQUEST_MALFORMED', token: null };
    const entry = await judge(request);
    const token = entry === 'TOO_MANY_TRIES' ? null : answerTo(request, entry, ports);
    return { outcome: outcomeOf(entry), token };
  };
}

/** Null for what no server has signed, or signed for something else. */
function readRequest(data: Uint8Array): Asked | null {
  const parsed = asked.safeParse(readToken(Buffer.from(data).toString('utf8'), 'server'));
  return parsed.success && parsed.data.iss === parsed.data.nats.server_id.id ? parsed.data : null;
}

function outcomeOf(outcome: Entry | Refusal): CalloutOutcome {
  if (typeof outcome === 'string') return outcome;
  return outcome.kind === 'agent' && outcome.standing === 'pending' ? 'pending' : outcome.kind;
}

function answerTo(
  { nats }: Asked,
  outcome: Entry | Refusal,
  { signer, clock, random }: Pick<CalloutPorts, 'signer' | 'clock' | 'random'>,
): string {
  const { server_id: server, user_nkey: sub } = nats;
  const nowMs = clock.now();
  const iat = Math.floor(nowMs / 1000);
  const said =
    typeof outcome === 'string'
      ? { error: outcome }
      : { jwt: entryToken({ entry: outcome, sub, nowMs, signer, random }) };
  const answer = { type: 'authorization_response', version: 2, ...said };
  return signedToken(signer, { aud: server.id, sub, iat, exp: iat + ANSWER_SECONDS, nats: answer });
}

function entryToken(given: {
  readonly entry: Entry;
  readonly sub: string;
  readonly nowMs: number;
  readonly signer: Signer;
  readonly random: () => number;
}): string {
  const { entry, sub, nowMs, signer, random } = given;
  const { publish, subscribe } = permissionsOf(entry);
  const iat = Math.floor(nowMs / 1000);
  const longest = iat + Math.round(SHORTEST_SECONDS + random() * (LONGEST_SECONDS - SHORTEST_SECONDS));
  const expiresAt = entry.kind === 'key' ? entry.expiresAt : null;
  const exp = expiresAt === null ? longest : Math.max(iat + 1, Math.min(longest, Math.ceil(expiresAt / 1000)));
  return signedToken(signer, {
    aud: ACCOUNT,
    sub,
    name: connectionName(entry),
    iat,
    exp,
    nats: {
      type: 'user',
      version: 2,
      pub: onlyTo(publish),
      sub: onlyTo(subscribe),
      subs: MOST_SUBSCRIPTIONS,
      data: -1,
      payload: MOST_BYTES,
      allowed_connection_types: ['STANDARD'],
    },
  });
}

/** An empty list of what is allowed would allow everything. */
function onlyTo(
  subjects: readonly string[],
): { readonly allow: readonly string[] } | { readonly deny: readonly string[] } {
  return subjects.length === 0 ? { deny: ['>'] } : { allow: subjects };
}
