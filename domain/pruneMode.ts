/** What an agent removes of its images by itself, each as an operator reads it. */
export const PRUNE_MODES = {
  off: 'Nothing is removed by itself.',
  normal: 'Images that Muster pulled are removed once they have no tag left and nothing uses them.',
  aggressive: 'As normal, and so are images that Muster pulled and no image definition names any more.',
} as const;

export type PruneMode = keyof typeof PRUNE_MODES;

export const PRUNE_MODE_NAMES = Object.keys(PRUNE_MODES) as [PruneMode, ...PruneMode[]];
