import { css, html, LitElement, nothing } from 'lit';
import type { SessionView } from '../../projections/views.ts';
import '../components/mu-empty.ts';
import '../components/mu-sessions.ts';
import type { SessionWish } from '../components/mu-sessions.ts';
import { serverNow, sessionsInOrder, type Fleet } from '../data/fleet.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import './mu-start-dialog.ts';
import './mu-stop-dialog.ts';
import './mu-why-dialog.ts';

type Open =
  | { readonly dialog: 'start'; readonly imageId: string | null }
  | { readonly dialog: 'stop' | 'why'; readonly sessionId: string };

/** All sessions: start one, see why it is where it is, stop it. */
export class MuSessionsView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    now: { attribute: false },
    open: { state: true },
  };
  declare fleet: Fleet | null;
  declare now: number;
  declare open: Open | null;

  static override styles = [
    base,
    section,
    css`
      details {
        margin-top: var(--space-3);
      }
      summary {
        width: fit-content;
        color: var(--accent);
        font-weight: 500;
      }
      details .panel {
        margin-top: var(--space-2);
      }
    `,
  ];

  constructor() {
    super();
    this.fleet = null;
    this.now = 0;
    this.open = null;
  }

  /** Opens the form, from elsewhere on the page with an image already chosen. */
  start(imageId: string | null): void {
    this.open = { dialog: 'start', imageId };
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const { live, over } = sessionsInOrder(fleet);
    return html`<section aria-labelledby="sessions">
        <div class="top">
          <h2 id="sessions">Sessions<span class="count">${live.length}</span></h2>
          ${fleet.images.size === 0 ? nothing : html`<button class="primary" type="button" @click=${() => this.start(null)}>Start a session</button>`}
        </div>
        ${live.length === 0 ? noSessions(fleet) : html`<div class="panel">${this.#table('Sessions', live, fleet)}</div>`}
        ${
          over.length === 0
            ? nothing
            : html`<details>
                <summary>${over.length} that are over</summary>
                <div class="panel">${this.#table('Sessions that are over', over, fleet)}</div>
              </details>`
        }
      </section>
      ${this.#dialog(fleet)}`;
  }

  #table(label: string, sessions: readonly SessionView[], fleet: Fleet): unknown {
    return html`<mu-sessions
      label=${label}
      .sessions=${sessions}
      .agents=${fleet.agents}
      .images=${fleet.images}
      .now=${serverNow(fleet, this.now)}
      @session-wish=${this.#wished}
    ></mu-sessions>`;
  }

  #dialog(fleet: Fleet): unknown {
    const { open } = this;
    if (open === null) return nothing;
    if (open.dialog === 'start') {
      return html`<mu-start-dialog
        .fleet=${fleet}
        .imageId=${open.imageId ?? ''}
        @dialog-closed=${this.#closed}
      ></mu-start-dialog>`;
    }
    const session = fleet.sessions.get(open.sessionId);
    if (session === undefined) return nothing;
    return open.dialog === 'stop'
      ? html`<mu-stop-dialog .session=${session} @dialog-closed=${this.#closed}></mu-stop-dialog>`
      : html`<mu-why-dialog .session=${session} @dialog-closed=${this.#closed}></mu-why-dialog>`;
  }

  readonly #wished = (event: CustomEvent<SessionWish>): void => {
    this.open = { dialog: event.detail.wish, sessionId: event.detail.session.sessionId };
  };

  readonly #closed = (): void => {
    this.open = null;
  };
}

function noSessions(fleet: Fleet): unknown {
  if (fleet.images.size === 0) {
    return html`<mu-empty heading="No session runs">
      <p>A session is one container started from an image. Define an image first, below.</p>
    </mu-empty>`;
  }
  return html`<mu-empty heading="No session runs">
    <p>
      Start one from an image: the form shows where it would go, and why, before anything happens. The same from a
      script:
      <code>POST /api/v1/sessions</code>.
    </p>
  </mu-empty>`;
}

customElements.define('mu-sessions-view', MuSessionsView);
