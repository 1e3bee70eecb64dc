import { css, html, LitElement, nothing } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import type { AgentView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import { Asked } from '../components/asked.ts';
import '../components/mu-attention.ts';
import type { AttentionWished } from '../components/mu-attention.ts';
import '../components/mu-changes.ts';
import '../components/mu-empty.ts';
import '../components/mu-not-ready.ts';
import '../components/mu-totals.ts';
import { whole } from '../data/amounts.ts';
import { mattersOf, type AttentionWish } from '../data/attention.ts';
import { fleetSummary, serverNow, type Fleet } from '../data/fleet.ts';
import { approveAgent } from '../data/gateway.ts';
import { addressOf } from '../data/page.ts';
import { askReadiness } from '../data/readiness.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { agentDialog } from './agentDialog.ts';
import { agentChanged, notify } from './events.ts';
import { noAgents } from './noAgents.ts';

/** How often the gateway is asked whether it can decide anything, while the page is shown. */
const READY_EVERY_MS = 10_000;

/** How the fleet is: its totals, what needs attention first, and what changed last. */
export class MuOverviewView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    open: { state: true },
  };
  declare fleet: Fleet | null;
  /** This machine's time, in milliseconds. */
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  declare open: { readonly dialog: Exclude<AttentionWish, 'approve'>; readonly agentId: string } | null;
  readonly #approvals = new Map<string, Action>();
  readonly #ready = new Asked(this, askReadiness);
  #asking: ReturnType<typeof setInterval> | undefined;

  static override styles = [
    base,
    section,
    css`
      .page,
      .part {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-5);
      }
      .part {
        gap: var(--space-3);
      }
      .top {
        margin-bottom: 0;
      }
    `,
  ];

  constructor() {
    super();
    this.fleet = null;
    this.now = 0;
    this.may = 'viewer';
    this.open = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#asking = setInterval(() => void this.#ready.again(), READY_EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#asking);
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const now = serverNow(fleet, this.now);
    return html`<div class="page">
        <mu-not-ready .notReady=${this.#ready.value} ?hidden=${this.#ready.value === null}></mu-not-ready>
        <section class="part" aria-labelledby="overview">
          <div class="top"><h2 id="overview">The fleet</h2></div>
          ${
            fleet.agents.size === 0
              ? noAgents()
              : html`<mu-totals .totals=${fleet.totals} .now=${now}></mu-totals> ${this.#first(fleet)}`
          }
        </section>
        ${fleet.agents.size === 0 ? nothing : this.#attention(fleet)}
        <section class="part" aria-labelledby="changes">
          <div class="top"><h2 id="changes">Recent changes</h2></div>
          ${
            fleet.changes.length === 0
              ? html`<p class="muted">Nothing yet: what happens to agents, images and people appears here.</p>`
              : html`<mu-changes .changes=${fleet.changes} .names=${fleet} .now=${now}></mu-changes>`
          }
        </section>
      </div>
      ${this.#dialog(fleet)}`;
  }

  /** The way to the first session, as long as there is none. */
  #first({ images, sessions }: Fleet): unknown {
    if (images.size === 0) {
      const address = addressOf({ page: 'images' });
      return html`<mu-empty heading="No image is defined yet">
        <p>
          An image says what a session is started from, and what it needs. <a href=${address}>Define the first image</a>
        </p>
      </mu-empty>`;
    }
    if (sessions.size > 0) return nothing;
    return html`<mu-empty heading="No session has been started yet">
      <p>
        A session runs an image on the agent where it fits best.
        <a href=${addressOf({ page: 'sessions' })}>Start the first session</a>
      </p>
    </mu-empty>`;
  }

  #attention(fleet: Fleet): unknown {
    const matters = mattersOf(fleet.agents.values());
    return html`<section class="part" aria-labelledby="attention">
      <div class="top">
        <h2 id="attention">Needs attention<span class="count">${whole(matters.length)}</span></h2>
      </div>
      ${
        matters.length === 0
          ? html`<p>Nothing: ${fleetSummary(fleet)}.</p>`
          : html`<mu-attention
              .matters=${matters}
              .underWay=${this.#approvals}
              .may=${this.may}
              @attention-wish=${this.#wished}
            ></mu-attention>`
      }
    </section>`;
  }

  #dialog(fleet: Fleet): unknown {
    const agent = this.open === null ? undefined : fleet.agents.get(this.open.agentId);
    if (this.open === null || agent === undefined) return nothing;
    const closed = (): void => {
      this.open = null;
    };
    return agentDialog(this.open.dialog, agent, { from: this, fleet, closed });
  }

  readonly #wished = (event: CustomEvent<AttentionWished>): void => {
    const { wish, agent } = event.detail;
    if (wish === 'approve') void this.#approve(agent);
    else this.open = { dialog: wish, agentId: agent.agentId };
  };

  async #approve(agent: AgentView): Promise<void> {
    const action = this.#approvals.get(agent.agentId) ?? new Action(this);
    this.#approvals.set(agent.agentId, action);
    await action.run(async () => {
      agentChanged(this, await approveAgent(agent));
      notify(this, `${agent.hostname} is approved.`);
    });
  }
}

customElements.define('mu-overview-view', MuOverviewView);
