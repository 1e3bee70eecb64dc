import { html, LitElement, nothing } from 'lit';
import type { ImageView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { retireImage } from '../data/gateway.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';

/** Asks before an image definition is retired. */
export class MuRetireDialog extends LitElement {
  static override properties = { image: { attribute: false } };
  declare image: ImageView | null;
  readonly #retire = new Action(this);

  static override styles = [base, form];

  constructor() {
    super();
    this.image = null;
  }

  override render(): unknown {
    const { image } = this;
    if (image === null) return nothing;
    return html`<mu-dialog heading="Retire ${image.name}?">
      <form @submit=${this.#submitted}>
        <p>
          No new session can be started from it. Sessions that run stay as they are, and the log keeps the definition.
        </p>
        <mu-refusal .refusal=${this.#retire.refusal}></mu-refusal>
        <div class="actions">
          <button type="button" @click=${this.#close}>Keep it</button>
          <button class="danger" type="submit" aria-disabled=${this.#retire.busy}>
            ${this.#retire.busy ? 'Saving' : 'Retire image'}
          </button>
        </div>
      </form>
    </mu-dialog>`;
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { image } = this;
    if (image === null) return;
    const retired = await this.#retire.run(async () => {
      await retireImage(image.imageId);
      this.dispatchEvent(
        new CustomEvent<string>('image-retired', { detail: image.imageId, bubbles: true, composed: true }),
      );
      notify(this, `${image.name} is retired.`);
    });
    if (retired) this.#close();
  };

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-retire-dialog', MuRetireDialog);
