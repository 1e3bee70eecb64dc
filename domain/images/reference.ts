/**
 * Container references by the OCI distribution grammar: `[registry/]path[:tag][@digest]`. The first part is a registry
 * when it contains a dot or a colon or is `localhost`; without one the engine looks locally and at its default registry.
 */
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REGISTRY =
  '(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?';
const REFERENCE = new RegExp(
  `^(?:(?<registry>${REGISTRY})/)?(?<path>${PART}(?:/${PART})*)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[a-f0-9]{64}))?$`,
);

export interface ImageReference {
  /** Null: no registry named. */
  readonly registry: string | null;
  readonly path: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

/** Null when the text is not a reference. At most 512 characters are looked at. */
export function parseReference(text: string): ImageReference | null {
  if (text.length > 512) return null;
  const [first = '', ...rest] = text.split('/');
  const named = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost');
  const match = REFERENCE.exec(named ? text : `local.invalid/${text}`);
  const groups = match?.groups;
  if (groups?.['path'] === undefined) return null;
  return {
    registry: named ? (groups['registry'] ?? null) : null,
    path: groups['path'],
    tag: groups['tag'] ?? null,
    digest: groups['digest'] ?? null,
  };
}
