import { hash, randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/events.ts';
import { hashRequest } from '../controller/group.ts';
import type { Answer, Submission } from '../controller/machine.ts';
import { isControllerUnavailable } from '../controller/machine.ts';
import type { CommandResult } from './metrics.ts';
import type { Edge } from './edge.ts';
import { callerOfRoute } from './guard.ts';
import { HttpProblem, problemOf, unavailable } from './problem.ts';

export type Accepted = Extract<Answer, { kind: 'accepted' }>;

export interface Taker<Command> {
  submit(submission: Submission<Command>): Promise<Answer>;
}

/** What a log in this gateway remembers of the commands that were carried out. */
interface Recaller {
  earlier(key: string, requestHash: string): Answer | null;
}

export interface Asked {
  readonly actor: Actor;
  /** What the client gave, or a random one: a repetition of it gets the first answer. */
  readonly key: string;
}

const KEY_PATTERN = /^[\x21-\x7e]{1,128}$/;

/** Who asks, and under which idempotency key. */
export function askedBy(request: FastifyRequest): Asked {
  const { actor } = callerOfRoute(request);
  const given = request.headers['idempotency-key'];
  if (given === undefined) return { actor, key: randomUUID() };
  if (typeof given === 'string' && KEY_PATTERN.test(given)) return { actor, key: given };
  throw new HttpProblem(400, 'INVALID_REQUEST', 'Idempotency-Key must be 1 to 128 visible ASCII characters', {
    errors: [{ path: 'Idempotency-Key', message: 'must be 1 to 128 visible ASCII characters' }],
  });
}

/** `s-` and 12 characters of base 32, from the key and who asks: a repeated request names the same session. */
export function sessionIdFor({ actor, key }: Asked): string {
  const digest = hash('sha256', `session\n${actor.kind}\n${actor.id}\n${key}`, 'buffer');
  const characters = [...digest.subarray(0, 12)].map((byte) => BASE32.charAt(byte % 32));
  return `s-${characters.join('')}`;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

interface Ordered {
  readonly asked: Asked;
  readonly reason?: string | undefined;
}

/**
 * Has a command decided and recorded; throws the problem when it is refused or cannot be told. While the bus is known to
 * be away nothing is even tried, so that the answer comes at once and is certain.
 */
export async function submit<Command extends { readonly type: string }>(
  edge: Edge,
  taker: Taker<Command>,
  { asked, command, reason }: Ordered & { readonly command: Command },
  reply: FastifyReply,
): Promise<Accepted> {
  const submission = { ...signed({ asked, reason }), command };
  return await answered(edge, command.type, reply, () => taker.submit(submission));
}

/**
 * The same for a command that is made from more than the client sent, such as an image as it is now. A repeated key is
 * told by what was sent, and answered before anything is looked up: the image may be gone by then.
 */
export async function submitMade<Command extends { readonly type: string }>(
  edge: Edge,
  taker: Taker<Command> & Recaller,
  order: Ordered & { readonly type: Command['type']; readonly body: unknown; readonly make: () => Command },
  reply: FastifyReply,
): Promise<Accepted> {
  const { type, body, make } = order;
  const sent = { ...signed(order), request: { type, body } };
  return await answered(edge, type, reply, async () => {
    return taker.earlier(sent.key, hashRequest(sent)) ?? (await taker.submit({ ...sent, command: make() }));
  });
}

function signed({ asked: { actor, key }, reason }: Ordered) {
  return {
    // The caller is part of the key, so that nobody meets another's answers or uses up another's keys.
    key: hash('sha256', `${actor.kind}\n${actor.id}\n${key}`),
    recorded: true,
    actor,
    ...(reason === undefined ? {} : { reason }),
    correlationId: key,
  };
}

async function answered(edge: Edge, type: string, reply: FastifyReply, ask: () => Promise<Answer>): Promise<Accepted> {
  const away = edge.notReady();
  if (away !== null) throw unavailable(`${away}; nothing was done, try again`);
  const answer = await timed(edge, type, ask());
  if (answer.kind === 'rejected') throw problemOf(answer.rejection);
  if (answer.repeated) reply.header('idempotency-replayed', 'true');
  return answer;
}

async function timed({ metrics, clock }: Edge, command: string, answering: Promise<Answer>): Promise<Answer> {
  const start = clock.now();
  const count = (result: CommandResult) => metrics.countCommand(command, result, (clock.now() - start) / 1000);
  try {
    const answer = await answering;
    count(answer.kind === 'rejected' ? 'rejected' : answer.repeated ? 'repeated' : 'accepted');
    return answer;
  } catch (error) {
    count(isControllerUnavailable(error) ? 'unavailable' : error instanceof HttpProblem ? 'rejected' : 'failed');
    throw error;
  }
}
