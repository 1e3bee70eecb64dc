import { z } from 'zod';
import { imageDefinition, imageNeeds } from '../../domain/images/image.ts';
import { approval } from '../../domain/fleet/approval.ts';
import type { FleetCommand } from '../../domain/fleet/commands.ts';
import { personId, role, shownName } from '../../domain/people/events.ts';
import * as s from '../../domain/schemas.ts';
import type { ZoneCommand } from '../../domain/zone/commands.ts';
import { ControllerUnavailable, type Submission } from '../controller/machine.ts';

/**
 * What gateways ask of one another, whose releases may differ while they are updated. What an older one does not say yet is read
 * as it was meant then; a field that is not known may be what matters, so it is refused.
 */

/** Check-ins, time and pending work are decided where they are heard, and never forwarded. */
type ForwardedToZone = Exclude<ZoneCommand, { readonly type: 'RecordCheckIn' | 'AdvanceTime' | 'PlaceWaiting' }>;
type ForwardedToFleet = Exclude<FleetCommand, { readonly type: 'CreateZone' }>;

/** A command that is new has to be added here. */
type Schemas<Command extends { readonly type: string }> = {
  readonly [Type in Command['type']]: z.ZodType<Omit<Extract<Command, { readonly type: Type }>, 'type'>>;
};

const agentId = s.id;
const condition = z.int().min(0).nullable();

/** Since 0.2.0; before, images ran with any labels. */
const selectors = { includeLabels: s.labelSelectors.default([]), excludeLabels: s.labelSelectors.default([]) };

const zoneCommands: Schemas<ForwardedToZone> = {
  JoinAgent: z.strictObject({ agentId, hostname: z.string().max(255), simulated: z.boolean(), approval }),
  LeaveAgent: z.strictObject({ agentId, approval }),
  SetAgentSettings: z.strictObject({
    agentId,
    enabled: z.boolean().exactOptional(),
    millicores: s.millicores.nullable().exactOptional(),
    memoryBytes: s.bytes.nullable().exactOptional(),
    labels: s.labels.exactOptional(),
    pruneMode: s.pruneMode.exactOptional(),
    confirm: z.boolean(),
    ifVersion: condition,
  }),
  RequestSession: z.strictObject({
    sessionId: s.id,
    image: z.strictObject({ ...imageNeeds.shape, ...selectors }),
    priority: z.int(),
    whenFull: z.enum(['queue', 'fail']),
    maxWaitSeconds: z.int().min(1).nullable(),
    agentId: s.id.nullable(),
  }),
  StopSession: z.strictObject({ sessionId: s.id, cause: z.enum(['USER', 'OPERATOR']) }),
  DeclareAgentLost: z.strictObject({ agentId }),
  SealLog: z.strictObject({}),
};

const fleetCommands: Schemas<ForwardedToFleet> = {
  EnrolAgent: z.strictObject({
    agentId,
    hostname: z.string().max(255),
    simulated: z.boolean(),
    fingerprint: s.fingerprint.nullable(),
    expected: z.boolean(),
  }),
  ApproveAgent: z.strictObject({ agentId, zone: s.id, fingerprint: s.fingerprint.nullable() }),
  RevokeAgent: z.strictObject({ agentId }),
  RemoveAgent: z.strictObject({ agentId, left: approval.nullable() }),
  RecordRejections: z.strictObject({ since: s.time, until: s.time, counts: z.record(z.string().max(64), s.count) }),
  DefineImage: z.strictObject({
    image: z.strictObject({ ...imageDefinition.shape, ...selectors }),
    ifRevision: condition,
  }),
  RetireImage: z.strictObject({ imageId: s.id, ifRevision: condition }),
  CreatePerson: z.strictObject({ personId, name: shownName, role }),
  ChangePersonRole: z.strictObject({ personId, role }),
  RemovePerson: z.strictObject({ personId }),
  IssueAccessKey: z.strictObject({
    keyId: s.id,
    name: shownName,
    role,
    expiresAt: s.time.nullable(),
    fingerprint: s.fingerprint,
  }),
  RevokeAccessKey: z.strictObject({ keyId: s.id }),
  IssueManagerToken: z.strictObject({ tokenId: s.id, fingerprint: s.fingerprint }),
  RevokeManagerToken: z.strictObject({ tokenId: s.id, force: z.boolean() }),
  SealLog: z.strictObject({}),
};

const text = z.string().min(1).max(128);

const around = z.strictObject({
  key: text,
  recorded: z.boolean(),
  actor: s.actor,
  reason: z.string().min(1).max(500).exactOptional(),
  correlationId: text.exactOptional(),
  command: z.looseObject({ type: z.string().max(64) }),
  /** Told apart by its hash alone. */
  request: z.unknown().exactOptional(),
});

/** Throws ControllerUnavailable for what is not understood. */
export function zoneSubmission(asked: unknown): Submission<ZoneCommand> {
  return submission<ForwardedToZone>(asked, zoneCommands);
}

/** Throws ControllerUnavailable for what is not understood. */
export function fleetSubmission(asked: unknown): Submission<FleetCommand> {
  return submission<ForwardedToFleet>(asked, fleetCommands);
}

function submission<Command extends { readonly type: string }>(
  asked: unknown,
  schemas: Schemas<Command>,
): Submission<Command> {
  const { command: said, ...rest } = understood('a command', around, asked);
  const { type, ...fields } = said;
  if (!isKnown(type, schemas)) throw foreign(`there is no command "${type}"`);
  // The schema of the type gives the fields of the type, which TypeScript does not follow through the index.
  const command = { type, ...understood(type, schemas[type], fields) } as unknown as Command;
  return { ...rest, command };
}

function isKnown<Command extends { readonly type: string }>(
  type: string,
  schemas: Schemas<Command>,
): type is Command['type'] {
  return Object.hasOwn(schemas, type);
}

function understood<Value>(what: string, schema: z.ZodType<Value>, value: unknown): Value {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [issue] = error.issues;
  throw foreign(`${what}: field "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not valid'}`);
}

function foreign(why: string): ControllerUnavailable {
  return new ControllerUnavailable(
    `the gateway that leads this log does not understand what another asks (${why}); run one release on both`,
  );
}
