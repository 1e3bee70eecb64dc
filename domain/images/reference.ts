/**
 * Container references by the grammar of the OCI distribution specification, completed as container engines do it:
 * `[registry/]path[:tag][@digest]`. The first of several parts is a registry when it contains a dot, a colon or a capital
 * letter, or is `localhost`; where none is named engines ask `docker.io`, and one part alone is of its `library`.
 */
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const REGISTRY = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::(?<port>[0-9]{1,5}))?$`);
const REST = new RegExp(
  `^(?<path>${PART}(?:/${PART})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[a-f0-9]{64}))?$`,
);
const DIGEST = /^sha256:[a-f0-9]{64}$/;

const DEFAULT_REGISTRY = 'docker.io';
/** Engines know the default registry by this name, too. */
const FORMER_DEFAULT = 'index.docker.io';
/** Registry and path together, with the slash in between. */
const NAME_LIMIT = 255;
const PORT_LIMIT = 65_535;
/** Engines take it for the id of an image that they have, whatever that is. */
const IMAGE_ID = /^[a-f0-9]{64}$/;

export interface ImageReference {
  /** Whom engines ask for it, in small letters. */
  readonly registry: string;
  readonly path: string;
  /** Null: engines take `latest`, unless there is a digest. */
  readonly tag: string | null;
  /** `sha256:` and 64 hexadecimal digits; other algorithms are not read. */
  readonly digest: string | null;
}

/** Null when the text is not a reference. At most 512 characters are looked at. */
export function parseReference(text: string): ImageReference | null {
  if (text.length > 512) return null;
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const named = /[.:A-Z]/.test(first) || first === 'localhost';
  const registry = named ? registryOf(first) : DEFAULT_REGISTRY;
  const groups = REST.exec(named ? text.slice(slash + 1) : text)?.groups;
  const path = groups?.['path'];
  if (registry === null || path === undefined || IMAGE_ID.test(path)) return null;
  const completed = registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path;
  if (registry.length + 1 + completed.length > NAME_LIMIT) return null;
  return { registry, path: completed, tag: groups?.['tag'] ?? null, digest: groups?.['digest'] ?? null };
}

/** Whether this names content for good. What an engine or an agent says is looked at before it is believed. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

function registryOf(text: string): string | null {
  const match = REGISTRY.exec(text);
  if (match === null || Number(match.groups?.['port'] ?? 1) > PORT_LIMIT) return null;
  const host = text.toLowerCase();
  return host === FORMER_DEFAULT ? DEFAULT_REGISTRY : host;
}
