import type { ImageNeeds } from '../../domain/images/image.ts';

/** `Only on agents with gpu=l40, rack; never on those with spot.`; null where any agent will do. */
export function labelsSentence({
  includeLabels,
  excludeLabels,
}: Pick<ImageNeeds, 'includeLabels' | 'excludeLabels'>): string | null {
  const only = includeLabels.length === 0 ? null : `Only on agents with ${includeLabels.join(', ')}`;
  if (excludeLabels.length === 0) return only === null ? null : `${only}.`;
  const never = excludeLabels.join(', ');
  return only === null ? `Never on agents with ${never}.` : `${only}; never on those with ${never}.`;
}
