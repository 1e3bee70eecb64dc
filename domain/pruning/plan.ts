import { parseReference } from '../images/reference.ts';
import type { PruneMode } from '../pruneMode.ts';

/** An image as its host's container engine tells of it. */
export interface PrunableImage {
  readonly imageId: string;
  /** Such as `docker.io/library/alpine:3`, in the engine's spelling. */
  readonly tags: readonly string[];
  /** Such as `alpine@sha256:…`. */
  readonly digests: readonly string[];
  /** Layers that images share count in the size of each. */
  readonly sizeBytes: number;
}

/** What Muster itself pulled. The times (ms since 1970): since when the rule of a mode has been met; null: it is not. */
export interface PulledImage {
  readonly imageId: string;
  /** Under which it was asked for. */
  readonly references: readonly string[];
  readonly metSince: MetSince;
}

export interface MetSince {
  readonly normal: number | null;
  readonly aggressive: number | null;
}

/** Everything that the question hangs on, and nothing else. */
export interface PruneSituation {
  readonly mode: PruneMode;
  readonly images: readonly PrunableImage[];
  /** By image id: the ledger of our own pulls. */
  readonly pulled: ReadonlyMap<string, PulledImage>;
  /** By image id: how many containers refer to it, in whatever state, whosever they are. */
  readonly containers: ReadonlyMap<string, number>;
  /** References that are pulled just now, and those of sessions that may be about to start. */
  readonly awaited: readonly string[];
  /** References of all image definitions; null: not known. */
  readonly defined: readonly string[] | null;
  readonly graceMs: number;
  /** ms since 1970. */
  readonly now: number;
}

export interface ImagePlan {
  readonly image: PrunableImage;
  /** What is to go: these tags of ours, and the image itself where `whole`. Null: it is kept. */
  readonly removal: { readonly tags: readonly string[]; readonly whole: boolean } | null;
  /** One sentence. */
  readonly why: string;
  /** Null for what Muster did not pull. */
  readonly metSince: MetSince | null;
}

/**
 * What a prune removes, and of everything else why it stays. Managed is what Muster pulled here. Normal: managed, no tag left, not in use, past
 * the grace. Aggressive: that, and what is managed, named by no image definition, not in use and past the grace. While the
 * definitions are not known nothing counts as undefined.
 */
export function planPrune(situation: PruneSituation): readonly ImagePlan[] {
  const awaited = new Set(situation.awaited.map(referenceKey));
  const defined = situation.defined === null ? null : new Set(situation.defined.map(referenceKey));
  return situation.images.map((image) => planImage(image, situation, { awaited, defined }));
}

/** Whether a reference names this image. */
export function isNamedBy(image: Pick<PrunableImage, 'tags' | 'digests'>, reference: string): boolean {
  const key = referenceKey(reference);
  return [...image.tags, ...image.digests].some((name) => referenceKey(name) === key);
}

interface Names {
  readonly awaited: ReadonlySet<string>;
  readonly defined: ReadonlySet<string> | null;
}

function planImage(image: PrunableImage, situation: PruneSituation, { awaited, defined }: Names): ImagePlan {
  const pulled = situation.pulled.get(image.imageId);
  if (pulled === undefined) return keep(image, 'Muster did not pull it', null);
  const { mode, now, graceMs } = situation;
  const keys = [...image.tags, ...image.digests].map(referenceKey);
  const used = whyInUse(situation.containers.get(image.imageId) ?? 0, keys, awaited);
  const dangling = isDangling(image, pulled);
  const isUndefined = defined === null ? null : !keys.some((key) => defined.has(key));
  const metSince = {
    normal: since(pulled.metSince.normal, used === null && dangling, now),
    aggressive: since(pulled.metSince.aggressive, used === null && (dangling || isUndefined), now),
  };
  if (used !== null) return keep(image, used, metSince);
  if (mode === 'off') return keep(image, 'nothing is removed in the mode off', metSince);
  if (!dangling && mode === 'normal') return keep(image, `it is still called ${nameOf(image)}`, metSince);
  if (!dangling && isUndefined === null) return keep(image, NOT_KNOWN, metSince);
  if (!dangling && isUndefined === false) return keep(image, 'an image definition names it', metSince);
  const left = (metSince[mode] ?? now) + graceMs - now;
  const rule = dangling ? 'it has no tag left' : 'no image definition names it';
  if (left > 0) return keep(image, `${rule}; the grace lasts ${durationText(left)} more`, metSince);
  return { image, ...removalOf(image, pulled, rule), metSince };
}

const NOT_KNOWN = 'it has a name, and no gateway has told whether an image definition names it';

function keep(image: PrunableImage, why: string, metSince: MetSince | null): ImagePlan {
  return { image, removal: null, why, metSince };
}

function whyInUse(containers: number, keys: readonly string[], awaited: ReadonlySet<string>): string | null {
  if (containers > 0) return containers === 1 ? 'a container uses it' : `${containers} containers use it`;
  return keys.some((key) => awaited.has(key)) ? 'it is being pulled, or a session that is to run here needs it' : null;
}

/** An image that was asked for by its digest never had a tag to lose: that digest is its name. */
function isDangling({ tags, digests }: PrunableImage, { references }: PulledImage): boolean {
  if (tags.length > 0) return false;
  const asked = new Set(references.map(referenceKey));
  return !digests.some((digest) => asked.has(referenceKey(digest)));
}

/** `met` null: it is not known, and what was so before stands. */
function since(before: number | null, met: boolean | null, now: number): number | null {
  if (met === null) return before;
  return met ? (before ?? now) : null;
}

/** Of several tags only our own go: whoever gave it another wants it. */
function removalOf(
  { tags }: PrunableImage,
  { references }: PulledImage,
  rule: string,
): Pick<ImagePlan, 'removal' | 'why'> {
  const asked = new Set(references.map(referenceKey));
  const ours = tags.filter((tag) => asked.has(referenceKey(tag)));
  const others = tags.filter((tag) => !ours.includes(tag));
  if (others.length === 0) return { removal: { tags: ours, whole: true }, why: rule };
  if (ours.length === 0) return { removal: null, why: `${rule}, but somebody else calls it ${others[0]}` };
  return { removal: { tags: ours, whole: false }, why: `${rule}; somebody else calls it ${others[0]}, so it stays` };
}

function nameOf({ tags, digests }: PrunableImage): string {
  return tags[0] ?? digests[0] ?? 'by its digest';
}

/** What a reference names, however it is spelled: by its digest, else by its tag. */
function referenceKey(text: string): string {
  const parsed = parseReference(text);
  if (parsed === null) return text;
  const { registry, path, tag, digest } = parsed;
  return digest === null ? `${registry}/${path}:${tag ?? 'latest'}` : `${registry}/${path}@${digest}`;
}

function durationText(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}
