import type { ReactiveController, ReactiveControllerHost } from 'lit';

/** What has the focus, inside shadow roots too, and all that it stands in, from the inside out. */
export function focusPath(): readonly HTMLElement[] {
  let inner = document.activeElement;
  while (inner?.shadowRoot?.activeElement) inner = inner.shadowRoot.activeElement;
  const path: HTMLElement[] = [];
  for (let node: Node | null = inner; node !== null; node = node instanceof ShadowRoot ? node.host : node.parentNode) {
    if (node instanceof HTMLElement && node !== document.body) path.push(node);
  }
  return path;
}

/** When what had the focus is gone, as a button that did its work, the nearest around it that can have it does. */
export function focusNear(path: readonly HTMLElement[]): void {
  for (const element of path) {
    if (document.activeElement !== null && document.activeElement !== document.body) return;
    element.focus({ preventScroll: true });
  }
}

/** Keeps the focus near when an update takes away what has it: reading and keys go on there, and not at the top of the page. */
export class NearFocus implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  #path: readonly HTMLElement[] = [];

  constructor(host: ReactiveControllerHost & HTMLElement) {
    this.#host = host;
  }

  hostUpdate(): void {
    this.#path = this.#host.shadowRoot?.activeElement instanceof HTMLElement ? focusPath() : [];
  }

  hostUpdated(): void {
    focusNear(this.#path);
  }
}
