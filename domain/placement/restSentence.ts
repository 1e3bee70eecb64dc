import type { Explanation } from './explanation.ts';

/** What an explanation that is not complete says of the agents it does not name; null when it names all. */
export function restSentence({ agents, candidates, complete, codes, decision }: Explanation): string | null {
  if (complete) return null;
  const first = decision === 'placed' ? 'best' : 'nearest';
  const named = `the ${first} ${candidates.length} of ${agents} agents are named`;
  const counts = Object.entries(codes).map(([code, count]) => `${code} ${count}`);
  return counts.length === 0 ? named : `${named}; all of them together gave ${counts.join(', ')}`;
}

/** What has to be said of an explanation that was computed by other rules than those that decided; null when they are the same. */
export function otherRulesSentence({ otherRules }: Explanation): string | null {
  if (otherRules === undefined) return null;
  return `Decided under version ${otherRules} of the rules. The reasons are computed by those of today, and may differ.`;
}
