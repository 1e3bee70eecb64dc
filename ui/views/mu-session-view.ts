import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import type { AnyEvent } from '../../domain/events.ts';
import type { Role } from '../../domain/people/role.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import { formatBytes } from '../../domain/units.ts';
import type { AgentView, SessionView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import { Asked } from '../components/asked.ts';
import { endpoints } from '../components/endpoints.ts';
import '../components/mu-explanation.ts';
import '../components/mu-refusal.ts';
import '../components/mu-state.ts';
import '../components/mu-timeline.ts';
import { cpus } from '../data/amounts.ts';
import { serverNow, type Fleet } from '../data/fleet.ts';
import { eventsOf, placementOf } from '../data/gateway.ts';
import { addressOf } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';
import { isStoppable, phaseText, sessionAge, toneOf } from '../data/sessions.ts';
import { timelineOf } from '../data/timeline.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { back, backStyle } from './back.ts';
import './mu-confirm-dialog.ts';
import './mu-session-output.ts';
import { noSuch } from './noSuch.ts';
import { stopQuestion } from './questions.ts';
import { NearFocus } from '../components/nearFocus.ts';

type Requested = Extract<AnyEvent, { type: 'SessionRequested' }>;

/** The page of one session: its life, what it holds, what it prints, and why it is where it is. */
export class MuSessionView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    sessionId: { attribute: false },
    stopping: { state: true },
    explanation: { state: true },
  };
  declare fleet: Fleet | null;
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  declare sessionId: string;
  declare stopping: boolean;
  declare explanation: Explanation | null;
  readonly #explaining = new Action(this);
  readonly #events = new Asked(this, async () =>
    this.sessionId === '' ? { events: [], complete: true } : await eventsOf(this.sessionId),
  );
  #asked = '';

  static override styles = [
    base,
    section,
    backStyle,
    css`
      .page {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-5);
      }
      .state {
        font-size: var(--text-l);
        margin-top: var(--space-1);
      }
      .columns {
        display: grid;
        gap: var(--space-5);
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
        align-items: start;
      }
      .panel.padded {
        padding: var(--space-4);
      }
      #session {
        font-size: var(--text-xl);
      }
      h2 .id {
        font-family: var(--font-mono);
        font-weight: 400;
        color: var(--muted);
        overflow-wrap: anywhere;
      }
      dl {
        display: grid;
        grid-template-columns: 8rem minmax(0, 1fr);
        gap: var(--space-2) var(--space-4);
      }
      dt {
        color: var(--muted);
      }
      dd {
        overflow-wrap: anywhere;
      }
      dd .device + .device {
        margin-top: var(--space-1);
      }
      details .panel {
        margin-top: var(--space-3);
      }
      @media (max-width: 40rem) {
        dl {
          grid-template-columns: minmax(0, 1fr);
          gap: 0;
        }
        dd {
          margin-bottom: var(--space-2);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.fleet = null;
    this.now = 0;
    this.may = 'viewer';
    this.sessionId = '';
    this.stopping = false;
    this.explanation = null;
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const session = fleet.sessions.get(this.sessionId);
    if (session === undefined) {
      const why = `No session that is known has the id ${this.sessionId}. The last 200 that are over are kept here; the log keeps all.`;
      return noSuch('No such session', why, 'sessions');
    }
    const agent = session.agentId === null ? undefined : fleet.agents.get(session.agentId);
    return html`<div class="page">
        <section aria-labelledby="session">
          ${back('sessions')}
          <div class="top">
            <h2 id="session">
              ${fleet.images.get(session.imageId)?.name ?? session.imageId} <span class="id">${session.sessionId}</span>
            </h2>
            ${isStoppable(session) ? this.#stopButton() : nothing}
          </div>
          <mu-state class="state" tone=${toneOf(session)} text=${phaseText(session)}></mu-state>
        </section>
        <div class="columns">${this.#life(session, fleet)} ${this.#facts(session, agent, fleet)}</div>
        <mu-session-output
          .sessionId=${session.sessionId}
          .hasContainer=${session.agentId !== null}
          .may=${this.may}
        ></mu-session-output>
        ${this.#why()}
      </div>
      ${
        this.stopping
          ? html`<mu-confirm-dialog
              .question=${stopQuestion(this, session)}
              @dialog-closed=${() => this.#askStop(false)}
            ></mu-confirm-dialog>`
          : nothing
      }`;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has('sessionId')) {
      this.explanation = null;
      this.#events.value = null;
    }
    const position = this.fleet?.sessions.get(this.sessionId)?.position ?? '';
    const mark = `${this.sessionId}@${position}`;
    if (mark === this.#asked) return;
    // Its position moves with each of its events, so that they are asked for when there is one more.
    this.#asked = mark;
    void this.#events.again();
  }

  #stopButton(): unknown {
    const why = whyNot(this.may, 'operator');
    return html`<button
      type="button"
      ?disabled=${why !== null}
      title=${why ?? nothing}
      @click=${() => this.#askStop(true)}
    >
      Stop session
    </button>`;
  }

  #askStop(open: boolean): void {
    this.stopping = open;
  }

  #life(session: SessionView, fleet: Fleet): unknown {
    const { value, refusal } = this.#events;
    const events = value?.events ?? [];
    return html`<section aria-labelledby="life">
      <div class="top"><h2 id="life">Its life</h2></div>
      <mu-refusal .refusal=${refusal}></mu-refusal>
      <div class="panel padded">
        ${
          value?.complete === false
            ? html`<p class="muted">What happened before was moved offline with its part of the log.</p>`
            : nothing
        }
        ${value === null && refusal === null ? html`<p class="muted" role="status">Reading its events</p>` : nothing}
        <mu-timeline
          label="What happened to the session"
          .steps=${timelineOf(session, events, serverNow(fleet, this.now))}
        ></mu-timeline>
      </div>
    </section>`;
  }

  #facts(session: SessionView, agent: AgentView | undefined, fleet: Fleet): unknown {
    const requested = this.#events.value?.events.find((event): event is Requested => event.type === 'SessionRequested');
    const image = requested?.data.image;
    const { claim, agentId, imageDigest, imageRevision, imageId, requestedBy } = session;
    return html`<section aria-labelledby="facts">
      <div class="top"><h2 id="facts">What it is and holds</h2></div>
      <div class="panel padded">
        <dl>
          <dt>Age</dt>
          <dd>${sessionAge(session, serverNow(fleet, this.now))}</dd>
          <dt>Requested by</dt>
          <dd>${requestedBy.id}</dd>
          <dt>Agent</dt>
          <dd>
            ${agentId === null ? 'none yet' : html`<a href=${addressOf({ page: 'agents', id: agentId })}>${agent?.hostname ?? agentId}</a>`}
            ${agent?.simulated === true ? html`<span class="tag">simulated</span>` : nothing}
          </dd>
          <dt>Endpoints</dt>
          <dd>${endpoints(session)}</dd>
          <dt>Image</dt>
          <dd>
            <a href=${addressOf({ page: 'images', id: imageId })}>${fleet.images.get(imageId)?.name ?? imageId}</a>,
            revision ${imageRevision} ${image === undefined ? nothing : html`<br /><code>${image.reference}</code>`}
          </dd>
          <dt>Digest</dt>
          <dd>${imageDigest === null ? 'not known: a tag was asked for' : html`<code>${imageDigest}</code>`}</dd>
          <dt>Limits</dt>
          <dd>${image === undefined ? claimLimits(session) : limitsOf(image)}</dd>
          <dt>Devices</dt>
          <dd>${devices(claim?.gpuUuids ?? [], agent)}</dd>
          ${
            session.exitCode === null
              ? nothing
              : html`<dt>Exit code</dt>
                  <dd>${session.exitCode}</dd>`
          }
        </dl>
      </div>
    </section>`;
  }

  #why(): unknown {
    return html`<section aria-labelledby="why">
      <div class="top"><h2 id="why">Why it is where it is</h2></div>
      <details @toggle=${this.#toggled}>
        <summary>Compute its placement again from the log</summary>
        <div class="panel padded" aria-busy=${this.#explaining.busy}>
          ${this.#explaining.busy ? html`<p class="muted" role="status">Computing it again from the log</p>` : nothing}
          <mu-refusal .refusal=${this.#explaining.refusal}></mu-refusal>
          <mu-explanation tense="result" .explanation=${this.explanation}></mu-explanation>
        </div>
      </details>
    </section>`;
  }

  readonly #toggled = (event: Event): void => {
    if (!(event.target instanceof HTMLDetailsElement) || !event.target.open || this.explanation !== null) return;
    void this.#explaining.run(async () => {
      this.explanation = await placementOf(this.sessionId);
    });
  };
}

function limitsOf(image: Requested['data']['image']): string {
  const mode = image.cpuMode === 'quota' ? 'never more' : 'more while the host has idle CPU';
  const shm = image.shmBytes === null ? '' : `; /dev/shm ${formatBytes(image.shmBytes)}`;
  return `${cpus(image.millicores)} (${mode}), ${formatBytes(image.memoryBytes)} of memory${shm}`;
}

function claimLimits({ claim }: SessionView): string {
  return claim === null ? 'none' : `${cpus(claim.millicores)}, ${formatBytes(claim.memoryBytes)} of memory`;
}

function devices(uuids: readonly string[], agent: AgentView | undefined): unknown {
  if (uuids.length === 0) return 'none';
  return uuids.map((uuid) => {
    const device = agent?.gpus.find((gpu) => gpu.uuid === uuid);
    const name = device === undefined ? '' : `GPU ${device.index}, ${device.model}: `;
    const flag =
      device === undefined || device.schedulable ? nothing : html` <span class="tag">${device.reason}</span>`;
    return html`<div class="device">${name}<code>${uuid}</code>${flag}</div>`;
  });
}

customElements.define('mu-session-view', MuSessionView);
