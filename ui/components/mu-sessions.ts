import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView, ImageView, SessionView } from '../../projections/views.ts';
import { whyNot } from '../data/roles.ts';
import { addressOf } from '../data/page.ts';
import { claimText, devicesText, isStoppable, phaseText, sessionAge, toneOf } from '../data/sessions.ts';
import { base } from '../styles/base.ts';
import { table } from '../styles/table.ts';
import { dash } from './dash.ts';
import { endpoints } from './endpoints.ts';
import './mu-state.ts';

export type SessionWish = { readonly wish: 'stop' | 'why'; readonly session: SessionView };

/** Sessions in rows; cards on a narrow screen. Dispatches `session-wish`, and `selection-changed` with the ids that are selected. */
export class MuSessions extends LitElement {
  static override properties = {
    label: {},
    sessions: { attribute: false },
    agents: { attribute: false },
    images: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    selected: { attribute: false },
  };
  declare label: string;
  declare sessions: readonly SessionView[];
  declare agents: ReadonlyMap<string, AgentView>;
  declare images: ReadonlyMap<string, ImageView>;
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  /** The ids that are selected; null: nothing can be. */
  declare selected: ReadonlySet<string> | null;
  /** The row that was selected last: with the shift key held, all up to the next one are. */
  #anchor: string | null = null;

  static override styles = [
    base,
    table,
    css`
      .table {
        --columns: minmax(9rem, 1.2fr) minmax(12rem, 2fr) minmax(8rem, 1.1fr) minmax(8rem, 1.1fr) minmax(9rem, 1.2fr)
          4.5rem 7.5rem;
        padding: var(--space-3) var(--space-4) 0;
      }
      .table.selectable {
        --columns: 1.25rem minmax(9rem, 1.2fr) minmax(12rem, 2fr) minmax(8rem, 1.1fr) minmax(8rem, 1.1fr)
          minmax(9rem, 1.2fr) 4.5rem 7.5rem;
      }
      input[type='checkbox'] {
        accent-color: var(--accent);
        width: 1rem;
        height: 1rem;
        margin: 0;
        vertical-align: -0.1rem;
      }
      .row[data-selected] {
        background: var(--accent-soft);
        box-shadow: 0 0 0 0.5rem var(--accent-soft);
        clip-path: inset(0 -0.5rem);
      }
      .row {
        margin: 0;
      }
      .id {
        font: var(--text-s) / 1.4 var(--font-mono);
        color: var(--muted);
        display: block;
      }
      a.image {
        font-weight: 550;
        color: inherit;
      }
      .second {
        display: block;
        font-size: var(--text-s);
        color: var(--muted);
      }
      .age {
        text-align: right;
      }
      .do {
        display: flex;
        justify-content: end;
        margin-right: calc(-1 * var(--space-2));
      }
      @media (max-width: 60rem) {
        .row {
          padding-block: var(--space-3);
        }
        [data-label='Image'],
        [data-label='State'] {
          grid-template-columns: minmax(0, 1fr);
        }
        [data-label='Image']::before,
        [data-label='State']::before {
          content: none;
        }
        .id {
          display: inline;
          margin-left: var(--space-2);
        }
        .row:has(.box) {
          position: relative;
        }
        [role='cell'].box {
          position: absolute;
          right: 0;
          top: var(--space-3);
          display: block;
        }
        /* A card says nothing of what is not there. */
        [data-empty] {
          display: none;
        }
        .age {
          text-align: left;
        }
        [role='cell'].do {
          display: flex;
          justify-content: start;
          margin-left: calc(-1 * var(--space-2));
        }
      }
    `,
  ];

  constructor() {
    super();
    this.label = 'Sessions';
    this.sessions = [];
    this.agents = new Map();
    this.images = new Map();
    this.now = 0;
    this.may = 'admin';
    this.selected = null;
  }

  override render(): unknown {
    const { selected } = this;
    return html`<div role="table" aria-label=${this.label} class="table ${selected === null ? '' : 'selectable'}">
      <div role="row" class="head">
        ${selected === null ? nothing : html`<span role="columnheader"><span class="visually-hidden">Selected</span></span>`}
        ${['Image', 'State', 'Agent', 'Holds', 'Endpoints'].map((name) => html`<span role="columnheader">${name}</span>`)}
        <span role="columnheader" class="age">Age</span>
        <span role="columnheader"><span class="visually-hidden">Actions</span></span>
      </div>
      ${repeat(
        this.sessions,
        (session) => session.sessionId,
        (session) => this.#row(session),
      )}
    </div>`;
  }

  #row(session: SessionView): unknown {
    const agent = session.agentId === null ? undefined : this.agents.get(session.agentId);
    const devices = devicesText(session, agent);
    const why = whyNot(this.may, 'operator');
    const chosen = this.selected?.has(session.sessionId) === true;
    return html`<div role="row" class="row" ?data-selected=${chosen}>
      ${this.selected === null ? nothing : this.#box(session, chosen)}
      <span role="cell" data-label="Image"
        ><span
          ><a class="image" href=${addressOf({ page: 'sessions', id: session.sessionId })}
            >${this.images.get(session.imageId)?.name ?? session.imageId}</a
          >
          <span class="id">${session.sessionId}</span> <span class="second">by ${session.requestedBy.id}</span></span
        ></span
      >
      <span role="cell" data-label="State"
        ><mu-state tone=${toneOf(session)} text=${phaseText(session)}></mu-state
      ></span>
      <span role="cell" data-label="Agent" ?data-empty=${session.agentId === null}
        ><span
          >${agentLink(session.agentId)}
          ${agent?.simulated === true ? html`<span class="tag">simulated</span>` : nothing}
          ${devices === null ? nothing : html`<span class="second">${devices}</span>`}</span
        ></span
      >
      <span role="cell" data-label="Holds" ?data-empty=${session.claim === null}
        >${claimText(session) ?? dash('nothing')}</span
      >
      <span role="cell" data-label="Endpoints" ?data-empty=${session.endpoints.length === 0}
        >${endpoints(session)}</span
      >
      <span role="cell" data-label="Age" class="age">${sessionAge(session, this.now)}</span>
      <span role="cell" data-label="" class="do">
        <button class="quiet" type="button" @click=${() => this.#wish({ wish: 'why', session })}>
          Why<span class="visually-hidden"> is ${session.sessionId} there</span>
        </button>
        ${
          isStoppable(session)
            ? html`<button
                class="quiet"
                type="button"
                ?disabled=${why !== null}
                title=${why ?? nothing}
                @click=${() => this.#wish({ wish: 'stop', session })}
              >
                Stop<span class="visually-hidden"> ${session.sessionId}</span>
              </button>`
            : nothing
        }
      </span>
    </div>`;
  }

  #box({ sessionId }: SessionView, chosen: boolean): unknown {
    return html`<span role="cell" data-label="" class="box"
      ><input
        type="checkbox"
        aria-label="Select ${sessionId}"
        .checked=${chosen}
        @click=${(event: MouseEvent) => this.#toggled(sessionId, !chosen, event.shiftKey)}
    /></span>`;
  }

  #toggled(sessionId: string, chosen: boolean, upTo: boolean): void {
    const ids = this.sessions.map((session) => session.sessionId);
    const [from, to] = [ids.indexOf(this.#anchor ?? ''), ids.indexOf(sessionId)];
    const meant = upTo && from >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [sessionId];
    this.#anchor = sessionId;
    const detail = new Set(this.selected);
    for (const id of meant) {
      if (chosen) detail.add(id);
      else detail.delete(id);
    }
    this.dispatchEvent(new CustomEvent<ReadonlySet<string>>('selection-changed', { detail }));
  }

  #wish(detail: SessionWish): void {
    this.dispatchEvent(new CustomEvent<SessionWish>('session-wish', { detail }));
  }
}

function agentLink(agentId: string | null): unknown {
  return agentId === null ? dash('none') : html`<a href=${addressOf({ page: 'agents', id: agentId })}>${agentId}</a>`;
}

customElements.define('mu-sessions', MuSessions);
