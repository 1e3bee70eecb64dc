import { hash } from 'node:crypto';
import type { CommandOutcome } from '../../domain/commit.ts';
import type { Remembered } from '../../domain/commandMemory.ts';
import type { AnyEvent, AnyFact } from '../../domain/events.ts';
import { canonicalJson } from '../../infra/log/canonical.ts';
import { encodeEvent } from '../../infra/log/codec.ts';
import { eventId } from '../../infra/log/eventId.ts';
import { currentSchemaVersion, UPCASTERS } from '../../infra/log/upcasters.ts';
import type { Answer, DecisionContext, Machine, Submission } from './machine.ts';

/** A group closes at whichever comes first; then it is appended as one commit. */
export const GROUP_EVENTS = 256;
export const GROUP_BYTES = 256 * 1024;

/** Commands decided one after another on speculative state, with the answers to give once their commit is acknowledged. */
export interface Group<Command> {
  readonly events: AnyEvent[];
  /** Each event as it will stand in the log: it is checked and encoded when it joins the group. */
  readonly texts: string[];
  /** By key: a key repeated within the group gets the same answer. */
  readonly commands: Map<string, CommandOutcome>;
  readonly answers: { readonly submission: Submission<Command>; readonly answer: Answer }[];
  bytes: number;
}

export function emptyGroup<Command>(): Group<Command> {
  return { events: [], texts: [], commands: new Map(), answers: [], bytes: 0 };
}

/** What a group is decided on: the machine's state, which changes as the group fills, and the outcomes known so far. */
export interface Deciding<State, Command, Fact extends AnyFact> {
  readonly log: string;
  readonly machine: Machine<State, Command, Fact>;
  readonly state: State;
  /** What became of the command under a key, as far as the log has it or is about to have it. */
  readonly recall: (key: string) => Remembered | undefined;
  readonly context: DecisionContext;
}

/**
 * Decides one command and, when it has facts, applies them to the state so that the next command sees them. False when
 * the group has no room for it: then nothing was changed and it is decided again in the next group.
 */
export function decideInto<State, Command, Fact extends AnyFact>(
  group: Group<Command>,
  deciding: Deciding<State, Command, Fact>,
  submission: Submission<Command>,
): boolean {
  const { log, machine, state, context } = deciding;
  const requestHash = submission.recorded ? hashRequest(submission) : '';
  const known = submission.recorded ? repetition(group, deciding, submission.key, requestHash) : null;
  if (known !== null) {
    group.answers.push({ submission, answer: known });
    return true;
  }
  const decision = machine.decide(state, submission.command, context);
  if (decision.kind === 'rejected') {
    group.answers.push({ submission, answer: decision });
    return true;
  }
  const { facts, outcome, detail } = decision;
  // With its commit: what comes again by itself may have more to say at a later version, under the same key.
  const idKey = `${log}:${context.version + 1}:${submission.key}`;
  const events = facts.map((fact, index) => envelope(fact, submission, eventId(idKey, index), context.now));
  const texts = events.map((event) => encodeEvent(event));
  const bytes = texts.reduce((sum, text) => sum + text.length, 0);
  const full = group.events.length + events.length > GROUP_EVENTS || group.bytes + bytes > GROUP_BYTES;
  if (full && group.events.length > 0) return false;
  for (const fact of facts) machine.evolve(state, fact, { version: context.version + 1, time: context.now });
  group.events.push(...events);
  group.texts.push(...texts);
  group.bytes += bytes;
  if (submission.recorded && facts.length > 0) {
    group.commands.set(submission.key, { key: submission.key, requestHash, outcome });
  }
  const version = events.length > 0 || group.events.length > 0 ? context.version + 1 : context.version;
  group.answers.push({ submission, answer: { kind: 'accepted', outcome, detail, version, repeated: false } });
  return true;
}

/** The same key is answered as the first time; the same key with another request is refused. */
function repetition<State, Command, Fact extends AnyFact>(
  group: Group<Command>,
  { recall, context }: Deciding<State, Command, Fact>,
  key: string,
  requestHash: string,
): Answer | null {
  const inGroup = group.commands.get(key);
  const known = inGroup === undefined ? recall(key) : { ...inGroup, version: context.version + 1 };
  return known === undefined ? null : answerAgain(known, requestHash);
}

/** What a command that was carried out is answered when it is asked again. */
export function answerAgain(
  known: Pick<Remembered, 'requestHash' | 'outcome' | 'version'>,
  requestHash: string,
): Answer {
  if (known.requestHash !== requestHash) {
    const message = 'this idempotency key was used for another request; make a new key for a new request';
    return { kind: 'rejected', rejection: { code: 'KEY_REUSED', message } };
  }
  return { kind: 'accepted', outcome: known.outcome, detail: null, version: known.version, repeated: true };
}

type Request = Pick<Submission<unknown>, 'actor' | 'reason' | 'request'> & { readonly command?: unknown };

/** The actor belongs to the request: nobody learns another's answer by guessing a key. */
export function hashRequest({ actor, reason, command, request = command }: Request): string {
  return hash('sha256', canonicalJson({ actor, reason, request }), 'hex');
}

function envelope<Command>(
  fact: AnyFact,
  { key, actor, reason, correlationId }: Submission<Command>,
  id: string,
  now: string,
): AnyEvent {
  return {
    id,
    schemaVersion: currentSchemaVersion(fact.type, UPCASTERS),
    occurredAt: now,
    actor,
    ...(reason === undefined ? {} : { reason }),
    correlationId: correlationId ?? key,
    causationId: key,
    ...fact,
  };
}
