import { hash, randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/events.ts';
import type { Answer, Submission } from '../controller/machine.ts';
import { isControllerUnavailable } from '../controller/machine.ts';
import type { CommandResult } from './metrics.ts';
import type { Edge } from './edge.ts';
import { callerOfRoute } from './guard.ts';
import { HttpProblem, problemOf, unavailable } from './problem.ts';

export type Accepted = Extract<Answer, { kind: 'accepted' }>;

interface Taker<Command> {
  submit(submission: Submission<Command>): Promise<Answer>;
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

/**
 * Has a command decided and recorded; throws the problem when it is refused or cannot be told. While the bus is known to
 * be away nothing is even tried, so that the answer comes at once and is certain.
 */
export async function submit<Command extends { readonly type: string }>(
  edge: Edge,
  taker: Taker<Command>,
  {
    asked,
    command,
    reason,
    body,
  }: {
    readonly asked: Asked;
    readonly command: Command;
    readonly reason?: string | undefined;
    /** What the client sent, when the command was made from more than that. */
    readonly body?: unknown;
  },
  reply: FastifyReply,
): Promise<Accepted> {
  const away = edge.notReady();
  if (away !== null) throw unavailable(`${away}; nothing was done, try again`);
  const { actor, key } = asked;
  const submission = {
    // The caller is part of the key, so that nobody meets another's answers or uses up another's keys.
    key: hash('sha256', `${actor.kind}\n${actor.id}\n${key}`),
    recorded: true,
    actor,
    ...(reason === undefined ? {} : { reason }),
    correlationId: key,
    command,
    ...(body === undefined ? {} : { request: { type: command.type, body } }),
  };
  const answer = await timed(edge, command.type, taker.submit(submission));
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
    count(isControllerUnavailable(error) ? 'unavailable' : 'failed');
    throw error;
  }
}
