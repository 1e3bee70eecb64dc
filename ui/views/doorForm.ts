import { asSentence } from '../data/explain.ts';
import { Problem, type GatewayUnreachable } from '../data/problem.ts';

/** What is wrong with the fields of a form, by their ids, as sentences. */
export type FieldProblems = Readonly<Record<string, string>>;

/** The places that the gateway found wrong, by the ids of the fields that show them; null when it is nothing of a field. */
export function fieldProblems(
  refusal: Problem | GatewayUnreachable | null,
  known: readonly string[],
): FieldProblems | null {
  if (!(refusal instanceof Problem)) return null;
  const errors = (refusal.details.errors ?? []).filter(({ path }) => known.includes(path));
  return errors.length === 0
    ? null
    : Object.fromEntries(errors.map(({ path, message }) => [path, asSentence(message)]));
}

/** The first field that is wrong gets the focus, so that typing goes on there. */
export function focusFirst(root: ParentNode, problems: FieldProblems, order: readonly string[]): void {
  const first = order.find((id) => problems[id] !== undefined);
  if (first !== undefined) root.querySelector<HTMLInputElement>(`#${first}`)?.focus();
}

/** Says to the page that a browser is signed in now. */
export function signedIn(from: EventTarget): void {
  from.dispatchEvent(new CustomEvent('signed-in', { bubbles: true, composed: true }));
}
