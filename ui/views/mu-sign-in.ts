import { css, html, LitElement, nothing } from 'lit';
import { asSentence } from '../data/explain.ts';
import { base } from '../styles/base.ts';

/** What a visitor without a sign-in sees: how to get a new link. */
export class MuSignIn extends LitElement {
  static override properties = { problem: {} };
  /** Why a link was not accepted, or null. */
  declare problem: string | null;

  static override styles = [
    base,
    css`
      main {
        max-width: 34rem;
        margin: 14vh auto 0;
        padding: var(--space-5) var(--space-4);
        display: grid;
        gap: var(--space-3);
      }
      h1 {
        font-size: var(--text-xl);
        font-weight: 650;
      }
      pre {
        margin: 0;
        padding: var(--space-3) var(--space-4);
        font: var(--text-m) / 1.4 var(--font-mono);
        background: var(--surface);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        overflow-x: auto;
      }
      .problem {
        color: var(--danger);
      }
    `,
  ];

  constructor() {
    super();
    this.problem = null;
  }

  override render(): unknown {
    return html`<main>
      <h1>Muster: signed out</h1>
      ${this.problem === null ? nothing : html`<p class="problem" role="alert">${asSentence(this.problem)}</p>`}
      <p>On the machine where Muster runs, print a new sign-in link and open it in this browser:</p>
      <pre tabindex="0" aria-label="Command">npx muster sign-in</pre>
      <p class="muted">A link works once, for 15 minutes.</p>
    </main>`;
  }
}

customElements.define('mu-sign-in', MuSignIn);
