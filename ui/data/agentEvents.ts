import { END_CAUSES } from '../../domain/endCauses.ts';
import type { Actor, AnyEvent } from '../../domain/events.ts';
import { labelTexts, type Labels } from '../../domain/labels.ts';
import { PRUNE_MODES } from '../../domain/pruneMode.ts';
import { coresText, formatBytes, gpusText } from '../../domain/units.ts';
import { imageName } from './agentPage.ts';
import { counted, requestText } from './amounts.ts';

/** One event of an agent, as the gateway tells it. */
export type AgentEvent = AnyEvent & { readonly position: string; readonly index: number };

/** A page of them, newest first. */
export interface AgentEventsPage {
  readonly events: readonly AgentEvent[];
  readonly next: string | null;
  /** ISO 8601: what happened before is not told. Null: nothing is missing. */
  readonly since: string | null;
}

/** Alike for one event only. */
export function eventKey({ position, index }: AgentEvent): string {
  return `${position}/${index}`;
}

/** What happened to the agent whose page this is, as a sentence. */
export function eventSentence(event: AnyEvent): string {
  switch (event.type) {
    case 'AgentEnrolled':
      return 'It connected for the first time.';
    case 'AgentApproved':
      return `It was approved, for zone ${event.data.zone}.`;
    case 'AgentRevoked':
      return 'It was revoked: it is not heard any more.';
    case 'AgentJoined':
      return 'It joined its zone.';
    case 'AgentLeft':
      return 'It left its zone.';
    case 'AgentBooted':
      return event.data.previousBootId === null ? 'It was started.' : 'It was started again.';
    case 'AgentHardwareChanged':
      return hardwareSentence(event.data);
    case 'AgentEnabled':
      return 'It was enabled.';
    case 'AgentDisabled':
      return 'It was disabled: it takes nothing new.';
    case 'CoresOverrideSet':
      return overrideSentence('CPU', event.data.millicores, event.data.previous, coresText);
    case 'MemoryOverrideSet':
      return overrideSentence('memory', event.data.memoryBytes, event.data.previous, formatBytes);
    case 'AgentLabelsSet':
      return labelsSentence(event.data.labels, event.data.previous);
    case 'PruneModeSet':
      return `Its prune mode was set to ${event.data.mode}; before, ${event.data.previous}. ${PRUNE_MODES[event.data.mode]}`;
    case 'ImageRemoved':
      return `${removedText(event.data)}: ${event.data.why}.${prunedBy(event.data)}`;
    case 'ImageRemovalSkipped':
      return `The image ${imageName(event.data)} was to be removed, and stays: ${event.data.why}.${prunedBy(event.data)}`;
    case 'AgentWentLate':
      return `It was late: silent for ${event.data.silentSeconds} s.`;
    case 'AgentWentMissing':
      return `It was missing: silent for ${event.data.silentSeconds} s.`;
    case 'AgentReturned':
      return event.data.from === 'never'
        ? 'It is heard, and takes sessions.'
        : `It was back, after it was ${event.data.from}.`;
    case 'AgentDeclaredLost':
      return `It was declared lost, and ${counted(event.data.sessions, 'session', 'sessions')} ended.`;
    case 'AgentConditionRaised':
      return `${event.data.condition}: ${event.data.detail}.`;
    case 'AgentConditionCleared':
      return `${event.data.condition} is over.`;
    case 'SessionPlaced':
      return `Session ${event.data.sessionId} was placed here: ${claimText(event.data.claim)}.`;
    case 'SessionStarting':
      return `Session ${event.data.sessionId} is being started.`;
    case 'SessionStarted':
      return `Session ${event.data.sessionId} runs.`;
    case 'SessionStartFailed':
      return `Session ${event.data.sessionId} could not be started: ${event.data.detail}.`;
    case 'SessionStopRequested':
      return `Session ${event.data.sessionId} is to stop: ${END_CAUSES[event.data.cause]}.`;
    case 'SessionEnded':
      return `Session ${event.data.sessionId} ended: ${END_CAUSES[event.data.cause]}${exitText(event.data.exitCode)}.`;
    case 'SessionRequested':
      return `Session ${event.data.sessionId} was requested for this agent.`;
    case 'AgentRemoved':
      return 'It was removed.';
    // About no agent: none of them is told here.
    case 'SessionWaiting':
    case 'SessionRefused':
    case 'SessionCancelled':
    case 'ZoneCreated':
    case 'ConnectionsRejected':
    case 'ImageDefined':
    case 'ImageRevised':
    case 'ImageRetired':
    case 'PersonCreated':
    case 'PersonRoleChanged':
    case 'PersonRemoved':
    case 'AccessKeyIssued':
    case 'AccessKeyRevoked':
    case 'ManagerTokenIssued':
    case 'ManagerTokenRevoked':
    case 'LogSealed':
      return `${event.type}.`;
  }
}

/** The session that an event is about; null when it is about none. */
export function sessionIn({ data }: AnyEvent): string | null {
  return 'sessionId' in data ? data.sessionId : null;
}

/** `by anna. Reason: small desktops`; empty where it was the agent itself or a rule that came due. */
export function whoAndWhy({ actor, reason }: AnyEvent): string {
  const by = doneBy(actor);
  return [...(by === null ? [] : [by]), ...(reason === undefined ? [] : [`Reason: ${reason}`])].join('. ');
}

function doneBy({ kind, id }: Actor): string | null {
  switch (kind) {
    case 'operator':
      return `by ${id}`;
    case 'automation':
      return `by the program ${id}`;
    case 'agent':
    case 'system':
      return null;
  }
}

function claimText(claim: Extract<AnyEvent, { type: 'SessionPlaced' }>['data']['claim']): string {
  const gpus = claim.gpuUuids.length;
  return requestText(claim.millicores, claim.memoryBytes, gpus === 0 ? null : gpusText(gpus));
}

function exitText(exitCode: number | null): string {
  return exitCode === null ? '' : ` (exit code ${exitCode})`;
}

function hardwareSentence({ hardware, previous }: Extract<AnyEvent, { type: 'AgentHardwareChanged' }>['data']): string {
  const has = `${coresText(hardware.millicores)}, ${formatBytes(hardware.memoryBytes)}, ${gpusText(hardware.gpus.length)}`;
  return previous === null ? `It told its hardware: ${has}.` : `Its hardware changed: ${has}.`;
}

function overrideSentence(
  what: string,
  value: number | null,
  previous: number | null,
  text: (value: number) => string,
): string {
  const before = previous === null ? '' : `; before, ${text(previous)}`;
  if (value === null) return `The ${what} override was removed${before}.`;
  return `The ${what} override was set to ${text(value)}${before}.`;
}

type Pruned = Extract<AnyEvent, { type: 'ImageRemoved' | 'ImageRemovalSkipped' }>['data'];

function removedText(data: Extract<AnyEvent, { type: 'ImageRemoved' }>['data']): string {
  if (data.freedBytes === 0) return `The name ${imageName(data)} was taken from an image`;
  return `The image ${imageName(data)} was removed, ${formatBytes(data.freedBytes)}`;
}

/** What an agent prunes by itself, its mode says. */
function prunedBy({ asker, mode }: Pruned): string {
  if (asker === null) return '';
  const reason = asker.reason === null ? '' : ` Reason: ${asker.reason}.`;
  return ` A prune in mode ${mode} was asked for ${doneBy(asker.actor) ?? 'by Muster'}.${reason}`;
}

function labelsSentence(labels: Labels, previous: Labels): string {
  const before = labelTexts(previous);
  const now = labelTexts(labels);
  if (now.length === 0) return `Its labels were removed; before, ${before.join(', ')}.`;
  return `Its labels were set to ${now.join(', ')}; before, ${before.length === 0 ? 'none' : before.join(', ')}.`;
}
