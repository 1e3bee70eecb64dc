/** A short word to the operator about what was done: shown and read out, never in the way. */
export function notify(from: EventTarget, text: string): void {
  from.dispatchEvent(new CustomEvent<string>('notice', { detail: text, bubbles: true, composed: true }));
}
