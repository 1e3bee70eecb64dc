/** Puts the focus on a heading when what had it is gone, as a row that was removed: reading goes on there. */
export function focusIfLost(root: ParentNode, selector: string): void {
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  root.querySelector<HTMLElement>(selector)?.focus();
}
