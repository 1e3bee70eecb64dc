import { css, html, LitElement } from 'lit';
import { base } from '../styles/base.ts';
import { focusNear, focusPath } from './nearFocus.ts';

/**
 * A native modal dialog: focus stays inside, Escape closes it, focus returns to what opened it, or near it when that is gone.
 * It opens when it is connected and dispatches `dialog-closed` when it was closed; whoever rendered it then stops rendering it.
 */
export class MuDialog extends LitElement {
  static override properties = { heading: {}, wide: { type: Boolean, reflect: true } };
  declare heading: string;
  declare wide: boolean;
  #opener: readonly HTMLElement[] = [];

  static override styles = [
    base,
    css`
      dialog {
        width: min(calc(100vw - 2 * var(--space-3)), 36rem);
        max-height: calc(100dvh - 2 * var(--space-4));
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        color: var(--text);
        background: var(--surface);
        box-shadow: var(--shadow);
        overflow: hidden auto;
        /* What is scrolled to stands clear of the head, and of the buttons at the end. */
        scroll-padding-block: 4rem;
      }
      :host([wide]) dialog {
        width: min(calc(100vw - 2 * var(--space-3)), 56rem);
      }
      dialog::backdrop {
        background: rgb(10 14 18 / 45%);
      }
      .head {
        position: sticky;
        top: 0;
        z-index: 1;
        display: flex;
        justify-content: space-between;
        align-items: start;
        gap: var(--space-3);
        padding: var(--space-4) var(--space-4) var(--space-3) var(--space-5);
        background: var(--surface);
      }
      h2 {
        font-size: var(--text-l);
        font-weight: 600;
        line-height: 1.875rem;
        overflow-wrap: anywhere;
        min-width: 0;
      }
      .body {
        padding: 0 var(--space-5) var(--space-5);
      }
      @media (max-width: 40rem) {
        .head {
          padding-inline: var(--space-4) var(--space-2);
        }
        .body {
          padding-inline: var(--space-4);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.heading = '';
    this.wide = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    focusNear(this.#opener);
  }

  /** Closes it as Escape would. */
  close(): void {
    this.renderRoot.querySelector('dialog')?.close();
  }

  override render(): unknown {
    return html`<dialog aria-labelledby="heading" @close=${this.#closed}>
      <div class="head">
        <h2 id="heading">${this.heading}</h2>
        <button class="quiet" type="button" @click=${() => this.close()}>Close</button>
      </div>
      <div class="body"><slot></slot></div>
    </dialog>`;
  }

  protected override firstUpdated(): void {
    this.#opener = focusPath();
    this.renderRoot.querySelector('dialog')?.showModal();
    const first = this.querySelector('[autofocus]') ?? this.querySelector('input, select, textarea');
    if (first instanceof HTMLElement) first.focus();
  }

  readonly #closed = (): void => {
    this.dispatchEvent(new CustomEvent('dialog-closed', { bubbles: true, composed: true }));
  };
}

customElements.define('mu-dialog', MuDialog);
