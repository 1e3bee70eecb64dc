import { css, html, LitElement, nothing } from 'lit';
import type { PruneRow } from '../../domain/pruning/record.ts';
import { formatBytes } from '../../domain/units.ts';
import { imageTitle, rowSentence } from '../data/pruning.ts';
import { base } from '../styles/base.ts';
import './mu-state.ts';

/** Images with what becomes of each, or became of it, and why. */
export class MuPruned extends LitElement {
  static override properties = { label: {}, images: { attribute: false } };
  declare label: string;
  declare images: readonly PruneRow[];

  static override styles = [
    base,
    css`
      ul {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        max-height: 20rem;
        overflow: auto;
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 var(--space-4);
        padding: var(--space-2) var(--space-3);
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      .title {
        font: var(--text-s) / 1.6 var(--font-mono);
        overflow-wrap: anywhere;
      }
      .size {
        white-space: nowrap;
      }
      .why {
        grid-column: 1 / -1;
        overflow-wrap: anywhere;
      }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.images = [];
  }

  override render(): unknown {
    return html`<ul aria-label=${this.label} tabindex="0">
      ${this.images.map(
        (image) =>
          html`<li>
            <span class="title" title=${image.references.length > 1 ? image.references.join(', ') : nothing}
              >${imageTitle(image)}</span
            >
            <span class="size">${formatBytes(image.sizeBytes)}</span>
            <span class="why small muted">${said(image)}</span>
          </li>`,
      )}
    </ul>`;
  }
}

function said(image: PruneRow): unknown {
  const sentence = rowSentence(image);
  if (image.outcome === null) return sentence;
  return html`<mu-state tone=${image.outcome === 'removed' ? 'ok' : 'warn'} text=${sentence}></mu-state>`;
}

customElements.define('mu-pruned', MuPruned);
