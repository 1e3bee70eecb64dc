import { css, html, LitElement, nothing, svg } from 'lit';
import { base } from '../styles/base.ts';

/** How serious a state is. Each has its own shape, so that colour is never the only sign. */
export type Tone = 'ok' | 'busy' | 'idle' | 'warn' | 'danger';

/** A state in words behind a small shape. */
export class MuState extends LitElement {
  static override properties = { tone: {}, text: {}, lines: {} };
  declare tone: Tone;
  declare text: string;
  /** How many lines it may take; the whole is its title then. Null: as many as it needs. */
  declare lines: 1 | 2 | null;

  static override styles = [
    base,
    css`
      :host {
        display: flex;
        gap: 0.45em;
        align-items: baseline;
        min-width: 0;
      }
      svg {
        flex: none;
        width: 0.7em;
        height: 0.7em;
        overflow: visible;
      }
      span {
        overflow-wrap: anywhere;
      }
      .l1,
      .l2 {
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 1;
        overflow: hidden;
      }
      .l2 {
        -webkit-line-clamp: 2;
      }
      .ok {
        color: var(--ok);
      }
      .busy {
        color: var(--accent);
      }
      .idle {
        color: var(--muted);
      }
      .warn {
        color: var(--warn);
      }
      .danger {
        color: var(--danger);
      }
    `,
  ];

  constructor() {
    super();
    this.tone = 'idle';
    this.text = '';
    this.lines = null;
  }

  override render(): unknown {
    const { tone, text, lines } = this;
    return html`<svg viewBox="0 0 10 10" class=${tone} aria-hidden="true">${shape(tone)}</svg
      ><span class=${lines === null ? nothing : `l${lines}`} title=${lines === null ? nothing : text}>${text}</span>`;
  }
}

function shape(tone: Tone): unknown {
  switch (tone) {
    case 'ok':
      return svg`<circle cx="5" cy="5" r="5" fill="currentColor"/>`;
    case 'busy':
      return svg`<circle cx="5" cy="5" r="4" fill="none" stroke="currentColor" stroke-width="2"/><path d="M5 1a4 4 0 0 1 0 8z" fill="currentColor"/>`;
    case 'idle':
      return svg`<circle cx="5" cy="5" r="4" fill="none" stroke="currentColor" stroke-width="2"/>`;
    case 'warn':
      return svg`<path d="M5 0l5 9.5H0z" fill="currentColor"/>`;
    case 'danger':
      return svg`<path d="M5-.5L10.5 5 5 10.5-.5 5z" fill="currentColor"/>`;
  }
}

customElements.define('mu-state', MuState);
