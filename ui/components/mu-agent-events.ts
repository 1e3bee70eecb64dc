import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { eventKey, eventSentence, sessionIn, whoAndWhy, type AgentEvent } from '../data/agentEvents.ts';
import { addressOf } from '../data/page.ts';
import { exactTime } from '../data/times.ts';
import { base } from '../styles/base.ts';

/** What happened to one agent, newest first: when, what, by whom and why. */
export class MuAgentEvents extends LitElement {
  static override properties = { events: { attribute: false } };
  declare events: readonly AgentEvent[];

  static override styles = [
    base,
    css`
      li {
        display: grid;
        grid-template-columns: 12.5rem minmax(0, 1fr);
        gap: 0 var(--space-4);
        padding: var(--space-2) var(--space-4);
        overflow-wrap: anywhere;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      time {
        white-space: nowrap;
      }
      .why {
        grid-column: 2;
      }
      @media (max-width: 45rem) {
        li {
          grid-template-columns: minmax(0, 1fr);
        }
        .why {
          grid-column: 1;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.events = [];
  }

  override render(): unknown {
    return html`<ol aria-label="Events">
      ${repeat(this.events, eventKey, (event) => item(event))}
    </ol>`;
  }
}

function item(event: AgentEvent): unknown {
  const by = whoAndWhy(event);
  return html`<li>
    <time class="muted" datetime=${event.occurredAt}>${exactTime(Date.parse(event.occurredAt))}</time>
    <span>${linked(eventSentence(event), sessionIn(event))}</span>
    ${by === '' ? nothing : html`<span class="why muted">${by}</span>`}
  </li>`;
}

/** The sentence, in which the id of a session leads to its page. */
function linked(sentence: string, sessionId: string | null): unknown {
  const at = sessionId === null ? -1 : sentence.indexOf(sessionId);
  if (sessionId === null || at === -1) return sentence;
  const link = html`<a href=${addressOf({ page: 'sessions', id: sessionId })}>${sessionId}</a>`;
  return html`${sentence.slice(0, at)}${link}${sentence.slice(at + sessionId.length)}`;
}

customElements.define('mu-agent-events', MuAgentEvents);
