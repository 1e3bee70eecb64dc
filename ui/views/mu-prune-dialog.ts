import { css, html, LitElement, nothing } from 'lit';
import type { ActivePruneMode, PruneReport } from '../../domain/pruning/record.ts';
import type { AgentView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import { Asked } from '../components/asked.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-pruned.ts';
import '../components/mu-refusal.ts';
import { reasonField } from '../components/reasonField.ts';
import { counted } from '../data/amounts.ts';
import { previewPrune, pruneNow } from '../data/gateway.ts';
import {
  goingOf,
  MODES_BY_HAND,
  modeSentence,
  nothingGoes,
  previewText,
  proposedMode,
  resultText,
  stayingOf,
  type PruneBody,
} from '../data/pruning.ts';
import { Problem } from '../data/problem.ts';
import { Repeatable } from '../data/repeatable.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';

/** Prunes images of one agent by hand: what would go and what stays, and why, before anything is removed. */
export class MuPruneDialog extends LitElement {
  static override properties = {
    agent: { attribute: false },
    chosen: { state: true },
    reason: { state: true },
    result: { state: true },
  };
  declare agent: AgentView | null;
  /** Null while the proposed mode stands. */
  declare chosen: ActivePruneMode | null;
  declare reason: string;
  /** What was done; null before. */
  declare result: PruneReport | null;
  readonly #preview = new Asked(this, () => previewPrune(this.agent?.agentId ?? '', this.#mode));
  readonly #run = new Action(this);
  readonly #repeatable = new Repeatable<PruneBody>();

  static override styles = [
    base,
    form,
    css`
      .part {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-3);
      }
      .preview {
        min-height: 12rem;
        align-content: start;
      }
      summary {
        width: fit-content;
        color: var(--accent);
        font-weight: 500;
      }
      details mu-pruned {
        margin-top: var(--space-2);
      }
      progress {
        width: 100%;
        accent-color: var(--accent);
      }
    `,
  ];

  constructor() {
    super();
    this.agent = null;
    this.chosen = null;
    this.reason = '';
    this.result = null;
  }

  override render(): unknown {
    const { agent, result } = this;
    if (agent === null) return nothing;
    return html`<mu-dialog wide heading="Prune images of ${agent.hostname}">
      ${result === null ? this.#before(agent) : this.#after(result)}
    </mu-dialog>`;
  }

  /** The agent's own mode is proposed, until one is chosen. */
  get #mode(): ActivePruneMode {
    return this.chosen ?? (this.agent === null ? 'normal' : proposedMode(this.agent));
  }

  /** What is known of the mode that is chosen now. */
  get #known(): PruneReport | null {
    const { value } = this.#preview;
    return value?.mode === this.#mode ? value : null;
  }

  #before(agent: AgentView): unknown {
    const { busy, refusal } = this.#run;
    return html`<form @submit=${this.#submitted}>
      <fieldset ?disabled=${busy}>
        <legend>Mode, for this once</legend>
        ${MODES_BY_HAND.map(
          (mode) =>
            html`<label class="choice">
              <input type="radio" name="mode" .checked=${mode === this.#mode} @change=${() => this.#choose(mode)} />
              <span>${mode === 'normal' ? 'Normal' : 'Aggressive'}: ${modeSentence(mode)}</span>
            </label>`,
        )}
      </fieldset>
      <div class="part preview" aria-live="polite" aria-busy=${this.#known === null}>${this.#previewed(agent)}</div>
      ${
        busy
          ? html`<div role="status">
              <p>${agent.hostname} is removing images. It goes on when you close this.</p>
              <progress aria-label="Removing images"></progress>
            </div>`
          : nothing
      }
      <mu-refusal .refusal=${refusal}></mu-refusal>
      ${this.#actions()}
    </form>`;
  }

  #previewed({ hostname }: AgentView): unknown {
    const { refusal } = this.#preview;
    const answer = this.#known;
    if (refusal !== null) {
      return html`<mu-refusal .refusal=${refusal}></mu-refusal>
        <div><button type="button" @click=${this.#preview.again}>Try again</button></div>`;
    }
    if (answer === null) return html`<p class="muted" role="status">Asking ${hostname} for its images</p>`;
    const [going, staying] = [goingOf(answer), stayingOf(answer)];
    return html`${
      going.length === 0
        ? html`<p><strong>Nothing would go.</strong> ${nothingGoes(this.#mode).join(' ')}</p>`
        : html`<p><strong>${previewText(answer)}</strong> Each is looked at again before it is removed.</p>
            <mu-pruned label="What goes" .images=${going}></mu-pruned>`
    }
    ${
      staying.length === 0
        ? nothing
        : html`<details ?open=${going.length === 0}>
            <summary>${counted(staying.length, 'image stays', 'images stay')}</summary>
            <mu-pruned label="What stays" .images=${staying}></mu-pruned>
          </details>`
    }`;
  }

  #actions(): unknown {
    const answer = this.#known;
    const going = answer === null ? 0 : goingOf(answer).length;
    if (going === 0) return html`<div class="actions"><button type="button" @click=${this.#close}>Close</button></div>`;
    const { busy } = this.#run;
    return html`${reasonField(this.reason, this.#reasonTyped)}
      <div class="actions">
        <button type="button" @click=${this.#close}>Keep them</button>
        <button class="danger" type="submit" aria-disabled=${busy}>
          ${busy ? 'Removing' : `Remove ${counted(going, 'image', 'images')}`}
        </button>
      </div>`;
  }

  #after(result: PruneReport): unknown {
    const done = goingOf(result);
    return html`<div class="part">
      <p role="status"><strong>${resultText(result)}</strong></p>
      ${done.length === 0 ? nothing : html`<mu-pruned label="What was done" .images=${done}></mu-pruned>`}
      <div class="actions"><button class="primary" type="button" @click=${this.#close}>Done</button></div>
    </div>`;
  }

  #choose(mode: ActivePruneMode): void {
    this.chosen = mode;
    this.#run.forget();
    void this.#preview.again();
  }

  readonly #reasonTyped = ({ target }: InputEvent): void => {
    if (target instanceof HTMLInputElement) this.reason = target.value;
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { agent } = this;
    if (agent === null || this.#known === null) return;
    const wanted = { mode: this.#mode, reason: this.reason.trim() };
    const { body, key } = this.#repeatable.ask(JSON.stringify(wanted), () => wanted);
    await this.#run.run(async () => {
      const result = await pruneNow(agent.agentId, body, key);
      this.result = result;
      notify(this, `${agent.hostname}: ${resultText(result)}`);
    });
    const { refusal } = this.#run;
    // Above 499 nobody knows whether the agent has begun: asked with the same key it tells what it did.
    if (refusal instanceof Problem && refusal.details.status < 500) this.#repeatable.answered();
  };

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-prune-dialog', MuPruneDialog);
