import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import type { SessionView } from '../../projections/views.ts';
import '../components/mu-empty.ts';
import '../components/mu-sessions.ts';
import type { SessionWish } from '../components/mu-sessions.ts';
import { counted, whole } from '../data/amounts.ts';
import { imagesInOrder, serverNow, type Fleet } from '../data/fleet.ts';
import { addressOf } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';
import {
  isFiltered,
  pageOf,
  PHASES,
  sessionFilterOf,
  sessionQuery,
  sessionsShown,
  type SessionFilter,
} from '../data/sessionList.ts';
import { base, form } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { changeQuery } from './events.ts';
import './mu-confirm-dialog.ts';
import './mu-start-dialog.ts';
import './mu-stop-many-dialog.ts';
import './mu-why-dialog.ts';
import { stopQuestion } from './questions.ts';
import { NearFocus } from '../components/nearFocus.ts';

type Open =
  | { readonly dialog: 'start'; readonly imageId: string | null }
  | { readonly dialog: 'stop' | 'why'; readonly sessionId: string }
  | { readonly dialog: 'stop-many'; readonly sessions: readonly SessionView[] };

const NONE: ReadonlySet<string> = new Set();

/** All sessions, as the address filters them: start one, see why it is where it is, stop one or many. */
export class MuSessionsView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    query: { attribute: false },
    open: { state: true },
    selected: { state: true },
  };
  declare fleet: Fleet | null;
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  /** What stands in the address: the filter; `start=ID` opens the form with that image chosen. */
  declare query: string;
  declare open: Open | null;
  declare selected: ReadonlySet<string>;
  #filter: SessionFilter = sessionFilterOf('');
  #shown: readonly SessionView[] = [];

  static override styles = [
    base,
    form,
    section,
    css`
      .filters {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr));
        gap: var(--space-2) var(--space-3);
        margin-bottom: var(--space-3);
        max-width: 60rem;
      }
      .filters label {
        font-size: var(--text-s);
        font-weight: 400;
        color: var(--muted);
      }
      .chosen,
      .pages {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2) var(--space-3);
        align-items: center;
        margin-block: var(--space-3);
      }
      .pages {
        justify-content: center;
      }
    `,
  ];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.fleet = null;
    this.may = 'viewer';
    this.now = 0;
    this.query = '';
    this.open = null;
    this.selected = NONE;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('query')) {
      this.#filter = sessionFilterOf(this.query);
      const imageId = new URLSearchParams(this.query).get('start');
      if (imageId !== null) this.open = { dialog: 'start', imageId };
    }
    const before = changed.get('fleet');
    const moved =
      changed.has('fleet') &&
      (before?.sessions !== this.fleet?.sessions || before?.sessionMark !== this.fleet?.sessionMark);
    // A check-in changes agents and no session: ten thousand rows are not gone through for that.
    if ((moved || changed.has('query')) && this.fleet !== null) this.#shown = sessionsShown(this.fleet, this.#filter);
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const { rows, page, pages } = pageOf(this.#shown, this.#filter.page);
    return html`<section aria-labelledby="sessions">
        <div class="top">
          <h2 id="sessions">Sessions<span class="count">${whole(this.#shown.length)}</span></h2>
          ${fleet.images.size === 0 ? nothing : this.#startButton()}
        </div>
        ${fleet.sessions.size === 0 ? nothing : this.#filters(fleet)}
        ${
          rows.length === 0
            ? this.#empty(fleet)
            : html`${this.#chosen(fleet)}
                <div class="panel">${this.#table(rows, fleet)}</div>
                ${this.#pages(page, pages)}`
        }
      </section>
      ${this.#dialog(fleet)}`;
  }

  #startButton(): unknown {
    const why = whyNot(this.may, 'operator');
    return html`<button
      class="primary"
      type="button"
      ?disabled=${why !== null}
      title=${why ?? nothing}
      @click=${this.#start}
    >
      Start a session
    </button>`;
  }

  #filters(fleet: Fleet): unknown {
    const { show, image, agent, who } = this.#filter;
    return html`<div class="filters" role="search" aria-label="Filter sessions">
      <div class="field">
        <label for="phase">Phase</label>
        <select id="phase" @change=${(event: Event) => this.#filtered('phase', event)}>
          ${option('live', 'Live', show)} ${option('over', 'Over', show)} ${option('all', 'All', show)}
          <optgroup label="Only">${PHASES.map((phase) => option(phase, phase, show))}</optgroup>
        </select>
      </div>
      <div class="field">
        <label for="image">Image</label>
        <select id="image" @change=${(event: Event) => this.#filtered('image', event)}>
          ${option('', 'Any', image)} ${imagesInOrder(fleet).map(({ imageId, name }) => option(imageId, name, image))}
          ${image === '' || fleet.images.has(image) ? nothing : option(image, `${image} (retired)`, image)}
        </select>
      </div>
      ${this.#textFilter('agent', 'Agent', agent)} ${this.#textFilter('who', 'Requested by', who)}
    </div>`;
  }

  #textFilter(name: 'agent' | 'who', label: string, value: string): unknown {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input
        id=${name}
        type="search"
        maxlength="64"
        autocapitalize="none"
        spellcheck="false"
        .value=${value}
        @input=${(event: Event) => this.#filtered(name, event)}
      />
    </div>`;
  }

  /** What is selected, and what can be done with it. */
  #chosen(fleet: Fleet): unknown {
    if (whyNot(this.may, 'operator') !== null) return nothing;
    const count = this.#selectedIn(fleet).length;
    const all = this.#shown.length;
    return html`<div class="chosen">
      <span role="status">${count === 0 ? 'None selected' : `${whole(count)} selected`}</span>
      ${
        count < all
          ? html`<button class="quiet" type="button" @click=${this.#selectAll}>
              Select ${all === 1 ? 'it' : `all ${whole(all)}`}
            </button>`
          : nothing
      }
      ${
        count === 0
          ? nothing
          : html`<button class="quiet" type="button" @click=${this.#selectNone}>Select none</button>
              <button type="button" @click=${() => this.#stopMany(fleet)}>
                Stop ${counted(count, 'session', 'sessions')}
              </button>`
      }
    </div>`;
  }

  #table(sessions: readonly SessionView[], fleet: Fleet): unknown {
    return html`<mu-sessions
      label="Sessions"
      .sessions=${sessions}
      .agents=${fleet.agents}
      .images=${fleet.images}
      .now=${serverNow(fleet, this.now)}
      .may=${this.may}
      .selected=${whyNot(this.may, 'operator') === null ? this.selected : null}
      @session-wish=${this.#wished}
      @selection-changed=${(event: CustomEvent<ReadonlySet<string>>) => {
        this.selected = event.detail;
      }}
    ></mu-sessions>`;
  }

  #pages(page: number, pages: number): unknown {
    if (pages === 1) return nothing;
    return html`<nav class="pages" aria-label="Pages of sessions">
      <button type="button" ?disabled=${page === 1} @click=${() => this.#turn(page - 1)}>Newer</button>
      <span role="status">Page ${page} of ${pages}</span>
      <button type="button" ?disabled=${page === pages} @click=${() => this.#turn(page + 1)}>Older</button>
    </nav>`;
  }

  #empty(fleet: Fleet): unknown {
    if (!isFiltered(this.#filter)) return noSessions(fleet);
    return html`<mu-empty heading="No session is like that">
      <p><a href=${addressOf({ page: 'sessions' })}>Show all that are live</a></p>
    </mu-empty>`;
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
    if (open.dialog === 'stop-many') {
      return html`<mu-stop-many-dialog
        .sessions=${open.sessions}
        @dialog-closed=${this.#closed}
      ></mu-stop-many-dialog>`;
    }
    const session = fleet.sessions.get(open.sessionId);
    if (session === undefined) return nothing;
    return open.dialog === 'stop'
      ? html`<mu-confirm-dialog
          .question=${stopQuestion(this, session)}
          @dialog-closed=${this.#closed}
        ></mu-confirm-dialog>`
      : html`<mu-why-dialog .session=${session} @dialog-closed=${this.#closed}></mu-why-dialog>`;
  }

  /** Of those that were selected, the ones that are there still, on any page. */
  #selectedIn({ sessions }: Fleet): readonly SessionView[] {
    return [...this.selected].flatMap((sessionId) => sessions.get(sessionId) ?? []);
  }

  #filtered(name: 'phase' | 'image' | 'agent' | 'who', event: Event): void {
    const { target } = event;
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    const { show, image, agent, who } = this.#filter;
    const said = new URLSearchParams(sessionQuery({ show, image, agent, who, page: 1 }));
    said.set(name, target.value);
    this.selected = NONE;
    changeQuery(this, sessionQuery(sessionFilterOf(said.toString())));
  }

  #turn(page: number): void {
    changeQuery(this, sessionQuery({ ...this.#filter, page }));
  }

  #stopMany(fleet: Fleet): void {
    this.open = { dialog: 'stop-many', sessions: this.#selectedIn(fleet) };
  }

  readonly #selectAll = (): void => {
    this.selected = new Set(this.#shown.map(({ sessionId }) => sessionId));
  };

  readonly #selectNone = (): void => {
    this.selected = NONE;
  };

  readonly #wished = (event: CustomEvent<SessionWish>): void => {
    this.open = { dialog: event.detail.wish, sessionId: event.detail.session.sessionId };
  };

  readonly #start = (): void => {
    this.open = { dialog: 'start', imageId: null };
  };

  readonly #closed = (): void => {
    if (this.open?.dialog === 'stop-many') this.selected = NONE;
    this.open = null;
    const query = new URLSearchParams(this.query);
    if (!query.has('start')) return;
    query.delete('start');
    changeQuery(this, query.toString());
  };
}

function option(value: string, text: string, chosen: string): unknown {
  return html`<option value=${value} ?selected=${value === chosen}>${text}</option>`;
}

function noSessions(fleet: Fleet): unknown {
  if (fleet.images.size === 0) {
    return html`<mu-empty heading="No session runs">
      <p>
        A session is one container started from an image.
        <a href=${addressOf({ page: 'images' })}>Define an image</a> first.
      </p>
    </mu-empty>`;
  }
  return html`<mu-empty heading="No session runs">
    <p>
      Start one from an image: the form shows where it would go, and why, before anything happens. The same from a
      script:
      <code>POST /api/v1/sessions</code>.
    </p>
    ${
      fleet.sessions.size === 0
        ? nothing
        : html`<p><a href=${addressOf({ page: 'sessions', query: 'phase=over' })}>Show those that are over</a></p>`
    }
  </mu-empty>`;
}

customElements.define('mu-sessions-view', MuSessionsView);
