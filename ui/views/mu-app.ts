import { html, LitElement, nothing } from 'lit';
import '../components/mu-banner.ts';
import type { AgentView, ImageView, SessionView } from '../../projections/views.ts';
import { age, counted } from '../data/amounts.ts';
import { asSentence } from '../data/explain.ts';
import { applyPatch, fleetFromSnapshot, serverNow, zoneTroubles, type Fleet, type LivePatch } from '../data/fleet.ts';
import { signIn, signOut, whoAmI, type Me } from '../data/gateway.ts';
import { LiveFleet } from '../data/live.ts';
import { isRefusal, isSignedOut } from '../data/problem.ts';
import { signInToken } from '../data/signInLink.ts';
import { base } from '../styles/base.ts';
import './mu-agents-view.ts';
import './mu-images-view.ts';
import './mu-sessions-view.ts';
import { MuSessionsView } from './mu-sessions-view.ts';
import './mu-sign-in.ts';
import { appStyles } from './appStyles.ts';

/** How long a notice stays on screen. */
const NOTICE_MS = 10_000;

type Access =
  | { readonly kind: 'asking' }
  | { readonly kind: 'out'; readonly problem: string | null }
  | { readonly kind: 'in'; readonly me: Me };

/** The page: who is signed in, the live fleet, and the sections that show it. */
export class MuApp extends LitElement {
  static override properties = {
    access: { state: true },
    fleet: { state: true },
    now: { state: true },
    lost: { state: true },
    notice: { state: true },
  };
  declare access: Access;
  declare fleet: Fleet | null;
  declare now: number;
  /** Since when the connection is gone and when it is tried again; null while it is there. */
  declare lost: { readonly since: number; readonly retryAt: number } | null;
  declare notice: string | null;
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
      onSignedOut: () => this.#leave(null),
    },
    whoAmI,
  );

  static override styles = [base, appStyles];

  constructor() {
    super();
    this.access = { kind: 'asking' };
    this.fleet = null;
    this.now = Date.now();
    this.lost = null;
    this.notice = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    globalThis.addEventListener('hashchange', this.#hashChanged);
    this.#ticking = setInterval(() => {
      this.now = Date.now();
    }, 1000);
    void this.#enter();
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
    if (access.kind === 'out') return html`<mu-sign-in .problem=${access.problem}></mu-sign-in>`;
    return html`${this.#header(access.me)}
      <main
        @agent-changed=${(event: CustomEvent<AgentView>) => this.#changed({ agents: [event.detail] })}
        @session-changed=${(event: CustomEvent<SessionView>) => this.#changed({ sessions: [event.detail] })}
        @image-changed=${(event: CustomEvent<ImageView>) => this.#changed({ images: [event.detail] })}
        @image-retired=${(event: CustomEvent<string>) => this.#changed({ removedImages: [event.detail] })}
        @notice=${(event: CustomEvent<string>) => this.#say(event.detail)}
      >
        ${this.#banners(access.me)}
        ${
          this.fleet === null
            ? html`<p class="waiting" role="status">Loading the fleet</p>`
            : html`<mu-agents-view .fleet=${this.fleet} .now=${this.now}></mu-agents-view>
                <mu-sessions-view .fleet=${this.fleet} .now=${this.now}></mu-sessions-view>
                <mu-images-view .fleet=${this.fleet} @start-wish=${this.#startWished}></mu-images-view>`
        }
      </main>
      <div class="notice" role="status">${this.notice === null ? nothing : html`<p>${this.notice}</p>`}</div>`;
  }

  #header(me: Me): unknown {
    return html`<header>
      <h1>Muster</h1>
      <p class="summary">${this.fleet === null ? nothing : summary(this.fleet)}</p>
      <p class="who">
        <span class="muted">${me.actor.id}, version ${me.version}</span>
        <button class="quiet" type="button" @click=${this.#signOut}>Sign out</button>
      </p>
    </header>`;
  }

  #banners(me: Me): unknown {
    const simulated = me.simulated || [...(this.fleet?.agents.values() ?? [])].some((agent) => agent.simulated);
    return html`${
      this.lost === null
        ? nothing
        : html`<mu-banner tone="warn">
            <span>
              <strong>Connection lost.</strong> What is shown is ${age(this.lost.since, this.now)} old. Trying again
              <span aria-hidden="true">in ${Math.max(0, Math.ceil((this.lost.retryAt - this.now) / 1000))} s</span>.
            </span>
            <button type="button" @click=${this.#live.retryNow}>Try now</button>
          </mu-banner>`
    }
    ${(this.fleet === null ? [] : zoneTroubles(this.fleet)).map(
      ({ place, detail, mend, condition }) =>
        html`<mu-banner tone="warn">
          <span><strong>${place}${asSentence(detail)}</strong> ${asSentence(mend)} <code>${condition}</code></span>
        </mu-banner>`,
    )}
    ${
      simulated
        ? html`<mu-banner>
            <span
              ><strong>Simulated agents.</strong> Those with the tag are no real hosts: no container runs on them.</span
            >
          </mu-banner>`
        : nothing
    }`;
  }

  readonly #hashChanged = (): void => void this.#enter();

  /** Consumes a sign-in link if the address has one, and asks who we are. */
  async #enter(): Promise<void> {
    const token = signInToken(globalThis.location.hash);
    if (token === null && this.access.kind === 'in') return;
    // At once, so that the token is in no history, screenshot or copied address.
    if (token !== null) history.replaceState(null, '', globalThis.location.pathname + globalThis.location.search);
    try {
      if (token !== null) await signIn(token);
      this.access = { kind: 'in', me: await whoAmI() };
      this.#live.close();
      this.#live.open();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#leave(token === null && isSignedOut(error) ? null : error.message);
    }
  }

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

  readonly #startWished = (event: CustomEvent<string>): void => {
    const sessions = this.renderRoot.querySelector('mu-sessions-view');
    if (sessions instanceof MuSessionsView) sessions.start(event.detail);
  };
}

/** `11 of 12 agents online, 37 sessions running, 2 waiting`. */
function summary(fleet: Fleet): string {
  const agents = [...fleet.agents.values()];
  const online = agents.filter((agent) => agent.connectivity === 'online').length;
  const phases = [...fleet.sessions.values()].map((session) => session.phase);
  const running = phases.filter((phase) => phase === 'running').length;
  const waiting = phases.filter((phase) => phase === 'waiting').length;
  return [
    `${online} of ${counted(agents.length, 'agent', 'agents')} online`,
    `${counted(running, 'session', 'sessions')} running`,
    ...(waiting === 0 ? [] : [`${waiting} waiting`]),
  ].join(', ');
}

customElements.define('mu-app', MuApp);
