import type { AgentView } from '../../projections/views.ts';

/** A short word to the operator about what was done: shown and read out, never in the way. */
export function notify(from: EventTarget, text: string): void {
  from.dispatchEvent(new CustomEvent<string>('notice', { detail: text, bubbles: true, composed: true }));
}

/** An agent as the gateway has just answered it, shown before the live stream says the same. */
export function agentChanged(from: EventTarget, agent: AgentView): void {
  from.dispatchEvent(new CustomEvent<AgentView>('agent-changed', { detail: agent, bubbles: true, composed: true }));
}

/** What a list shows of itself is written into the address, so that a link to it shows the same. `query` is without the `?`. */
export function changeQuery(from: EventTarget, query: string): void {
  from.dispatchEvent(new CustomEvent<string>('query-changed', { detail: query, bubbles: true, composed: true }));
}
