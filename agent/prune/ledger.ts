import type { MetSince } from '../../domain/pruning/plan.ts';
import type { PruneRecord } from '../../domain/pruning/record.ts';
import type { Ledger } from '../ledger.ts';
import type { LedgerImage, Removal } from './memory.ts';

/** The longest ago is forgotten, and from then on nobody's. */
const IMAGES_LIMIT = 1024;
const REFERENCES_LIMIT = 16;
/** Nothing is removed any more while so many are not known to be in the log. */
export const RECORDS_LIMIT = 256;

/** The pull of an image came to its end. */
export function notePulled(ledger: Ledger, imageId: string, reference: string): Ledger {
  const known = ledger.images.get(imageId);
  const others = known?.references.filter((each) => each !== reference) ?? [];
  const references = [...others, reference].slice(-REFERENCES_LIMIT);
  const images = new Map(ledger.images);
  images.delete(imageId);
  images.set(imageId, { imageId, references, metSince: NOT_MET, skipped: null });
  for (const oldest of images.keys()) {
    if (images.size <= IMAGES_LIMIT) break;
    images.delete(oldest);
  }
  return { ...ledger, images };
}

const NOT_MET: MetSince = { normal: null, aggressive: null };

/** Whether a pull under this reference has taken its name from another image that was pulled under it. */
export function hasMoved(ledger: Ledger, imageId: string, reference: string): boolean {
  return [...ledger.images.values()].some((image) => image.imageId !== imageId && image.references.includes(reference));
}

/** A container is made from it: the grace begins anew. */
export function noteUsed(ledger: Ledger, imageId: string): Ledger {
  return noteMet(ledger, new Map([[imageId, NOT_MET]]));
}

/** Since when the rules are met, of those that were looked at. */
export function noteMet(ledger: Ledger, met: ReadonlyMap<string, MetSince>): Ledger {
  let images: Map<string, LedgerImage> | null = null;
  for (const [imageId, metSince] of met) {
    const image = ledger.images.get(imageId);
    if (image === undefined || isSame(image.metSince, metSince)) continue;
    images ??= new Map(ledger.images);
    const skipped = metSince.aggressive === null ? null : image.skipped;
    images.set(imageId, { ...image, metSince, skipped });
  }
  return images === null ? ledger : { ...ledger, images };
}

function isSame(a: MetSince, b: MetSince): boolean {
  return a.normal === b.normal && a.aggressive === b.aggressive;
}

/** Whoever brings one of these again, it is his. */
export function forgetImages(ledger: Ledger, imageIds: readonly string[]): Ledger {
  if (!imageIds.some((imageId) => ledger.images.has(imageId))) return ledger;
  const images = new Map(ledger.images);
  for (const imageId of imageIds) images.delete(imageId);
  return { ...ledger, images };
}

/** What is said of a removal before its number is known. */
export type Account = Omit<PruneRecord, 'number'>;

/** To be synced before the engine is asked. `series` names the count where it begins. */
export function beginRemoval(
  ledger: Ledger,
  series: string,
  removal: Omit<Removal, 'record'>,
  account: Account,
): Ledger {
  const { prunes } = ledger;
  const record = { ...account, number: prunes.next };
  const underWay = { ...removal, record };
  return { ...ledger, prunes: { ...prunes, series: prunes.series ?? series, next: prunes.next + 1, underWay } };
}

/** `change`: how it came out; null: nothing came of it, and nothing is told. */
export function endRemoval(ledger: Ledger, change: Partial<Account> | null): Ledger {
  const { underWay, ...rest } = ledger.prunes;
  if (underWay === null) return ledger;
  const records = change === null ? rest.records : [...rest.records, { ...underWay.record, ...change }];
  return { ...ledger, prunes: { ...rest, underWay: null, records } };
}

/** Something was against a removal before the engine was asked, or the engine was. Known already: the very same ledger. */
export function noteSkipped(ledger: Ledger, series: string, account: Account): Ledger {
  const image = ledger.images.get(account.imageId);
  if (account.asker === null && image?.skipped === account.why) return ledger;
  const begun = endRemoval(beginRemoval(ledger, series, { tags: [], whole: false }, account), {});
  if (image === undefined || account.asker !== null) return begun;
  return { ...begun, images: new Map(begun.images).set(image.imageId, { ...image, skipped: account.why }) };
}
