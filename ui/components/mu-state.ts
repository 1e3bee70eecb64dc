import { css, html, LitElement, svg } from 'lit';
import { base } from '../styles/base.ts';

/** How serious a state is. Each has its own shape, so that colour is never the only sign. */
export type Tone = 'ok' | 'busy' | 'idle' | 'warn' | 'danger';

/** A state in words behind a small shape. */
export class MuState extends LitElement {
  static override properties = { tone: {}, text: {} };
  declare tone: Tone;
  declare text: string;

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
  }

  override render(): unknown {
    return html`<svg viewBox="0 0 10 10" class=${this.tone} aria-hidden="true">${shape(this.tone)}</svg
      ><span>${this.text}</span>`;
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
