/** What somebody wants selected: nothing, all that are shown, one turned round, or all between two as well. */
export type SelectWish =
  | { readonly kind: 'none' | 'all' }
  | { readonly kind: 'toggle'; readonly agentId: string }
  | { readonly kind: 'range'; readonly from: string; readonly to: string };

/** What is selected then. `shown` is in the order on screen; what is not shown stays selected, but for `none`. */
export function selectedAfter(
  selected: ReadonlySet<string>,
  wish: SelectWish,
  shown: readonly string[],
): ReadonlySet<string> {
  switch (wish.kind) {
    case 'none':
      return new Set();
    case 'all':
      return new Set([...selected, ...shown]);
    case 'toggle': {
      const after = new Set(selected);
      if (!after.delete(wish.agentId)) after.add(wish.agentId);
      return after;
    }
    case 'range': {
      const [from, to] = [shown.indexOf(wish.from), shown.indexOf(wish.to)];
      if (to === -1) return selected;
      const start = from === -1 ? to : from;
      return new Set([...selected, ...shown.slice(Math.min(start, to), Math.max(start, to) + 1)]);
    }
  }
}
