import { css, html, LitElement, nothing } from 'lit';
import { base } from '../styles/base.ts';

/** One thing that may be chosen. `why` it may not, as a sentence; null when it may. */
export interface MenuItem {
  readonly id: string;
  readonly text: string;
  readonly why: string | null;
}

/**
 * A button that opens a short menu. Arrow keys move in it, Escape and a click elsewhere close it, and focus goes back to
 * the button. Dispatches `chosen` with the id, and `menu-toggled` with whether it is open.
 */
export class MuMenu extends LitElement {
  static override properties = {
    label: {},
    items: { attribute: false },
    away: { attribute: false },
    open: { state: true },
  };
  /** Said to screen readers; the button shows three dots. */
  declare label: string;
  declare items: readonly MenuItem[];
  /** Not reached by the tab key. */
  declare away: boolean;
  declare open: boolean;

  static override styles = [
    base,
    css`
      .opens {
        width: 2.25rem;
        padding: 0;
        color: var(--muted);
      }
      svg {
        width: 1rem;
        height: 1rem;
        vertical-align: middle;
      }
      [popover] {
        position: fixed;
        inset: auto;
        top: var(--menu-top);
        left: var(--menu-left);
        margin: 0;
        padding: var(--space-1);
        min-width: 10rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        color: var(--text);
        background: var(--surface);
        box-shadow: var(--shadow);
      }
      .item {
        display: block;
        width: 100%;
        text-align: left;
        color: var(--text);
      }
      .item:focus-visible {
        outline-offset: -2px;
      }
    `,
  ];

  constructor() {
    super();
    this.label = '';
    this.items = [];
    this.away = false;
    this.open = false;
  }

  override render(): unknown {
    return html`<button
        class="quiet opens"
        type="button"
        popovertarget="items"
        aria-haspopup="menu"
        aria-expanded=${this.open}
        aria-label=${this.label}
        tabindex=${this.away ? -1 : nothing}
      >
        <svg viewBox="0 0 16 16" fill="currentColor" aria-hidden="true">
          <circle cx="8" cy="3" r="1.5" />
          <circle cx="8" cy="8" r="1.5" />
          <circle cx="8" cy="13" r="1.5" />
        </svg>
      </button>
      <div
        id="items"
        popover
        role="menu"
        aria-label=${this.label}
        @beforetoggle=${this.#toggles}
        @toggle=${this.#toggled}
        @keydown=${this.#pressed}
      >
        ${this.open ? this.items.map((item) => this.#item(item)) : nothing}
      </div>`;
  }

  close(): void {
    if (this.open) this.#list?.hidePopover();
  }

  #item({ id, text, why }: MenuItem): unknown {
    return html`<button
      class="quiet item"
      type="button"
      role="menuitem"
      tabindex="-1"
      aria-disabled=${why === null ? nothing : 'true'}
      title=${why ?? nothing}
      @click=${() => {
        if (why !== null) return;
        this.close();
        // What is opened by it gives the focus back to what has it now.
        this.renderRoot.querySelector('button')?.focus();
        this.dispatchEvent(new CustomEvent<string>('chosen', { detail: id }));
      }}
    >
      ${text}
    </button>`;
  }

  get #list(): HTMLElement | null {
    return this.renderRoot.querySelector('[popover]');
  }

  get #buttons(): readonly HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>('[role=menuitem]')];
  }

  readonly #toggles = (event: ToggleEvent): void => {
    this.open = event.newState === 'open';
    this.dispatchEvent(new CustomEvent('menu-toggled', { detail: this.open, bubbles: true, composed: true }));
  };

  readonly #toggled = async (event: ToggleEvent): Promise<void> => {
    if (event.newState !== 'open') {
      globalThis.removeEventListener('scroll', this.#scrolled);
      return;
    }
    globalThis.addEventListener('scroll', this.#scrolled, { passive: true });
    await this.updateComplete;
    this.#place();
    this.#buttons[0]?.focus();
  };

  /** It stands where its button was. */
  readonly #scrolled = (): void => this.close();

  /** Below the button and flush with its end; above it where there is no room below. */
  #place(): void {
    const list = this.#list;
    const button = this.renderRoot.querySelector('button');
    if (list === null || button === null) return;
    const at = button.getBoundingClientRect();
    const { width, height } = list.getBoundingClientRect();
    const below = at.bottom + height <= globalThis.innerHeight;
    list.style.setProperty('--menu-top', `${below ? at.bottom : Math.max(0, at.top - height)}px`);
    list.style.setProperty('--menu-left', `${Math.max(0, at.right - width)}px`);
  }

  readonly #pressed = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const buttons = this.#buttons;
    const now = buttons.findIndex((button) => button.matches(':focus'));
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (event.key === 'Tab') this.close();
    if (to === undefined) return;
    event.preventDefault();
    buttons.at(to === buttons.length ? 0 : to)?.focus();
  };
}

customElements.define('mu-menu', MuMenu);
