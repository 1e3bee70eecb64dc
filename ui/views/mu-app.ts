import { html, LitElement, nothing } from 'lit';
import type { AgentView, ImageView, SessionView } from '../../projections/views.ts';
import { applyPatch, fleetFromSnapshot, fleetSummary, serverNow, type Fleet, type LivePatch } from '../data/fleet.ts';
import { signInByLink, signOut, whoAmI, type Me } from '../data/gateway.ts';
import { LiveFleet } from '../data/live.ts';
import { addressOf, isSamePlace, OVERVIEW, PAGE_NAMES, placeAt, titleOf, type Place } from '../data/page.ts';
import { isRefusal, isSignedOut } from '../data/problem.ts';
import { secretLink, type SecretLink } from '../data/signInLink.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { appBanners, type Lost } from './appBanners.ts';
import { appHeader } from './appHeader.ts';
import { appPage, loadPage, nameShown, timeOf } from './appPage.ts';
import { appStyles } from './appStyles.ts';
import './mu-account-dialog.ts';
import './mu-first-account.ts';
import './mu-set-password.ts';
import './mu-sign-in.ts';
import { ScrollMemory } from './scrollMemory.ts';

/** How long a notice stays on screen. */
const NOTICE_MS = 10_000;
const LATER = 'muster-first-account-later';

type Access =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly problem: string | null }
  | { readonly kind: 'setting-password'; readonly token: string }
  | { readonly kind: 'first'; readonly me: Me }
  | { readonly kind: 'in'; readonly me: Me };

/** The page: who is signed in, the live fleet, and the sections that show it. */
export class MuApp extends LitElement {
  static override properties = {
    access: { state: true },
    fleet: { state: true },
    now: { state: true },
    lost: { state: true },
    notice: { state: true },
    account: { state: true },
    place: { state: true },
  };
  declare access: Access;
  declare fleet: Fleet | null;
  declare now: number;
  /** Null while the connection is there. */
  declare lost: Lost | null;
  declare notice: string | null;
  /** Whether the dialog of one's own account is open. */
  declare account: boolean;
  /** Null where the address leads nowhere. */
  declare place: Place | null;
  readonly #scroll = new ScrollMemory();
  #ticking: ReturnType<typeof setInterval> | undefined;
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  readonly #live = new LiveFleet(
    {
      onSnapshot: (snapshot) => {
        this.now = Date.now();
        this.fleet = fleetFromSnapshot(snapshot, this.now);
        this.lost = null;
      },
      onPatch: (patch) => this.#patched(patch),
      onLost: (retryInSeconds) => {
        this.now = Date.now();
        this.lost = { since: this.lost?.since ?? this.now, retryAt: this.now + retryInSeconds * 1000 };
      },
      onSignedOut: () => this.#leave('Your session has ended; sign in again'),
    },
    () => this.#whoNow(),
  );

  static override styles = [base, section, appStyles];

  constructor() {
    super();
    this.access = { kind: 'asking' };
    this.fleet = null;
    this.now = Date.now();
    this.lost = null;
    this.notice = null;
    this.account = false;
    this.place = OVERVIEW;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener('hashchange', this.#hashChanged);
    this.#ticking = setInterval(() => {
      this.now = Date.now();
    }, 1000);
    const link = this.#linkInAddress();
    this.place = this.#placeInAddress();
    void this.#enter(link);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    globalThis.removeEventListener('hashchange', this.#hashChanged);
    clearInterval(this.#ticking);
    clearTimeout(this.#noticeTimer);
    this.#live.close();
  }

  override render(): unknown {
    const { access } = this;
    if (access.kind === 'asking') return html`<p class="waiting" role="status">Loading</p>`;
    if (access.kind === 'out') {
      return html`<mu-sign-in .problem=${access.problem} @signed-in=${() => this.#enter(null)}></mu-sign-in>`;
    }
    if (access.kind === 'setting-password') {
      return html`<mu-set-password .token=${access.token} @signed-in=${() => this.#enter(null)}></mu-set-password>`;
    }
    if (access.kind === 'first') {
      return html`<mu-first-account
        @signed-in=${() => this.#enter(null)}
        @later=${() => this.#later(access.me)}
      ></mu-first-account>`;
    }
    return html`${appHeader({
        me: access.me,
        page: this.place?.page ?? null,
        summary: this.fleet === null ? null : fleetSummary(this.fleet),
        onAccount: () => this.#showAccount(true),
        onSignOut: this.#signOut,
      })}
      <main
        tabindex="-1"
        aria-label=${this.place === null ? 'No such page' : PAGE_NAMES[this.place.page]}
        @signed-out=${() => this.#leave(null)}
        @me-changed=${this.#meChanged}
        @agent-changed=${(event: CustomEvent<AgentView>) => this.#changed({ agents: [event.detail] })}
        @agent-removed=${(event: CustomEvent<string>) => this.#changed({ removedAgents: [event.detail] })}
        @session-changed=${(event: CustomEvent<SessionView>) => this.#changed({ sessions: [event.detail] })}
        @image-changed=${(event: CustomEvent<ImageView>) => this.#changed({ images: [event.detail] })}
        @image-retired=${(event: CustomEvent<string>) => this.#changed({ removedImages: [event.detail] })}
        @notice=${(event: CustomEvent<string>) => this.#say(event.detail)}
        @query-changed=${(event: CustomEvent<string>) => this.#queryChanged(event.detail)}
      >
        ${appBanners({
          me: access.me,
          page: this.place?.page ?? null,
          fleet: this.fleet,
          lost: this.lost,
          now: this.now,
          onRetry: this.#live.retryNow,
        })}
        ${appPage({ place: this.place, me: access.me, fleet: this.fleet, now: this.now })}
      </main>
      ${this.#accountDialog(access.me)}
      <div class="notice" role="status">${this.notice === null ? nothing : html`<p>${this.notice}</p>`}</div>`;
  }

  #accountDialog(me: Me): unknown {
    if (!this.account) return nothing;
    return html`<mu-account-dialog
      .me=${me}
      .now=${timeOf(this.fleet, this.now)}
      @dialog-closed=${() => this.#showAccount(false)}
      @signed-out=${() => this.#leave(null)}
      @notice=${(event: CustomEvent<string>) => this.#say(event.detail)}
    ></mu-account-dialog>`;
  }

  #showAccount(open: boolean): void {
    this.account = open;
  }

  protected override updated(): void {
    if (this.place !== null) void this.#loadPage(this.place);
    document.title = titleOf(this.place, nameShown(this.place, this.fleet));
    this.toggleAttribute('wide', this.place?.page === 'agents' && this.place.id === null);
  }

  async #loadPage(place: Place): Promise<void> {
    try {
      await loadPage(place);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      this.#say('This page could not be loaded: load it again in the browser once the gateway answers.');
    }
  }

  readonly #hashChanged = (): void => {
    const link = this.#linkInAddress();
    if (link !== null) void this.#enter(link);
    void this.#turnTo(this.#placeInAddress());
  };

  /** Another page begins at its top, one gone back to where it was left, and reading goes on there. */
  async #turnTo(place: Place | null): Promise<void> {
    const before = this.place;
    this.place = place;
    if (isSamePlace(before, place)) return;
    const top = this.#scroll.turned();
    await this.updateComplete;
    this.renderRoot.querySelector('main')?.focus({ preventScroll: true });
    requestAnimationFrame(() => globalThis.scrollTo(0, top));
  }

  /** An address from before is written as it is today. */
  #placeInAddress(): Place | null {
    const { hash } = globalThis.location;
    const place = placeAt(hash);
    if (place !== null && hash.startsWith('#/') && hash !== addressOf(place)) {
      history.replaceState(history.state, '', addressOf(place));
    }
    return place;
  }

  #queryChanged(query: string): void {
    if (this.place === null) return;
    this.place = { ...this.place, query };
    history.replaceState(history.state, '', addressOf(this.place));
  }

  /** Taken out of the address at once, so that the token is in no history, screenshot or copied address. */
  #linkInAddress(): SecretLink | null {
    const link = secretLink(globalThis.location.hash);
    if (link !== null) history.replaceState(null, '', globalThis.location.pathname + globalThis.location.search);
    return link;
  }

  /** Uses a link if there is one, and asks who we are. */
  async #enter(link: SecretLink | null): Promise<void> {
    if (link?.kind === 'set-password') {
      this.#live.close();
      this.access = { kind: 'setting-password', token: link.token };
      return;
    }
    try {
      if (link !== null) await signInByLink(link.token);
      const me = await whoAmI();
      if (me.firstAccountNeeded && !me.simulated && !saidLater()) this.access = { kind: 'first', me };
      else this.#open(me);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#leave(link === null && isSignedOut(error) ? null : error.message);
    }
  }

  #open(me: Me): void {
    this.access = { kind: 'in', me };
    this.#live.close();
    this.#live.open();
  }

  #later(me: Me): void {
    sessionStorage.setItem(LATER, 'true');
    this.#open(me);
  }

  /** Asked before each new attempt at the live stream: a role may be another by then. */
  readonly #whoNow = async (): Promise<void> => {
    const me = await whoAmI();
    if (this.access.kind === 'in') this.access = { kind: 'in', me };
  };

  readonly #meChanged = async (): Promise<void> => {
    try {
      await this.#whoNow();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#say(error.message);
    }
  };

  readonly #signOut = async (): Promise<void> => {
    try {
      await signOut();
      this.#leave(null);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#say(error.message);
    }
  };

  #leave(problem: string | null): void {
    this.#live.close();
    this.fleet = null;
    this.lost = null;
    this.account = false;
    this.access = { kind: 'out', problem };
  }

  #patched(patch: LivePatch): void {
    this.now = Date.now();
    if (this.fleet !== null) this.fleet = applyPatch(this.fleet, patch, this.now);
  }

  /** An answer shows at once; the live stream says the same a moment later. */
  #changed(rows: Omit<LivePatch, 'serverTime'>): void {
    if (this.fleet === null) return;
    const serverTime = new Date(serverNow(this.fleet, Date.now())).toISOString();
    this.fleet = applyPatch(this.fleet, { ...rows, serverTime }, Date.now());
  }

  #say(text: string): void {
    this.notice = text;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.notice = null;
    }, NOTICE_MS);
  }
}

/** For as long as this tab is open nobody asks again. */
function saidLater(): boolean {
  return sessionStorage.getItem(LATER) !== null;
}

customElements.define('mu-app', MuApp);
