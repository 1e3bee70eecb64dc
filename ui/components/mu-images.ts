import { css, html, LitElement, nothing } from 'lit';
import { describeGpuNeed } from '../../domain/gpuNeed.ts';
import type { Role } from '../../domain/people/role.ts';
import type { ImageView } from '../../projections/views.ts';
import { requestText } from '../data/amounts.ts';
import { labelsSentence } from '../data/labels.ts';
import { addressOf } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';

export type ImageWish = { readonly wish: 'start' | 'edit' | 'retire'; readonly image: ImageView };

/** Image definitions as a list. Dispatches `image-wish`. */
export class MuImages extends LitElement {
  static override properties = { images: { attribute: false }, may: { attribute: false } };
  declare images: readonly ImageView[];
  /** The role of who is signed in. */
  declare may: Role;

  static override styles = [
    base,
    css`
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr));
        gap: var(--space-3);
      }
      li {
        display: grid;
        gap: var(--space-1);
        align-content: space-between;
        padding: var(--space-3) var(--space-4);
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        background: var(--surface);
      }
      h3 {
        font-size: var(--text-m);
        font-weight: 600;
        overflow-wrap: anywhere;
      }
      .reference {
        font: var(--text-s) / 1.5 var(--font-mono);
        color: var(--muted);
        overflow-wrap: anywhere;
      }
      .do {
        display: flex;
        margin-left: calc(-1 * var(--space-2));
      }
    `,
  ];

  constructor() {
    super();
    this.images = [];
    this.may = 'admin';
  }

  override render(): unknown {
    return html`<ul aria-label="Images">
      ${this.images.map((image) => this.#item(image))}
    </ul>`;
  }

  #item(image: ImageView): unknown {
    const gpu = `${describeGpuNeed(image.gpu)}${image.gpuModel === null ? '' : ` like ${image.gpuModel}`}`;
    const labels = labelsSentence(image);
    return html`<li>
      <div>
        <h3><a href=${addressOf({ page: 'images', id: image.imageId })}>${image.name}</a></h3>
        <p class="reference">${image.reference}</p>
        <p>
          ${requestText(image.millicores, image.memoryBytes, gpu)}${image.cpuMode === 'quota' ? ', CPU is a hard limit' : nothing}
        </p>
        ${labels === null ? nothing : html`<p class="small">${labels}</p>`}
        <p class="small muted">${image.imageId}, revision ${image.revision}</p>
      </div>
      <div class="do">
        ${this.#button('start', 'Start', image)}${this.#button('edit', 'Edit', image)}${this.#button('retire', 'Retire', image)}
      </div>
    </li>`;
  }

  #button(wish: ImageWish['wish'], text: string, image: ImageView): unknown {
    const detail: ImageWish = { wish, image };
    const why = whyNot(this.may, wish === 'start' ? 'operator' : 'admin');
    return html`<button
      class="quiet"
      type="button"
      ?disabled=${why !== null}
      title=${why ?? nothing}
      @click=${() => this.dispatchEvent(new CustomEvent<ImageWish>('image-wish', { detail }))}
    >
      ${text}<span class="visually-hidden"> ${image.name}</span>
    </button>`;
  }
}

customElements.define('mu-images', MuImages);
