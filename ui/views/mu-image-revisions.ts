import { css, html, LitElement, nothing } from 'lit';
import type { PropertyValues } from 'lit';
import { Asked } from '../components/asked.ts';
import '../components/mu-field-changes.ts';
import { age } from '../data/amounts.ts';
import { lastFleetEvents } from '../data/gateway.ts';
import { revisionsIn, type Revision } from '../data/imageChanges.ts';
import { base } from '../styles/base.ts';
import { listed } from './listed.ts';

/** How far back the fleet's log is looked through, in events. */
const LOOKED_THROUGH = 1000;

/** Who changed an image, when, why and what, newest first, as far as the end of the log tells. */
export class MuImageRevisions extends LitElement {
  static override properties = {
    imageId: { attribute: false },
    revision: { attribute: false },
    now: { attribute: false },
  };
  declare imageId: string;
  /** The newest; another one is asked for. */
  declare revision: number;
  /** The server's time, in milliseconds. */
  declare now: number;
  readonly #revisions = new Asked(this, async () =>
    revisionsIn((await lastFleetEvents(LOOKED_THROUGH)).events, this.imageId),
  );

  static override styles = [
    base,
    css`
      ol {
        display: grid;
        gap: var(--space-3);
      }
      .who {
        color: var(--muted);
        font-size: var(--text-s);
      }
      li > strong {
        font-weight: 550;
      }
    `,
  ];

  constructor() {
    super();
    this.imageId = '';
    this.revision = 0;
    this.now = 0;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const asks = changed.has('revision') || changed.has('imageId');
    if (asks && this.hasUpdated && changed.get('revision') !== undefined) void this.#revisions.again();
  }

  override render(): unknown {
    return listed(this.#revisions, {
      empty: () =>
        html`<p class="muted">
          Its last change is further back than the last ${LOOKED_THROUGH} events of the fleet's log.
        </p>`,
      rows: (revisions) =>
        html`<ol aria-label="Revisions">
          ${revisions.map((each) => this.#item(each))}
        </ol>`,
    });
  }

  #item({ revision, at, who, reason, changes }: Revision): unknown {
    return html`<li>
      <strong>Revision ${revision}</strong>,
      <time datetime=${at} title=${at}>${age(Date.parse(at), this.now)} ago</time>
      <p class="who">${who}${reason === null ? nothing : html`: ${reason}`}</p>
      ${changes.length === 0 ? nothing : html`<mu-field-changes .changes=${changes}></mu-field-changes>`}
    </li>`;
  }
}

customElements.define('mu-image-revisions', MuImageRevisions);
