import { css, html, nothing, svg, type TemplateResult } from 'lit';

/** What a box for ticking looks like. */
export const tickBoxStyles = css`
  button.tick {
    display: grid;
    place-items: center;
    width: 1.125rem;
    height: 1.125rem;
    min-height: 0;
    margin: 0;
    padding: 0;
    border: 1px solid var(--line-strong);
    border-radius: 3px;
    color: transparent;
    background: var(--surface);
  }
  button.tick[aria-checked='true'],
  button.tick[aria-checked='mixed'] {
    color: var(--on-accent);
    background: var(--accent);
    border-color: var(--accent);
  }
  button.tick svg {
    width: 0.75rem;
    height: 0.75rem;
  }
`;

interface TickBox {
  readonly label: string;
  readonly checked: boolean | 'mixed';
  /** Not reached by the tab key. */
  readonly away?: boolean;
  /** Null: what stands around it hears the click. */
  readonly onClick: (() => void) | null;
}

/**
 * A box that is ticked by whoever owns the state, and never by itself: a native checkbox turns over with the click,
 * whatever comes of it.
 */
export function tickBox({ label, checked, away = false, onClick }: TickBox): TemplateResult {
  return html`<button
    class="tick"
    type="button"
    role="checkbox"
    aria-label=${label}
    aria-checked=${String(checked)}
    tabindex=${away ? -1 : 0}
    @click=${onClick ?? nothing}
  >
    <svg viewBox="0 0 12 12" fill="none" stroke="currentColor" stroke-width="2" aria-hidden="true">
      ${checked === 'mixed' ? svg`<path d="M2 6h8" />` : svg`<path d="M2 6.5l2.5 2.5L10 3" />`}
    </svg>
  </button>`;
}
