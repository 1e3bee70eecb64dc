/**
 * Every id that travels (agents, sessions, images, zones, callers) has one grammar, because ids become parts of bus
 * subjects, container names and URLs. Checked at the edge, and again before a subject or key is built from one.
 */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

export function isId(text: string): boolean {
  return ID_PATTERN.test(text);
}

/** A host name or other free text made into a valid id: other characters become `-`, cut at 64; empty becomes `agent`. */
export function idFrom(text: string): string {
  const cleaned = text.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64);
  return /[A-Za-z0-9]/.test(cleaned) ? cleaned : 'agent';
}
