import { formatPosition } from '../domain/commit.ts';
import { END_CAUSES, type EndCause } from '../domain/endCauses.ts';
import type { AnyEvent } from '../domain/events.ts';
import { labelTexts, type Labels } from '../domain/labels.ts';
import { coresText, formatBytes, gpusText } from '../domain/units.ts';
import type { ChangeView } from './views.ts';

type Told = Pick<ChangeView, 'weight' | 'about' | 'words'>;

/** Ends that nobody asked for. */
const BAD_ENDS: ReadonlySet<EndCause> = new Set<EndCause>([
  'START_FAILED',
  'START_TIMEOUT',
  'OOM_KILLED',
  'CONTAINER_GONE',
  'AGENT_LOST',
]);

/**
 * What an event means to whoever looks after the fleet, in words; null when it is everyday life, such as a session that
 * starts and ends as it should. `version` is that of its commit, `index` its place in there.
 */
export function changeOf(log: string, version: number, index: number, event: AnyEvent): ChangeView | null {
  const told = toldOf(event);
  if (told === null) return null;
  const { occurredAt: at, actor, reason = null } = event;
  return { position: formatPosition(log, version), index, at, actor, reason, ...told };
}

/** One line per type of event: this is the whole list of what is told and what is not. */
function toldOf(event: AnyEvent): Told | null {
  switch (event.type) {
    case 'AgentEnrolled':
      return agent(event.data.agentId, 'plain', 'connected for the first time');
    case 'AgentApproved':
      return agent(event.data.agentId, 'good', `was approved for zone ${event.data.zone}`);
    case 'AgentRevoked':
      return agent(event.data.agentId, 'trouble', 'was revoked: it is not heard any more');
    case 'AgentRemoved':
      return agent(event.data.agentId, 'plain', 'was removed');
    case 'AgentBooted':
      return event.data.previousBootId === null ? null : agent(event.data.agentId, 'plain', 'was started again');
    case 'AgentHardwareChanged':
      return event.data.previous === null ? null : agent(event.data.agentId, 'plain', hardwareWords(event.data));
    case 'AgentEnabled':
      return agent(event.data.agentId, 'good', 'was enabled');
    case 'AgentDisabled':
      return agent(event.data.agentId, 'plain', 'was disabled');
    case 'CoresOverrideSet':
      return agent(event.data.agentId, 'plain', overrideWords('cores', event.data.millicores, coresText));
    case 'MemoryOverrideSet':
      return agent(event.data.agentId, 'plain', overrideWords('memory', event.data.memoryBytes, formatBytes));
    case 'AgentLabelsSet':
      return agent(event.data.agentId, 'plain', labelsWords(event.data.labels));
    case 'PruneModeSet':
      return agent(
        event.data.agentId,
        'plain',
        `prunes its images in mode ${event.data.mode}, before ${event.data.previous}`,
      );
    case 'ImageRemoved':
      return agent(event.data.agentId, 'plain', removedWords(event.data));
    case 'AgentWentLate':
      return agent(event.data.agentId, 'trouble', `is late: silent for ${event.data.silentSeconds} s`);
    case 'AgentWentMissing':
      return agent(event.data.agentId, 'trouble', `is missing: silent for ${event.data.silentSeconds} s`);
    case 'AgentReturned':
      return event.data.from === 'never' ? null : agent(event.data.agentId, 'good', 'is back');
    case 'AgentDeclaredLost':
      return agent(event.data.agentId, 'trouble', `was declared lost; sessions ended: ${event.data.sessions}`);
    case 'AgentConditionRaised':
      return agent(event.data.agentId, 'trouble', `has ${event.data.condition}: ${event.data.detail}`);
    case 'AgentConditionCleared':
      return agent(event.data.agentId, 'good', `no longer has ${event.data.condition}`);
    case 'SessionRefused':
      return session(event.data.sessionId, 'was refused: no agent can take it');
    case 'SessionStartFailed':
      return session(event.data.sessionId, `could not be started on ${event.data.agentId}: ${event.data.detail}`);
    case 'SessionEnded':
      return endOf(event.data.sessionId, event.data.cause);
    case 'ImageDefined':
      return image(event.data.image.imageId, 'was defined');
    case 'ImageRevised':
      return image(event.data.image.imageId, `was changed: now revision ${event.data.image.revision}`);
    case 'ImageRetired':
      return image(event.data.imageId, 'was retired');
    case 'PersonCreated':
      return access(event.data.personId, `may sign in, as ${event.data.role}`);
    case 'PersonRoleChanged':
      return access(event.data.personId, `is ${event.data.role} now, and was ${event.data.previous}`);
    case 'PersonRemoved':
      return access(event.data.personId, 'may not sign in any more');
    case 'AccessKeyIssued':
      return access(event.data.name, `is a new access key, with the role ${event.data.role}`);
    case 'AccessKeyRevoked':
      return access(event.data.keyId, 'is an access key that was revoked');
    case 'ManagerTokenIssued':
      return access(event.data.fingerprint, 'is the fingerprint of a new manager token');
    case 'ManagerTokenRevoked':
      return access(event.data.tokenId, 'is a manager token that was revoked');
    case 'ConnectionsRejected':
      return { weight: 'trouble', about: null, words: rejectedWords(event.data.counts) };
    case 'LogSealed':
      return { weight: 'plain', about: null, words: `epoch ${event.data.epoch} of a log was sealed` };
    case 'ZoneCreated':
      return { weight: 'plain', about: null, words: `zone ${event.data.zone} was created` };
    case 'AgentJoined':
    case 'AgentLeft':
    case 'ImageRemovalSkipped':
    case 'SessionRequested':
    case 'SessionWaiting':
    case 'SessionPlaced':
    case 'SessionCancelled':
    case 'SessionStarting':
    case 'SessionStarted':
    case 'SessionStopRequested':
      return null;
  }
}

function agent(id: string, weight: Told['weight'], words: string): Told {
  return { weight, about: { kind: 'agent', id }, words };
}

function session(id: string, words: string): Told {
  return { weight: 'trouble', about: { kind: 'session', id }, words };
}

function image(id: string, words: string): Told {
  return { weight: 'plain', about: { kind: 'image', id }, words };
}

function access(id: string, words: string): Told {
  return { weight: 'plain', about: { kind: 'access', id }, words };
}

function endOf(id: string, cause: EndCause): Told | null {
  return BAD_ENDS.has(cause) ? session(id, `ended: ${END_CAUSES[cause]}`) : null;
}

type HardwareData = Extract<AnyEvent, { type: 'AgentHardwareChanged' }>['data'];

function hardwareWords({ hardware: { millicores, memoryBytes, gpus } }: HardwareData): string {
  return `has other hardware: ${coresText(millicores)}, ${formatBytes(memoryBytes)}, ${gpusText(gpus.length)}`;
}

function overrideWords(of: string, value: number | null, text: (value: number) => string): string {
  return value === null ? `counts with its own ${of} again` : `counts with ${text(value)}, by an override`;
}

function labelsWords(labels: Labels): string {
  const texts = labelTexts(labels);
  return texts.length === 0 ? 'has no labels any more' : `has other labels: ${texts.join(', ')}`;
}

/** `sha256:` and 12 digits, as engines shorten it. */
const SHORT_ID = 19;

function removedWords({
  references,
  imageId,
  freedBytes,
}: Extract<AnyEvent, { type: 'ImageRemoved' }>['data']): string {
  const name = references[0] ?? imageId.slice(0, SHORT_ID);
  return freedBytes === 0
    ? `took the name ${name} from an image`
    : `removed the image ${name}: ${formatBytes(freedBytes)}`;
}

function rejectedWords(counts: Readonly<Record<string, number>>): string {
  const all = Object.entries(counts).map(([code, count]) => `${code} ${count}`);
  return `connections to the bus were refused: ${all.join(', ')}`;
}
