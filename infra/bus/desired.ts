import { hash } from 'node:crypto';
import { headers } from 'nats';
import { desiredDocument, type DesiredDocument } from '../../domain/desired.ts';
import { DESIRED_STREAM, desiredSubject } from '../names.ts';
import { getMessage, publishAcked } from './api.ts';
import type { Bus } from './connect.ts';
import { directGet } from './directGet.ts';
import { BusError, BusErrorCode, ServerCode, hasServerCode } from './errors.ts';

/**
 * Desired documents: one key per agent, never deleted, written by compare-and-set and never with a lower version of the
 * same log. Written by the controller of the zone; read by the agent.
 */
export type PutDesired = 'written' | 'unchanged' | 'newer-present';

/** What stands under an agent's key, as a writer last saw it. */
export interface Standing {
  readonly sequence: number;
  readonly logId: string;
  readonly version: number;
  readonly hash: string;
}

/** Another writer came between reading and writing so often in a row: somebody else believes to be the controller. */
const ATTEMPTS = 5;

/**
 * `known` is the writer's own memory of what stands under each key: with it nothing is read before writing, and the
 * compare-and-set tells when somebody else has written meanwhile.
 */
export async function putDesired(
  bus: Bus,
  document: DesiredDocument,
  known: Map<string, Standing> = new Map(),
): Promise<PutDesired> {
  const { agentId, logId, version } = document;
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = hash('sha256', bytes, 'hex');
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const standing = known.get(agentId) ?? (await readStanding(bus, agentId));
    if (standing?.hash === digest) return 'unchanged';
    if (standing !== null && standing.logId === logId && standing.version > version) return 'newer-present';
    const expectation = headers();
    expectation.set('Nats-Expected-Last-Subject-Sequence', String(standing?.sequence ?? 0));
    try {
      const sequence = await publishAcked(bus, desiredSubject(agentId), bytes, expectation);
      known.set(agentId, { sequence, logId, version, hash: digest });
      return 'written';
    } catch (error) {
      // What stands there now is unknown, also after a lost reply.
      known.delete(agentId);
      if (!hasServerCode(error, ServerCode.wrongLastSequence, ServerCode.wrongLastSequenceInFlight)) throw error;
    }
  }
  const message = `the desired document of ${agentId} is being written by somebody else as well`;
  throw new BusError(BusErrorCode.Contended, message);
}

async function readStanding(bus: Bus, agentId: string): Promise<Standing | null> {
  const present = await getMessage(bus, DESIRED_STREAM, { last_by_subj: desiredSubject(agentId) });
  if (present === null) return null;
  const { logId, version } = parseDesired(agentId, present.data);
  return { sequence: present.sequence, logId, version, hash: hash('sha256', present.data, 'hex') };
}

/** The agent's document as it stands, or null when none was ever written: which is not the same as an empty one. */
export async function readDesired(bus: Bus, agentId: string): Promise<DesiredDocument | null> {
  const data = await directGet(bus, DESIRED_STREAM, desiredSubject(agentId));
  return data === null ? null : parseDesired(agentId, data);
}

/**
 * Calls back with every document as it is written, through reconnects; what was written while the connection was away
 * is found by reading. The result ends it.
 */
export function watchDesired(
  bus: Bus,
  agentId: string,
  handlers: { readonly onDocument: (document: DesiredDocument) => void; readonly onProblem: (error: BusError) => void },
): () => void {
  const subscription = bus.connection.subscribe(desiredSubject(agentId), {
    callback(error, message) {
      if (error !== null) {
        const refused = `may not watch the desired document of ${agentId}: ${error.message}`;
        handlers.onProblem(new BusError(BusErrorCode.JetStreamRefused, refused, { cause: error }));
        return;
      }
      const document = tryParse(agentId, message.data);
      if (document instanceof BusError) handlers.onProblem(document);
      else handlers.onDocument(document);
    },
  });
  return () => {
    if (!bus.connection.isClosed()) subscription.unsubscribe();
  };
}

function tryParse(agentId: string, data: Uint8Array): DesiredDocument | BusError {
  try {
    return parseDesired(agentId, data);
  } catch (error) {
    if (error instanceof BusError) return error;
    throw error;
  }
}

function parseDesired(agentId: string, data: Uint8Array): DesiredDocument {
  try {
    const document = desiredDocument.parse(JSON.parse(Buffer.from(data).toString('utf8')));
    if (document.agentId === agentId) return document;
  } catch (error) {
    const message = `the desired document of ${agentId} is malformed`;
    throw new BusError(BusErrorCode.Malformed, message, { cause: error });
  }
  throw new BusError(BusErrorCode.Malformed, `under the key of ${agentId} stands another agent's desired document`);
}
