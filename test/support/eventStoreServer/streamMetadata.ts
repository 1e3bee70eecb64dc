import { DELETED } from './numbers.ts';

/** What the server itself understands of a stream's metadata; whatever else stands in it is for others. */
export interface StreamMetadata {
  readonly maxCount?: number;
  readonly maxAgeSeconds?: number;
  /** DELETED when the stream is soft deleted. */
  readonly truncateBefore?: number;
  readonly acl?: StreamAcl;
}

/** Roles or user names, as `$acl` has them; undefined: the default of the server. */
export interface StreamAcl {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly delete?: readonly string[];
  readonly metaRead?: readonly string[];
  readonly metaWrite?: readonly string[];
}

/** A 64-bit maximum, which is how EventStoreDB writes a soft deletion into `$tb`. */
const LONG_MAX = 9_223_372_036_854_775_807n;
const SOFT_DELETED = `{"$tb":${LONG_MAX}}`;
const LIMITS = new Set(['$maxCount', '$maxAge', '$tb', '$cacheControl']);

/** Metadata of metadata streams, fixed: only the last one counts. */
export const METADATA_OF_METADATA: StreamMetadata = { maxCount: 1 };
const NONE: StreamMetadata = {};

/** Anything that EventStoreDB cannot read, such as a `$tb` beyond 64 bits, makes the whole metadata count as none. */
export function parseStreamMetadata(json: Uint8Array): StreamMetadata {
  try {
    const value = parseKeepingIntegers(Buffer.from(json).toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return NONE;
    return metadataOf(value as Record<string, unknown>);
  } catch {
    // As in EventStoreDB: malformed metadata is as good as none, it never fails a read.
    return NONE;
  }
}

function metadataOf(value: Record<string, unknown>): StreamMetadata {
  const maxCount = limit(value['$maxCount']);
  const maxAgeSeconds = limit(value['$maxAge']);
  const truncateBefore = limit(value['$tb']);
  limit(value['$cacheControl']);
  const acl = aclOf(value['$acl']);
  return {
    ...(maxCount !== undefined && maxCount > 0 ? { maxCount } : {}),
    ...(maxAgeSeconds !== undefined && maxAgeSeconds > 0 ? { maxAgeSeconds } : {}),
    ...(truncateBefore !== undefined && truncateBefore >= 0 ? { truncateBefore } : {}),
    ...(acl === undefined ? {} : { acl }),
  };
}

function limit(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'bigint' || value > LONG_MAX || value < -LONG_MAX - 1n) throw new TypeError('not an integer');
  return value === LONG_MAX ? DELETED : Number(value);
}

function aclOf(value: unknown): StreamAcl | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('not an acl');
  const acl = value as Record<string, unknown>;
  const names = { $r: 'read', $w: 'write', $d: 'delete', $mr: 'metaRead', $mw: 'metaWrite' } as const;
  const roles = Object.entries(names).flatMap(([key, name]) => (key in acl ? [[name, rolesOf(acl[key])]] : []));
  return Object.fromEntries(roles) as StreamAcl;
}

function rolesOf(value: unknown): readonly string[] {
  const roles: unknown[] = Array.isArray(value) ? value : [value];
  return roles.map((role) => {
    if (typeof role !== 'string') throw new TypeError('not a role');
    return role;
  });
}

/** A soft deletion replaces all metadata of the stream, its limits and rights too. */
export function softDeletedMetadata(): Uint8Array {
  return Buffer.from(SOFT_DELETED);
}

/** A soft-deleted stream comes back from `from` on; the rest of its metadata stays. Null when it is no JSON object. */
export function recreatedMetadata(json: Uint8Array, from: number): Uint8Array | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString('utf8'));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return Buffer.from(JSON.stringify({ ...value, $tb: from }));
  } catch {
    // As in EventStoreDB: what cannot be read is left as it is.
    return null;
  }
}

/** The limits as bigint, since a number of JavaScript rounds the one that says "deleted" to another. */
function parseKeepingIntegers(text: string): unknown {
  const reviver = (key: string, value: unknown, context: { readonly source?: string }): unknown =>
    LIMITS.has(key) && typeof value === 'number' && /^-?\d+$/.test(context.source ?? '')
      ? BigInt(context.source ?? '')
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}
