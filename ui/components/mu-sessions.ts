import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { AgentView, ImageView, SessionPhase, SessionView } from '../../projections/views.ts';
import { claimText, devicesText, endpointLinks, phaseText, sessionAge } from '../data/sessions.ts';
import { base } from '../styles/base.ts';
import { table } from '../styles/table.ts';
import './mu-state.ts';
import type { Tone } from './mu-state.ts';

export type SessionWish = { readonly wish: 'stop' | 'why'; readonly session: SessionView };

const TONES: Readonly<Record<SessionPhase, Tone>> = {
  waiting: 'idle',
  placed: 'busy',
  starting: 'busy',
  running: 'ok',
  stopping: 'busy',
  ended: 'idle',
  refused: 'danger',
  cancelled: 'idle',
  unknown: 'warn',
};

const STOPPABLE: ReadonlySet<SessionPhase> = new Set(['waiting', 'placed', 'starting', 'running', 'unknown']);

/** Sessions in rows; cards on a narrow screen. Dispatches `session-wish`. */
export class MuSessions extends LitElement {
  static override properties = {
    label: {},
    sessions: { attribute: false },
    agents: { attribute: false },
    images: { attribute: false },
    now: { attribute: false },
  };
  declare label: string;
  declare sessions: readonly SessionView[];
  declare agents: ReadonlyMap<string, AgentView>;
  declare images: ReadonlyMap<string, ImageView>;
  declare now: number;

  static override styles = [
    base,
    table,
    css`
      .table {
        --columns: minmax(9rem, 1.2fr) minmax(12rem, 2fr) minmax(8rem, 1.1fr) minmax(8rem, 1.1fr) minmax(9rem, 1.2fr)
          4.5rem 7.5rem;
        padding: var(--space-3) var(--space-4) 0;
      }
      .row {
        margin: 0;
      }
      .id {
        font: var(--text-s) / 1.4 var(--font-mono);
        color: var(--muted);
        display: block;
      }
      .image {
        font-weight: 550;
      }
      .second {
        display: block;
        font-size: var(--text-s);
        color: var(--muted);
      }
      .age,
      .head > :nth-child(6) {
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
  }

  override render(): unknown {
    return html`<div role="table" aria-label=${this.label} class="table">
      <div role="row" class="head">
        ${['Image', 'State', 'Agent', 'Holds', 'Endpoints', 'Age'].map((name) => html`<span role="columnheader">${name}</span>`)}
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
    return html`<div role="row" class="row">
      <span role="cell" data-label="Image"
        ><span
          ><span class="image">${this.images.get(session.imageId)?.name ?? session.imageId}</span>
          <span class="id">${session.sessionId}</span></span
        ></span
      >
      <span role="cell" data-label="State"
        ><mu-state tone=${toneOf(session)} text=${phaseText(session)}></mu-state
      ></span>
      <span role="cell" data-label="Agent" ?data-empty=${session.agentId === null}
        ><span
          >${session.agentId ?? dash('none')}
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
          STOPPABLE.has(session.phase)
            ? html`<button class="quiet" type="button" @click=${() => this.#wish({ wish: 'stop', session })}>
                Stop<span class="visually-hidden"> ${session.sessionId}</span>
              </button>`
            : nothing
        }
      </span>
    </div>`;
  }

  #wish(detail: SessionWish): void {
    this.dispatchEvent(new CustomEvent<SessionWish>('session-wish', { detail }));
  }
}

function toneOf({ phase, health }: SessionView): Tone {
  return health === 'unhealthy' ? 'warn' : TONES[phase];
}

function endpoints(session: SessionView): unknown {
  const links = endpointLinks(session, globalThis.location.hostname);
  if (links.length === 0) return dash('none');
  return html`<span
    >${links.map(({ href, text }) =>
      href === null
        ? html`<span class="second">${text} udp</span>`
        : html`<a href=${href} target="_blank" rel="noopener noreferrer">${text}</a> `,
    )}</span
  >`;
}

function dash(meaning: string): unknown {
  return html`<span class="muted"
    ><span aria-hidden="true">–</span><span class="visually-hidden">${meaning}</span></span
  >`;
}

customElements.define('mu-sessions', MuSessions);
