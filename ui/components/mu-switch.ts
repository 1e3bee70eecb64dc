import { css, html, LitElement, nothing } from 'lit';
import { base } from '../styles/base.ts';

/** An on/off switch that never shows what is not yet true: "saving" until the answer. Dispatches `switched`. */
export class MuSwitch extends LitElement {
  static override properties = {
    label: {},
    context: {},
    checked: { attribute: false },
    saving: { attribute: false },
    locked: { attribute: false },
    brief: { type: Boolean, reflect: true },
    away: { attribute: false },
  };
  declare label: string;
  /** What it belongs to, said to screen readers only. */
  declare context: string;
  declare checked: boolean;
  declare saving: boolean;
  /** Why it is not for who is signed in, as a sentence; null when it is. */
  declare locked: string | null;
  /** Its label is said by the head of its column. */
  declare brief: boolean;
  /** Not reached by the tab key, as in a row of a table that is not the current one. */
  declare away: boolean;

  static override styles = [
    base,
    css`
      button {
        display: inline-flex;
        align-items: center;
        gap: var(--space-2);
        border-color: transparent;
        background: none;
        padding: 0 2px;
        min-height: 1.875rem;
      }
      button:hover {
        background: none;
      }
      .text {
        min-width: 3.75rem;
        text-align: left;
      }
      :host([brief]) button {
        flex-direction: column;
        align-items: start;
        justify-content: center;
        vertical-align: top;
        gap: 0;
      }
      :host([brief]) .text {
        font-size: var(--text-s);
      }
      :host([brief]) .text.still {
        position: absolute;
        clip-path: inset(50%);
      }
      .track {
        width: 2.25rem;
        height: 1.25rem;
        border-radius: 999px;
        border: 1px solid var(--line-strong);
        background: var(--sunken);
        position: relative;
      }
      .thumb {
        position: absolute;
        top: 2px;
        left: 2px;
        width: 0.875rem;
        height: 0.875rem;
        border-radius: 50%;
        background: var(--line-strong);
        transition: translate 150ms ease;
      }
      [aria-checked='true'] .track {
        background: var(--accent);
        border-color: var(--accent);
      }
      [aria-checked='true'] .thumb {
        background: var(--on-accent);
        translate: 1rem 0;
      }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.context = '';
    this.checked = false;
    this.saving = false;
    this.locked = null;
    this.brief = false;
    this.away = false;
  }

  override render(): unknown {
    return html`<button
      type="button"
      role="switch"
      aria-checked=${this.checked}
      aria-disabled=${this.saving}
      ?disabled=${this.locked !== null}
      title=${this.locked ?? nothing}
      tabindex=${this.away ? -1 : nothing}
      @click=${this.#clicked}
    >
      <span class=${this.saving ? 'text' : 'text still'}>${this.saving ? 'Saving' : this.label}</span>
      <span class="visually-hidden">${this.context}</span>
      <span class="track" aria-hidden="true"><span class="thumb"></span></span>
    </button>`;
  }

  readonly #clicked = (): void => {
    if (!this.saving) this.dispatchEvent(new CustomEvent('switched'));
  };
}

customElements.define('mu-switch', MuSwitch);
