import type { ImageDefinition } from '../images/image.ts';
import type { KeyCommand } from '../keys/commands.ts';
import type { ManagerTokenCommand } from '../managerTokens/commands.ts';
import type { PeopleCommand } from '../people/commands.ts';

/** What can be asked of the fleet's own log. */
export type FleetCommand =
  | { readonly type: 'CreateZone'; readonly zone: string }
  | EnrolAgent
  | ApproveAgent
  | { readonly type: 'RevokeAgent'; readonly agentId: string }
  | RemoveAgent
  | RecordRejections
  | DefineImage
  | { readonly type: 'RetireImage'; readonly imageId: string; readonly ifRevision: number | null }
  | PeopleCommand
  | KeyCommand
  | ManagerTokenCommand
  | { readonly type: 'SealLog' };

/**
 * `fingerprint` is that of the secret with which it was admitted; null: it has none of its own. One that is `expected` will
 * be approved without an operator, and takes no place among those that wait for one.
 */
export interface EnrolAgent {
  readonly type: 'EnrolAgent';
  readonly agentId: string;
  readonly hostname: string;
  readonly simulated: boolean;
  readonly fingerprint: string | null;
  readonly expected: boolean;
}

/** `fingerprint` is what whoever approves has compared; null: nothing was compared. */
export interface ApproveAgent {
  readonly type: 'ApproveAgent';
  readonly agentId: string;
  readonly zone: string;
  readonly fingerprint: string | null;
}

/** `left` names the approval that its zone has let go; null: it was in no zone. */
export interface RemoveAgent {
  readonly type: 'RemoveAgent';
  readonly agentId: string;
  readonly left: string | null;
}

/** `since` and `until` are ISO 8601; `counts` is by code, in capitals. */
export interface RecordRejections {
  readonly type: 'RecordRejections';
  readonly since: string;
  readonly until: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** `revision` of the image given is ignored: the decider counts. `ifRevision`: 0 means "only if there is none yet". */
export interface DefineImage {
  readonly type: 'DefineImage';
  readonly image: ImageDefinition;
  readonly ifRevision: number | null;
}

export interface FleetContext {
  /** Registry hosts from which images may come, in small letters and with their ports where they have any. */
  readonly allowedRegistries: readonly string[];
  /** Of the log's last commit. */
  readonly version: number;
  /** ISO 8601. */
  readonly now: string;
}
