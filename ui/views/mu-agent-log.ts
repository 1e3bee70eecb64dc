import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { Action } from '../components/action.ts';
import '../components/mu-agent-events.ts';
import '../components/mu-refusal.ts';
import { eventKey, type AgentEvent, type AgentEventsPage } from '../data/agentEvents.ts';
import { agentEventsOf } from '../data/gateway.ts';
import { exactTime } from '../data/times.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';

/** The events of one agent, a page at a time. Asked for anew when `mark` is another, so that what happens shows. */
export class MuAgentLog extends LitElement {
  static override properties = {
    agentId: { attribute: false },
    mark: { attribute: false },
    pages: { state: true },
  };
  declare agentId: string;
  declare mark: string;
  /** Newest first; empty while nothing is known. */
  declare pages: readonly AgentEventsPage[];
  readonly #load = new Action(this);
  #missed = false;

  static override styles = [
    base,
    section,
    css`
      .end {
        margin-top: var(--space-2);
      }
    `,
  ];

  constructor() {
    super();
    this.agentId = '';
    this.mark = '';
    this.pages = [];
  }

  override render(): unknown {
    const events = this.pages.flatMap((page) => page.events);
    const last = this.pages.at(-1);
    return html`<section aria-labelledby="events">
      <div class="top"><h3 id="events">Events</h3></div>
      <mu-refusal .refusal=${this.#load.refusal}></mu-refusal>
      ${
        last === undefined
          ? html`<p class="muted" role="status">${this.#load.refusal === null ? 'Loading' : nothing}</p>`
          : events.length === 0
            ? html`<p class="muted">Nothing is recorded of it yet.</p>`
            : html`<div class="panel"><mu-agent-events .events=${events}></mu-agent-events></div>`
      }
      <div class="end">${this.#end(last)}</div>
    </section>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('agentId') && changed.get('agentId') !== undefined) this.pages = [];
    if (changed.has('agentId') || changed.has('mark')) void this.#newest();
  }

  #end(last: AgentEventsPage | undefined): unknown {
    if (this.#load.refusal !== null) {
      return html`<button type="button" @click=${() => this.#newest()}>Try again</button>`;
    }
    if (last === undefined) return nothing;
    if (last.next !== null) {
      return html`<button type="button" aria-disabled=${this.#load.busy} @click=${this.#older}>
        ${this.#load.busy ? 'Loading' : 'Older events'}
      </button>`;
    }
    return last.since === null
      ? nothing
      : html`<p class="small muted">
          What happened before ${exactTime(Date.parse(last.since))} is in the log, and not listed by agent.
        </p>`;
  }

  /** What is new is put before what is there; where it does not join, the list begins anew. */
  async #newest(): Promise<void> {
    if (this.#load.busy) {
      this.#missed = true;
      return;
    }
    await this.#load.run(async () => {
      const { agentId } = this;
      const page = await agentEventsOf(agentId, null);
      if (agentId !== this.agentId) return;
      this.pages = joined(page, this.pages);
    });
    if (!this.#missed) return;
    this.#missed = false;
    await this.#newest();
  }

  readonly #older = async (): Promise<void> => {
    const before = this.pages.at(-1)?.next ?? null;
    if (before === null) return;
    await this.#load.run(async () => {
      const { agentId } = this;
      const page = await agentEventsOf(agentId, before);
      if (agentId === this.agentId) this.pages = [...this.pages, page];
    });
  };
}

function joined(page: AgentEventsPage, pages: readonly AgentEventsPage[]): readonly AgentEventsPage[] {
  const [first, ...rest] = pages;
  const newest = first?.events[0];
  if (first === undefined || newest === undefined) return [page];
  const added = page.events.findIndex((event: AgentEvent) => eventKey(event) === eventKey(newest));
  if (added === -1) return [page];
  return [{ ...first, events: [...page.events.slice(0, added), ...first.events] }, ...rest];
}

customElements.define('mu-agent-log', MuAgentLog);
