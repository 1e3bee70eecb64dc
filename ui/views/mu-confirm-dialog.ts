import { css, html, LitElement, nothing } from 'lit';
import { Action } from '../components/action.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { base, form } from '../styles/base.ts';

/** What is asked before something is done that hurts. */
export interface Question {
  readonly heading: string;
  /** What happens, one sentence each. */
  readonly consequences: readonly string[];
  /** Whether somebody says why. */
  readonly reason: 'none' | 'optional' | 'needed';
  /** The words on the buttons, and on the second one while it is done. */
  readonly no: string;
  readonly yes: string;
  readonly doing: string;
  /** Does it. A refusal is shown, and the question stays. */
  readonly work: (reason: string) => Promise<void>;
}

/** Asks before something is done, says what that does, and does it. */
export class MuConfirmDialog extends LitElement {
  static override properties = { question: { attribute: false }, reason: { state: true } };
  declare question: Question | null;
  declare reason: string;
  readonly #act = new Action(this);

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
    this.question = null;
    this.reason = '';
  }

  override render(): unknown {
    const { question } = this;
    if (question === null) return nothing;
    const { busy, refusal } = this.#act;
    return html`<mu-dialog heading=${question.heading}>
      <form @submit=${this.#submitted}>
        <ul aria-label="What this does">
          ${question.consequences.map((sentence) => html`<li>${sentence}</li>`)}
        </ul>
        ${question.reason === 'none' ? nothing : reasonField(this.reason, this.#typed, { needed: question.reason === 'needed' })}
        <mu-refusal .refusal=${refusal}></mu-refusal>
        <div class="actions">
          <button type="button" @click=${this.#close}>${question.no}</button>
          <button class="danger" type="submit" aria-disabled=${busy}>${busy ? question.doing : question.yes}</button>
        </div>
      </form>
    </mu-dialog>`;
  }

  readonly #typed = (event: InputEvent): void => {
    if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { question } = this;
    if (question === null) return;
    if (await this.#act.run(() => question.work(this.reason.trim()))) this.#close();
  };

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-confirm-dialog', MuConfirmDialog);
