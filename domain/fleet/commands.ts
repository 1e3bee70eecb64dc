import type { ImageDefinition } from '../images/image.ts';

/** What can be asked of the fleet's own log. */
export type FleetCommand =
  | { readonly type: 'CreateZone'; readonly zone: string }
  | { readonly type: 'EnrolAgent'; readonly agentId: string; readonly hostname: string; readonly simulated: boolean }
  | { readonly type: 'ApproveAgent'; readonly agentId: string; readonly zone: string }
  | DefineImage
  | { readonly type: 'RetireImage'; readonly imageId: string; readonly ifRevision: number | null }
  | { readonly type: 'SealLog' };

/** `revision` of the image given is ignored: the decider counts. `ifRevision`: 0 means "only if there is none yet". */
export interface DefineImage {
  readonly type: 'DefineImage';
  readonly image: ImageDefinition;
  readonly ifRevision: number | null;
}

export interface FleetContext {
  /** Registry hosts from which images may come, besides those without a registry. */
  readonly allowedRegistries: readonly string[];
  /** Of the log's last commit. */
  readonly version: number;
}
