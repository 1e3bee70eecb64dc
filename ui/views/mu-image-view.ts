import { css, html, LitElement, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import type { Explanation } from '../../domain/placement/explanation.ts';
import type { Role } from '../../domain/people/role.ts';
import type { ImageView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-fit.ts';
import '../components/mu-refusal.ts';
import { counted } from '../data/amounts.ts';
import { serverNow, type Fleet } from '../data/fleet.ts';
import { countPlacement } from '../data/gateway.ts';
import { sessionsOf } from '../data/imageChanges.ts';
import { addressOf, NEW_IMAGE } from '../data/page.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { back, backStyle } from './back.ts';
import './mu-confirm-dialog.ts';
import type { Question } from './mu-confirm-dialog.ts';
import './mu-image-editor.ts';
import './mu-image-revisions.ts';
import { noSuch } from './noSuch.ts';
import { retireQuestion } from './questions.ts';

/** The page of one image, or of one that is being defined: its definition, where it could run now, and its revisions. */
export class MuImageView extends LitElement {
  static override properties = {
    fleet: { attribute: false },
    imageId: { attribute: false },
    now: { attribute: false },
    may: { attribute: false },
    explanation: { state: true },
    retiring: { state: true },
  };
  declare fleet: Fleet | null;
  declare imageId: string;
  /** This machine's time, in milliseconds. */
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  declare explanation: Explanation | null;
  declare retiring: boolean;
  readonly #counting = new Action(this);
  #asked = '';

  static override styles = [
    base,
    section,
    backStyle,
    css`
      .page {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: var(--space-5);
        align-items: start;
      }
      #image {
        font-size: var(--text-xl);
      }
      .panel {
        padding: var(--space-4);
      }
      .aside {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-4);
      }
      h3 {
        margin-bottom: var(--space-3);
        font-size: var(--text-m);
        font-weight: 600;
      }
      .do {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      @media (max-width: 60rem) {
        .page {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.fleet = null;
    this.imageId = '';
    this.now = 0;
    this.may = 'viewer';
    this.explanation = null;
    this.retiring = false;
  }

  override render(): unknown {
    const { fleet, imageId } = this;
    if (fleet === null) return nothing;
    const image = fleet.images.get(imageId) ?? null;
    if (image === null && imageId !== NEW_IMAGE) {
      return noSuch('No such image', `No image has the id ${imageId}. It may have been retired.`, 'images');
    }
    return html`<section aria-labelledby="image">
        ${back('images')}
        <div class="top">
          <h2 id="image">
            ${image === null ? 'A new image' : image.name}${image === null ? nothing : html`<span class="count">${image.imageId}, revision ${image.revision}</span>`}
          </h2>
          ${image === null ? nothing : this.#actions(image)}
        </div>
        <div class="page">
          <div class="panel">
            ${keyed(
              imageId,
              html`<mu-image-editor
                .image=${image}
                .known=${fleet.images}
                .locked=${whyNot(this.may, 'admin')}
                @image-changed=${this.#saved}
              ></mu-image-editor>`,
            )}
          </div>
          <div class="aside">${image === null ? this.#later() : this.#aside(image, fleet)}</div>
        </div>
      </section>
      ${
        this.retiring && image !== null
          ? html`<mu-confirm-dialog
              .question=${this.#question(image, fleet)}
              @dialog-closed=${this.#closed}
            ></mu-confirm-dialog>`
          : nothing
      }`;
  }

  /** Asked anew when something changed that placement looks at, one question at a time. */
  protected override updated(): void {
    const { fleet, imageId } = this;
    const image = fleet?.images.get(imageId);
    if (fleet === null || image === undefined || whyNot(this.may, 'operator') !== null || this.#counting.busy) return;
    const question = `${imageId}/${image.revision}/${fleet.placementMark}`;
    if (question === this.#asked) return;
    if (!this.#asked.startsWith(`${imageId}/`)) this.explanation = null;
    this.#asked = question;
    void this.#counting.run(async () => {
      const explanation = await countPlacement(imageId);
      if (imageId === this.imageId) this.explanation = explanation;
    });
  }

  #actions({ imageId }: ImageView): unknown {
    const [operator, admin] = [whyNot(this.may, 'operator'), whyNot(this.may, 'admin')];
    const start = (): void => {
      const query = new URLSearchParams({ start: imageId }).toString();
      globalThis.location.hash = addressOf({ page: 'sessions', query });
    };
    const retire = (): void => {
      this.retiring = true;
    };
    return html`<div class="do">
      <button type="button" ?disabled=${operator !== null} title=${operator ?? nothing} @click=${start}>
        Start a session
      </button>
      <button type="button" ?disabled=${admin !== null} title=${admin ?? nothing} @click=${retire}>Retire</button>
    </div>`;
  }

  #aside(image: ImageView, fleet: Fleet): unknown {
    const live = sessionsOf(image.imageId, fleet.sessions.values()).length;
    const why = whyNot(this.may, 'operator');
    return html`<section class="panel" aria-labelledby="fit">
        <h3 id="fit">Where it could run right now</h3>
        <mu-refusal .refusal=${this.#counting.refusal}></mu-refusal>
        ${
          why !== null
            ? html`<p class="muted">${why}</p>`
            : this.explanation === null
              ? html`<p class="muted" role="status">Asking</p>`
              : html`<mu-fit .explanation=${this.explanation}></mu-fit>`
        }
      </section>
      <section class="panel" aria-labelledby="live">
        <h3 id="live">Sessions</h3>
        <p>
          ${
            live === 0
              ? 'No session of it holds or wants anything.'
              : html`<a
                    href=${addressOf({ page: 'sessions', query: new URLSearchParams({ image: image.imageId }).toString() })}
                    >${counted(live, 'session', 'sessions')}</a
                  >
                  of this or an earlier revision.`
          }
        </p>
      </section>
      <section class="panel" aria-labelledby="revisions">
        <h3 id="revisions">Revisions</h3>
        <mu-image-revisions
          .imageId=${image.imageId}
          .revision=${image.revision}
          .now=${serverNow(fleet, this.now)}
        ></mu-image-revisions>
      </section>`;
  }

  #later(): unknown {
    return html`<section class="panel" aria-labelledby="fit">
      <h3 id="fit">Where it could run right now</h3>
      <p class="muted">Is shown here once the image is defined. Nothing starts by defining it.</p>
    </section>`;
  }

  /** Once it is retired there is no such page. */
  #question(image: ImageView, { sessions }: Fleet): Question {
    const question = retireQuestion(this, image, sessionsOf(image.imageId, sessions.values()));
    return {
      ...question,
      work: async (reason) => {
        await question.work(reason);
        globalThis.location.hash = addressOf({ page: 'images' });
      },
    };
  }

  readonly #saved = (event: CustomEvent<ImageView>): void => {
    if (this.imageId !== NEW_IMAGE) return;
    globalThis.location.replace(addressOf({ page: 'images', id: event.detail.imageId }));
  };

  readonly #closed = (): void => {
    this.retiring = false;
  };
}

customElements.define('mu-image-view', MuImageView);
