import { accept, reject, type Decision } from '../decision.ts';
import { isDeepEqual } from '../deepEqual.ts';
import type { FleetFact } from '../events.ts';
import type { DefineImage, FleetCommand, FleetContext } from '../fleet/commands.ts';
import type { FleetState } from '../fleet/state.ts';
import type { ImageDefinition } from './image.ts';
import { parseReference, type ImageReference } from './reference.ts';

/** A variable of such a name is most likely a secret, and what is in the log stays in the log. */
const SECRET_NAME = /PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIAL/i;

/**
 * Defines an image, or revises the one of that id; saying the same again changes nothing. The digest of a revision is that
 * of its reference, and null for one that names a tag alone.
 */
export function decideImage(state: FleetState, command: DefineImage, context: FleetContext): Decision<FleetFact> {
  const { image: wanted, ifRevision } = command;
  const previous = state.images.get(wanted.imageId) ?? null;
  if (ifRevision !== null && ifRevision !== (previous?.revision ?? 0)) {
    return reject('STALE', `image ${wanted.imageId} has been revised since it was read; read it again`);
  }
  const secret = Object.keys(wanted.environment).find((name) => SECRET_NAME.test(name));
  if (secret !== undefined) {
    return reject(
      'ENVIRONMENT_LOOKS_SECRET',
      `the variable ${secret} looks like a secret; an image's environment is recorded for ever, so it must not hold any`,
    );
  }
  const reference = parseReference(wanted.reference);
  const refused = refuseReference(wanted.reference, reference, context.allowedRegistries);
  if (refused !== null) return refused;
  const revision = (state.revisions.get(wanted.imageId) ?? 0) + 1;
  const image: ImageDefinition = { ...wanted, digest: reference?.digest ?? null, revision };
  const outcome = { imageId: image.imageId, created: previous === null };
  if (previous === null) return accept([{ type: 'ImageDefined', data: { image } }], outcome);
  if (isDeepEqual(previous, { ...image, revision: previous.revision })) return accept([], outcome);
  return accept([{ type: 'ImageRevised', data: { image, previous } }], outcome);
}

/** Running sessions keep what they were started from; nothing new is started from a retired image. */
export function decideRetire(
  state: FleetState,
  { imageId, ifRevision }: Extract<FleetCommand, { type: 'RetireImage' }>,
): Decision<FleetFact> {
  const image = state.images.get(imageId);
  if (image === undefined) return reject('IMAGE_UNKNOWN', `no image "${imageId}" is defined`);
  if (ifRevision !== null && ifRevision !== image.revision) {
    return reject('STALE', `image ${imageId} has been revised since it was read; read it again`);
  }
  return accept([{ type: 'ImageRetired', data: { imageId, revision: image.revision } }], { imageId });
}

function refuseReference(
  text: string,
  reference: ImageReference | null,
  allowed: readonly string[],
): Decision<FleetFact> | null {
  if (reference === null) {
    return reject(
      'REFERENCE_INVALID',
      `"${text.slice(0, 80)}" is not a container reference ([registry/]path[:tag][@sha256:digest])`,
    );
  }
  const { registry } = reference;
  if (allowed.includes(registry)) return null;
  return reject(
    'REGISTRY_NOT_ALLOWED',
    `the registry ${registry} is not on the list of allowed ones (${allowed.join(', ')}); MUSTER_ALLOWED_REGISTRIES sets it`,
  );
}
