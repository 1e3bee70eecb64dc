import { focusPath } from '../components/nearFocus.ts';

/**
 * Puts the focus on a heading when what had it is gone, as a row that was removed, and with it all around it but the page:
 * reading goes on there.
 */
export function focusIfLost(root: ParentNode, selector: string): void {
  const inner = focusPath()[0];
  if (inner !== undefined && inner.localName !== 'main') return;
  root.querySelector<HTMLElement>(selector)?.focus();
}
