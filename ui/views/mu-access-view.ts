import { css, html, LitElement } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import '../components/mu-empty.ts';
import { whyNot } from '../data/roles.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import './mu-keys-view.ts';
import './mu-people-view.ts';
import './mu-tokens-view.ts';

/** Who and what may come in. */
export class MuAccessView extends LitElement {
  static override properties = { now: { attribute: false }, may: { attribute: false }, self: { attribute: false } };
  /** The server's time, in milliseconds. */
  declare now: number;
  /** The role of who is signed in. */
  declare may: Role;
  /** The account of who is signed in. */
  declare self: string;

  static override styles = [
    base,
    section,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-5);
      }
    `,
  ];

  constructor() {
    super();
    this.now = 0;
    this.may = 'viewer';
    this.self = '';
  }

  override render(): unknown {
    const why = whyNot(this.may, 'admin');
    if (why !== null) {
      return html`<section aria-labelledby="access">
        <div class="top"><h2 id="access">Access</h2></div>
        <mu-empty heading="This page is for admins">
          <p>It shows who may sign in, which keys programs have, and which tokens admit agents. ${why}</p>
        </mu-empty>
      </section>`;
    }
    return html`<mu-people-view .now=${this.now} .self=${this.self}></mu-people-view>
      <mu-keys-view .now=${this.now}></mu-keys-view>
      <mu-tokens-view .now=${this.now}></mu-tokens-view>`;
  }
}

customElements.define('mu-access-view', MuAccessView);
