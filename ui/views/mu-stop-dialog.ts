import { html, LitElement, nothing } from 'lit';
import type { SessionView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { stopSession } from '../data/gateway.ts';
import { stopConsequence } from '../data/sessions.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';

/** Asks before a session is stopped, and says what that does. */
export class MuStopDialog extends LitElement {
  static override properties = { session: { attribute: false }, reason: { state: true } };
  declare session: SessionView | null;
  declare reason: string;
  readonly #stop = new Action(this);

  static override styles = [base, form];

  constructor() {
    super();
    this.session = null;
    this.reason = '';
  }

  override render(): unknown {
    const { session } = this;
    if (session === null) return nothing;
    return html`<mu-dialog heading="Stop session ${session.sessionId}?">
      <form @submit=${this.#submitted}>
        <p>${stopConsequence(session)}</p>
        ${reasonField(this.reason, this.#typed)}
        <mu-refusal .refusal=${this.#stop.refusal}></mu-refusal>
        <div class="actions">
          <button type="button" @click=${this.#close}>Keep it</button>
          <button class="danger" type="submit" aria-disabled=${this.#stop.busy}>
            ${this.#stop.busy ? 'Stopping' : 'Stop session'}
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
    const { session } = this;
    if (session === null) return;
    const stopped = await this.#stop.run(async () => {
      const changed = await stopSession(session.sessionId, this.reason.trim());
      this.dispatchEvent(
        new CustomEvent<SessionView>('session-changed', { detail: changed, bubbles: true, composed: true }),
      );
      notify(this, `${session.sessionId}: ${changed.sentence}`);
    });
    if (stopped) this.#close();
  };

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-stop-dialog', MuStopDialog);
