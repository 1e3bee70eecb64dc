import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { ChangeView } from '../../projections/views.ts';
import { age } from '../data/amounts.ts';
import { aboutAddress, actorText, aboutName, CHANGE_TONES, type Names } from '../data/changes.ts';
import { base } from '../styles/base.ts';
import './mu-state.ts';

/** What happened last that an operator should hear of, newest first: what, who, why, and how long ago. */
export class MuChanges extends LitElement {
  static override properties = {
    changes: { attribute: false },
    names: { attribute: false },
    now: { attribute: false },
  };
  declare changes: readonly ChangeView[];
  declare names: Names;
  /** The server's time, in milliseconds. */
  declare now: number;

  static override styles = [
    base,
    css`
      ol {
        border: 1px solid var(--line);
        border-radius: var(--radius-l);
        background: var(--surface);
      }
      li {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: 0 var(--space-2);
        align-items: baseline;
        padding: var(--space-2) var(--space-4);
        overflow-wrap: anywhere;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      time {
        color: var(--muted);
        white-space: nowrap;
      }
      .who {
        display: block;
        font-size: var(--text-s);
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.changes = [];
    this.names = { agents: new Map(), images: new Map() };
    this.now = 0;
  }

  override render(): unknown {
    return html`<ol aria-label="Recent changes">
      ${repeat(
        this.changes,
        ({ position, index }) => `${position}/${index}`,
        (change) => this.#item(change),
      )}
    </ol>`;
  }

  #item({ at, actor, reason, weight, about, words }: ChangeView): unknown {
    const name = about === null ? null : aboutName(about, this.names);
    return html`<li>
      <mu-state tone=${CHANGE_TONES[weight]}></mu-state>
      <p>
        ${name === null || about === null ? nothing : html`<a href=${aboutAddress(about)}>${name}</a> `}${words}
        <span class="who">${actorText(actor)}${reason === null ? nothing : html`: ${reason}`}</span>
      </p>
      <time datetime=${at} title=${at}>${age(Date.parse(at), this.now)} ago</time>
    </li>`;
  }
}

customElements.define('mu-changes', MuChanges);
