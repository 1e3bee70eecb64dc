import { css, html, LitElement, nothing } from 'lit';
import type { AgentView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { lossConsequences } from '../data/agents.ts';
import { declareLost } from '../data/gateway.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';

/** Asks before a missing agent is given up, says what that does, and wants to know why. */
export class MuLostDialog extends LitElement {
  static override properties = { agent: { attribute: false }, reason: { state: true } };
  declare agent: AgentView | null;
  declare reason: string;
  readonly #declare = new Action(this);

  static override styles = [
    base,
    form,
    css`
      li {
        margin-top: var(--space-1);
      }
    `,
  ];

  constructor() {
    super();
    this.agent = null;
    this.reason = '';
  }

  override render(): unknown {
    const { agent } = this;
    if (agent === null) return nothing;
    return html`<mu-dialog heading="Declare ${agent.hostname} lost?">
      <form @submit=${this.#submitted}>
        <ul aria-label="What this does">
          ${lossConsequences(agent).map((sentence) => html`<li>${sentence}</li>`)}
        </ul>
        ${reasonField(this.reason, this.#typed, { needed: true })}
        <mu-refusal .refusal=${this.#declare.refusal}></mu-refusal>
        <div class="actions">
          <button type="button" @click=${this.#close}>Wait for it</button>
          <button class="danger" type="submit" aria-disabled=${this.#declare.busy}>
            ${this.#declare.busy ? 'Saving' : 'Declare lost'}
          </button>
        </div>
      </form>
    </mu-dialog>`;
  }

  readonly #typed = (event: InputEvent): void => {
    if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { agent } = this;
    if (agent === null) return;
    const declared = await this.#declare.run(async () => {
      const changed = await declareLost(agent.agentId, this.reason.trim());
      this.dispatchEvent(
        new CustomEvent<AgentView>('agent-changed', { detail: changed, bubbles: true, composed: true }),
      );
      notify(this, `${agent.hostname} is declared lost.`);
    });
    if (declared) this.#close();
  };

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-lost-dialog', MuLostDialog);
