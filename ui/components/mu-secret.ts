import { css, html, LitElement } from 'lit';
import { base, form } from '../styles/base.ts';

/** A text that is shown once, to be copied whole. */
export class MuSecret extends LitElement {
  static override properties = { label: {}, text: {}, said: { state: true } };
  declare label: string;
  declare text: string;
  /** What came of copying. */
  declare said: string;

  static override styles = [
    base,
    form,
    css`
      textarea {
        font: var(--text-m) / 1.5 var(--font-mono);
        background: var(--sunken);
        resize: none;
        overflow-wrap: anywhere;
        word-break: break-all;
        field-sizing: content;
      }
      .copy {
        display: flex;
        gap: var(--space-3);
        align-items: center;
        margin-top: var(--space-1);
      }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.text = '';
    this.said = '';
  }

  override focus(): void {
    this.renderRoot.querySelector('button')?.focus();
  }

  override render(): unknown {
    return html`<div class="field">
      <label for="text">${this.label}</label>
      <textarea id="text" rows="2" readonly spellcheck="false" .value=${this.text}></textarea>
      <div class="copy">
        <button class="primary" type="button" @click=${this.#copy}>
          Copy<span class="visually-hidden"> ${this.label}</span>
        </button>
        <span role="status">${this.said}</span>
      </div>
    </div>`;
  }

  /** Browsers give the clipboard to secure origins only, and people may refuse it; what is selected is copied by hand. */
  readonly #copy = async (): Promise<void> => {
    this.renderRoot.querySelector('textarea')?.select();
    this.said = (await isCopied(this.text)) ? 'Copied' : 'Selected: copy it with Ctrl+C';
  };
}

async function isCopied(text: string): Promise<boolean> {
  if (!globalThis.isSecureContext) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}

customElements.define('mu-secret', MuSecret);
