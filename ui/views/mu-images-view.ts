import { html, LitElement, nothing } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import type { ImageView } from '../../projections/views.ts';
import '../components/mu-empty.ts';
import '../components/mu-images.ts';
import type { ImageWish } from '../components/mu-images.ts';
import { imagesInOrder, type Fleet } from '../data/fleet.ts';
import { sessionsOf } from '../data/imageChanges.ts';
import { addressOf, NEW_IMAGE } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import './mu-confirm-dialog.ts';
import { retireQuestion } from './questions.ts';

/** Image definitions, each with a page of its own; one is started from and retired here too. */
export class MuImagesView extends LitElement {
  static override properties = { fleet: { attribute: false }, may: { attribute: false }, retiring: { state: true } };
  declare fleet: Fleet | null;
  /** The role of who is signed in. */
  declare may: Role;
  declare retiring: ImageView | null;

  static override styles = [base, section];

  constructor() {
    super();
    this.fleet = null;
    this.may = 'viewer';
    this.retiring = null;
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const images = imagesInOrder(fleet);
    const why = whyNot(this.may, 'admin');
    const define = html`<button
      class=${images.length === 0 ? 'primary' : ''}
      type="button"
      ?disabled=${why !== null}
      title=${why ?? nothing}
      @click=${this.#define}
    >
      Define an image
    </button>`;
    return html`<section aria-labelledby="images">
        <div class="top">
          <h2 id="images">Images<span class="count">${images.length}</span></h2>
          ${images.length === 0 ? nothing : define}
        </div>
        ${
          images.length === 0
            ? html`<mu-empty heading="No image is defined yet">
                <p>
                  An image says what a session is started from: a container image, its cores and memory, whether it
                  needs GPUs, and the ports to publish. Sessions are started from it as often as you like.
                </p>
                ${define}
              </mu-empty>`
            : html`<mu-images .images=${images} .may=${this.may} @image-wish=${this.#wished}></mu-images>`
        }
      </section>
      ${this.#dialog()}`;
  }

  #dialog(): unknown {
    const { retiring, fleet } = this;
    if (retiring === null || fleet === null) return nothing;
    const question = retireQuestion(this, retiring, sessionsOf(retiring.imageId, fleet.sessions.values()));
    return html`<mu-confirm-dialog .question=${question} @dialog-closed=${this.#closed}></mu-confirm-dialog>`;
  }

  readonly #define = (): void => {
    globalThis.location.hash = addressOf({ page: 'images', id: NEW_IMAGE });
  };

  readonly #wished = (event: CustomEvent<ImageWish>): void => {
    const { wish, image } = event.detail;
    if (wish === 'start') {
      const query = new URLSearchParams({ start: image.imageId }).toString();
      globalThis.location.hash = addressOf({ page: 'sessions', query });
    } else if (wish === 'edit') {
      globalThis.location.hash = addressOf({ page: 'images', id: image.imageId });
    } else {
      this.retiring = image;
    }
  };

  readonly #closed = (): void => {
    this.retiring = null;
  };
}

customElements.define('mu-images-view', MuImagesView);
