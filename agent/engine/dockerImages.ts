import type Docker from 'dockerode';
import { limited, statusOf, unlessStatus } from './calls.ts';
import { EngineError, EngineErrorCode } from './errors.ts';
import type { EngineImage, ImageRemoval } from './port.ts';

/** Every image on the host, newest first. */
export async function listImages(docker: Docker, callMs: number): Promise<readonly EngineImage[]> {
  const found = await limited('call', 'the list of images', callMs, () => docker.listImages());
  return found
    .toSorted((a, b) => b.Created - a.Created)
    .map(({ Id, RepoTags, RepoDigests, Size }) => ({
      imageId: Id,
      tags: named(RepoTags),
      digests: named(RepoDigests),
      sizeBytes: Size,
    }));
}

/** By image id: how many containers refer to it, in whatever state. */
export async function imageUses(docker: Docker, callMs: number): Promise<ReadonlyMap<string, number>> {
  const containers = await limited('call', 'the list of containers', callMs, (abortSignal) =>
    docker.listContainers({ all: true, abortSignal }),
  );
  const uses = new Map<string, number>();
  for (const { ImageID } of containers) uses.set(ImageID, (uses.get(ImageID) ?? 0) + 1);
  return uses;
}

interface RemovalLimits {
  readonly callMs: number;
  readonly removeImageMs: number;
}

/**
 * Name by name, because an engine refuses to remove by its id what several repositories name. A tag that has moved to another
 * image meanwhile, or that somebody else has given this one, is left alone. True when the image is gone.
 */
export async function removeImage(
  docker: Docker,
  limits: RemovalLimits,
  { imageId, tags, whole }: ImageRemoval,
): Promise<boolean> {
  for (const tag of tags) {
    const tagged = await inspect(docker, limits, tag);
    if (tagged?.Id === imageId) await removeOne(docker, limits, tag);
  }
  const left = await inspect(docker, limits, imageId);
  if (left === undefined) return true;
  if (!whole) return false;
  const [other] = named(left.RepoTags);
  if (other !== undefined) {
    throw new EngineError(EngineErrorCode.imageInUse, `it was called ${other} meanwhile`);
  }
  const digests = named(left.RepoDigests);
  for (const name of digests.length > 1 ? digests : [imageId]) await removeOne(docker, limits, name);
  return (await inspect(docker, limits, imageId)) === undefined;
}

async function inspect(docker: Docker, { callMs }: RemovalLimits, name: string) {
  return await limited('call', name, callMs, () => unlessStatus([404], docker.getImage(name).inspect()));
}

async function removeOne(docker: Docker, { removeImageMs }: RemovalLimits, name: string): Promise<void> {
  try {
    await limited('call', name, removeImageMs, (abortSignal) =>
      unlessStatus([404], docker.getImage(name).remove({ force: false, noprune: false, abortSignal })),
    );
  } catch (error) {
    if (statusOf(error) !== 409 || !(error instanceof EngineError)) throw error;
    throw new EngineError(EngineErrorCode.imageInUse, `the container engine keeps it: ${saidIn(error)}`, error);
  }
}

/** What the engine said, without what the client puts around it. */
function saidIn({ cause, message }: EngineError): string {
  const said = cause instanceof Error ? cause.message.trim() : message;
  return said.replace(/^\(HTTP code \d+\) [^-]*- (?:conflict: )?/, '');
}

/** Engines write `<none>:<none>` and `<none>@<none>` for no name. */
function named(names: readonly string[] | null | undefined): readonly string[] {
  return (names ?? []).filter((name) => !name.startsWith('<none>'));
}
