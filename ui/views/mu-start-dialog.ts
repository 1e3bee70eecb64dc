import { css, html, LitElement, nothing } from 'lit';
import { describeGpuNeed } from '../../domain/gpuNeed.ts';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { ImageView, SessionView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-explanation.ts';
import '../components/mu-refusal.ts';
import { requestText } from '../data/amounts.ts';
import { refusedPlacement } from '../data/explain.ts';
import { agentsInOrder, imagesInOrder, type Fleet } from '../data/fleet.ts';
import { planPlacement, startSession, type PlanBody, type StartBody, type Started } from '../data/gateway.ts';
import { addressOf } from '../data/page.ts';
import { Problem } from '../data/problem.ts';
import { Repeatable } from '../data/repeatable.ts';
import { base, form } from '../styles/base.ts';

/** Starts a session. Says where it would go while the form is filled in, and afterwards where it went and why. */
export class MuStartDialog extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    imageId: { attribute: false },
    agentId: { state: true },
    whenFull: { state: true },
    plan: { state: true },
    started: { state: true },
  };
  declare fleet: Fleet | null;
  declare imageId: string;
  declare agentId: string;
  declare whenFull: StartBody['whenFull'];
  declare plan: Explanation | null;
  declare started: Started | null;
  readonly #start = new Action(this);
  readonly #planning = new Action(this);
  #asked = '';
  #abort = new AbortController();
  readonly #repeatable = new Repeatable<StartBody>();

  static override styles = [
    base,
    form,
    css`
      .plan {
        min-height: 11rem;
        padding-top: var(--space-3);
        border-top: 1px solid var(--line);
      }
      h3 {
        font-size: var(--text-s);
        font-weight: 400;
        color: var(--muted);
        margin-bottom: var(--space-1);
      }
      .done {
        display: grid;
        gap: var(--space-4);
      }
    `,
  ];

  constructor() {
    super();
    this.fleet = null;
    this.imageId = '';
    this.agentId = '';
    this.whenFull = 'queue';
    this.plan = null;
    this.started = null;
  }

  override render(): unknown {
    const { fleet, started } = this;
    if (fleet === null) return nothing;
    return html`<mu-dialog wide heading=${started === null ? 'Start a session' : 'Session started'}>
      ${started === null ? this.#form(fleet) : this.#result(started, fleet)}
    </mu-dialog>`;
  }

  protected override willUpdate(): void {
    const first = this.fleet === null ? undefined : imagesInOrder(this.fleet)[0];
    if (this.imageId === '' && first !== undefined) this.imageId = first.imageId;
  }

  protected override updated(): void {
    if (this.started !== null || this.imageId === '') return;
    const question = `${this.imageId}/${this.agentId}`;
    const mark = `${question}@${this.fleet?.placementMark}`;
    if (mark === this.#asked) return;
    // Another question makes the running one pointless; a mere change of the fleet waits for its answer.
    if (this.#planning.busy) {
      if (!this.#asked.startsWith(`${question}@`)) this.#abort.abort();
      return;
    }
    this.#asked = mark;
    this.#abort = new AbortController();
    void this.#ask(this.#body(), this.#abort.signal);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#abort.abort();
  }

  #form(fleet: Fleet): unknown {
    const refused = refusedPlacement(this.#start.refusal);
    const images = imagesInOrder(fleet);
    const agents = agentsInOrder(fleet).filter((agent) => agent.intent !== 'pending' && agent.intent !== 'revoked');
    return html`<form @submit=${this.#submitted}>
      <div class="pair">
        <div class="field">
          <label for="image">Image</label>
          <select id="image" autofocus @change=${(event: Event) => this.#chosen('imageId', event)}>
            ${images.map((image) => html`<option value=${image.imageId} ?selected=${image.imageId === this.imageId}>${image.name}</option>`)}
          </select>
          <span class="help">${needText(fleet.images.get(this.imageId))}</span>
        </div>
        <div class="field">
          <label for="agent">Agent</label>
          <select id="agent" @change=${(event: Event) => this.#chosen('agentId', event)}>
            <option value="" ?selected=${this.agentId === ''}>Any: let placement choose</option>
            ${agents.map((agent) => html`<option value=${agent.agentId} ?selected=${agent.agentId === this.agentId}>Only ${agent.hostname}</option>`)}
          </select>
        </div>
      </div>
      <fieldset>
        <legend>When nothing has room</legend>
        ${this.#whenFullChoice('queue', 'Wait in line')} ${this.#whenFullChoice('fail', 'Refuse at once')}
      </fieldset>
      <mu-refusal .refusal=${this.#start.refusal}></mu-refusal>
      <div class="plan" id="plan">
        ${
          refused === null
            ? this.#planned()
            : html`<h3>Why it was refused</h3>
                <mu-explanation tense="result" .explanation=${refused}></mu-explanation>`
        }
      </div>
      <div class="actions">
        <button class="primary" type="submit" aria-disabled=${this.#start.busy}>
          ${this.#start.busy ? 'Starting' : 'Start session'}
        </button>
      </div>
    </form>`;
  }

  #planned(): unknown {
    return html`<h3>Where it would go now</h3>
      <mu-refusal .refusal=${this.#planning.refusal}></mu-refusal>
      <div aria-live="polite">
        ${this.plan === null && this.#planning.busy ? html`<p class="muted">Asking</p>` : nothing}
        <mu-explanation tense="plan" .explanation=${this.plan}></mu-explanation>
      </div>`;
  }

  #result({ session, placement }: Started, fleet: Fleet): unknown {
    const current = fleet.sessions.get(session.sessionId) ?? session;
    return html`<div class="done">
      <p role="status"><code>${session.sessionId}</code> ${current.sentence}</p>
      <mu-explanation tense="result" .explanation=${placement}></mu-explanation>
      <div class="actions">
        <a href=${addressOf({ page: 'sessions', id: session.sessionId })}>Open its page</a>
        <button type="button" @click=${this.#another}>Start another</button>
        <button class="primary" type="button" @click=${this.#done}>Done</button>
      </div>
    </div>`;
  }

  #whenFullChoice(value: StartBody['whenFull'], text: string): unknown {
    return html`<label class="choice">
      <input
        type="radio"
        name="when-full"
        value=${value}
        .checked=${this.whenFull === value}
        @change=${() => {
          this.whenFull = value;
        }}
      />
      ${text}
    </label>`;
  }

  #chosen(field: 'imageId' | 'agentId', event: Event): void {
    if (!(event.target instanceof HTMLSelectElement)) return;
    this[field] = event.target.value;
    this.plan = null;
    this.#start.forget();
  }

  #body(): PlanBody {
    return { imageId: this.imageId, ...(this.agentId === '' ? {} : { agentId: this.agentId }) };
  }

  async #ask(body: PlanBody, signal: AbortSignal): Promise<void> {
    await this.#planning.run(async () => {
      try {
        this.plan = await planPlacement(body, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    });
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const wanted: StartBody = { ...this.#body(), whenFull: this.whenFull };
    const { body, key } = this.#repeatable.ask(JSON.stringify(wanted), () => wanted);
    const accepted = await this.#start.run(async () => {
      const started = await startSession(body, key);
      this.dispatchEvent(
        new CustomEvent<SessionView>('session-changed', { detail: started.session, bubbles: true, composed: true }),
      );
      this.started = started;
    });
    if (accepted || this.#start.refusal instanceof Problem) this.#repeatable.answered();
    await this.updateComplete;
    if (accepted) this.renderRoot.querySelector<HTMLElement>('button.primary')?.focus();
  };

  readonly #another = async (): Promise<void> => {
    this.started = null;
    this.plan = null;
    this.#asked = '';
    await this.updateComplete;
    this.renderRoot.querySelector('select')?.focus();
  };

  readonly #done = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

function needText(image: ImageView | undefined): string {
  return image === undefined
    ? ''
    : `Needs ${requestText(image.millicores, image.memoryBytes, describeGpuNeed(image.gpu))}.`;
}

customElements.define('mu-start-dialog', MuStartDialog);
