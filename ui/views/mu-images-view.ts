import { html, LitElement, nothing } from 'lit';
import type { ImageView } from '../../projections/views.ts';
import '../components/mu-empty.ts';
import '../components/mu-images.ts';
import type { ImageWish } from '../components/mu-images.ts';
import { imagesInOrder, type Fleet } from '../data/fleet.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import './mu-image-dialog.ts';
import './mu-retire-dialog.ts';

type Open =
  | { readonly dialog: 'edit'; readonly image: ImageView | null }
  | { readonly dialog: 'retire'; readonly image: ImageView };

/** Image definitions: define one, edit one, retire one. Dispatches `start-wish` with an image's id. */
export class MuImagesView extends LitElement {
  static override properties = { fleet: { attribute: false }, open: { state: true } };
  declare fleet: Fleet | null;
  declare open: Open | null;

  static override styles = [base, section];

  constructor() {
    super();
    this.fleet = null;
    this.open = null;
  }

  override render(): unknown {
    const { fleet } = this;
    if (fleet === null) return nothing;
    const images = imagesInOrder(fleet);
    const define = html`<button class=${images.length === 0 ? 'primary' : ''} type="button" @click=${this.#define}>
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
            : html`<mu-images .images=${images} @image-wish=${this.#wished}></mu-images>`
        }
      </section>
      ${this.#dialog()}`;
  }

  #dialog(): unknown {
    const { open } = this;
    if (open === null) return nothing;
    return open.dialog === 'edit'
      ? html`<mu-image-dialog
          .image=${open.image}
          .known=${this.fleet?.images ?? new Map()}
          @dialog-closed=${this.#closed}
        ></mu-image-dialog>`
      : html`<mu-retire-dialog .image=${open.image} @dialog-closed=${this.#closed}></mu-retire-dialog>`;
  }

  readonly #define = (): void => {
    this.open = { dialog: 'edit', image: null };
  };

  readonly #wished = (event: CustomEvent<ImageWish>): void => {
    const { wish, image } = event.detail;
    if (wish === 'start') {
      this.dispatchEvent(new CustomEvent<string>('start-wish', { detail: image.imageId }));
    } else {
      this.open = { dialog: wish, image };
    }
  };

  readonly #closed = (): void => {
    this.open = null;
  };
}

customElements.define('mu-images-view', MuImagesView);
