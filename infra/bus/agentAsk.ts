import { ErrorCode, NatsError } from 'nats';
import * as z from 'zod';
import { desiredDocument, type DesiredDocument } from '../../domain/desired.ts';
import { agentAskSubject, agentInbox, allAgentsAskSubject, askingAgent, type AgentQuestion } from '../names.ts';
import { busRequest } from './api.ts';
import type { Bus } from './connect.ts';
import { BusError, BusErrorCode } from './errors.ts';
import { parseJson } from './json.ts';

/**
 * What an agent asks and a gateway answers. An agent may not read streams: a stream's answer goes to whatever subject the asker
 * names, a gateway's only to the asker's own inbox.
 */
const QUEUE = 'muster-gateways';

const answer = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('answered'),
    /** Null: none was ever written, which is not the same as an empty one. */
    document: desiredDocument.nullable(),
    /** The gateway's time, ISO 8601. */
    now: z.iso.datetime(),
  }),
  z.object({ outcome: z.literal('unavailable') }),
]);
type Answer = z.infer<typeof answer>;

const definitionsAnswer = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('answered'), references: z.array(z.string()) }),
  z.object({ outcome: z.literal('unavailable') }),
]);
type DefinitionsAnswer = z.infer<typeof definitionsAnswer>;

/** The agent's document as it stands, and what time it is at the gateway, ISO 8601. Throws BusError. */
export async function askDesired(
  bus: Bus,
  agentId: string,
): Promise<{ readonly document: DesiredDocument | null; readonly now: string }> {
  const subject = agentAskSubject(agentId, 'desired');
  const reply = await busRequest(bus, subject, new Uint8Array());
  const parsed = answer.safeParse(parseJson(reply.data));
  if (!parsed.success) throw new BusError(BusErrorCode.Malformed, `${subject}: the answer is not understood`);
  if (parsed.data.outcome === 'unavailable') {
    throw new BusError(BusErrorCode.NoAnswer, `${subject}: the gateway cannot read the document now`);
  }
  const { document, now } = parsed.data;
  if (document === null || document.agentId === agentId) return { document, now };
  throw new BusError(BusErrorCode.Malformed, `${subject}: the answer is another agent's document`);
}

/** References of all image definitions, retired ones not. Throws BusError, also while the gateway cannot vouch for them. */
export async function askDefinitions(bus: Bus, agentId: string): Promise<readonly string[]> {
  const subject = agentAskSubject(agentId, 'definitions');
  const reply = await busRequest(bus, subject, new Uint8Array());
  const parsed = definitionsAnswer.safeParse(parseJson(reply.data));
  if (!parsed.success) throw new BusError(BusErrorCode.Malformed, `${subject}: the answer is not understood`);
  if (parsed.data.outcome === 'answered') return parsed.data.references;
  throw new BusError(BusErrorCode.NoAnswer, `${subject}: the gateway cannot tell the image definitions now`);
}

export interface AskedPorts {
  /** Of an account that may read the documents. */
  readonly bus: Bus;
  /** The document of an agent; rejects while it cannot be read. */
  readonly read: (agentId: string) => Promise<DesiredDocument | null>;
  /** References of all image definitions; null: they may not be the newest. */
  readonly definitions: () => readonly string[] | null;
  /** Whether an agent that asks is answered; it may have asked too much. */
  readonly mayAsk: (agentId: string) => boolean;
  /** ISO 8601. */
  readonly now: () => string;
  readonly onTrouble: (sentence: string, cause: unknown) => void;
}

/** Answers the agents until the signal aborts; of several gateways one. Whoever wants the answer sent elsewhere gets none. */
export function answerAgents(ports: AskedPorts, signal: AbortSignal): void {
  const { bus, read, definitions, now, onTrouble } = ports;
  answerQuestion(ports, 'desired', signal, async (agentId): Promise<Answer> => {
    try {
      return { outcome: 'answered', document: await read(agentId), now: now() };
    } catch (error) {
      onTrouble(`the desired document of ${agentId} could not be read; the agent asks again`, error);
      return { outcome: 'unavailable' };
    }
  });
  answerQuestion(ports, 'definitions', signal, async (): Promise<DefinitionsAnswer> => {
    const references = definitions();
    if (references === null) return { outcome: 'unavailable' };
    const said = { outcome: 'answered' as const, references: [...references] };
    const fits = JSON.stringify(said).length < (bus.connection.info?.max_payload ?? Infinity);
    return fits ? said : { outcome: 'unavailable' };
  });
}

function answerQuestion(
  { bus, mayAsk, onTrouble }: AskedPorts,
  question: AgentQuestion,
  signal: AbortSignal,
  answerTo: (agentId: string) => Promise<object>,
): void {
  const subscription = bus.connection.subscribe(allAgentsAskSubject(question), {
    queue: QUEUE,
    callback(error, message) {
      if (error !== null) {
        onTrouble('this gateway cannot answer agents', error);
        return;
      }
      const agentId = askingAgent(message.subject);
      const isOwnInbox = agentId !== null && message.reply?.startsWith(`${agentInbox(agentId)}.`) === true;
      if (isOwnInbox && mayAsk(agentId)) void respond(agentId, (data) => message.respond(data));
    },
  });
  signal.addEventListener('abort', () => bus.connection.isClosed() || subscription.unsubscribe(), { once: true });

  async function respond(agentId: string, send: (data: Uint8Array) => boolean): Promise<void> {
    const said = await answerTo(agentId);
    if (!bus.connection.isClosed()) send(Buffer.from(JSON.stringify(said)));
  }
}

/** Whether the bus answered that this connection may not ask at all: the agent waits for its approval. */
export function isNotPermitted(error: unknown): boolean {
  const cause = error instanceof BusError ? error.cause : error;
  return cause instanceof NatsError && cause.code === ErrorCode.PermissionsViolation;
}
