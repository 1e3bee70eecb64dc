import { css, html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { age } from '../data/amounts.ts';
import type { TokenRow } from '../data/gateway.ts';
import { dayText } from '../data/times.ts';
import { base } from '../styles/base.ts';
import { rows } from '../styles/rows.ts';
import { table } from '../styles/table.ts';
import { dash } from './dash.ts';

/** Manager tokens in rows; cards on a narrow screen. Dispatches `revoke-wish` with a token. */
export class MuTokens extends LitElement {
  static override properties = { tokens: { attribute: false }, now: { attribute: false } };
  declare tokens: readonly TokenRow[];
  /** The server's time, in milliseconds. */
  declare now: number;

  static override styles = [
    base,
    table,
    rows,
    css`
      .table {
        --columns: minmax(10rem, 1fr) minmax(10rem, 1fr) minmax(8rem, 1fr) minmax(8rem, 1fr) max-content;
      }
      code {
        background: none;
        padding: 0;
      }
      .first code {
        font-size: var(--text-m);
      }
    `,
  ];

  constructor() {
    super();
    this.tokens = [];
    this.now = 0;
  }

  override render(): unknown {
    return html`<div role="table" aria-label="Manager tokens" class="table">
      <div role="row" class="head">
        ${['Token', 'Fingerprint', 'Last used', 'Issued'].map((name) => html`<span role="columnheader">${name}</span>`)}
        <span role="columnheader"><span class="visually-hidden">Actions</span></span>
      </div>
      ${repeat(
        this.tokens,
        ({ tokenId }) => tokenId,
        (token) => this.#row(token),
      )}
    </div>`;
  }

  #row(token: TokenRow): unknown {
    const { tokenId, fingerprint, issuedAt, lastUsedAt } = token;
    return html`<div role="row" class="row">
      <span role="cell" data-label="Token" class="first"><code>${tokenId}</code></span>
      <span role="cell" data-label="Fingerprint"><code>${fingerprint}</code></span>
      <span role="cell" data-label="Last used" ?data-empty=${lastUsedAt === null}
        >${lastUsedAt === null ? dash('not since the gateway started') : this.#ago(lastUsedAt)}</span
      >
      <span role="cell" data-label="Issued"
        ><span>${this.#ago(issuedAt)}<span class="second">${dayText(Date.parse(issuedAt))}</span></span></span
      >
      <span role="cell" data-label="" class="do">
        <button class="quiet" type="button" @click=${() => this.#revoke(token)}>
          Revoke<span class="visually-hidden"> manager token ${tokenId}</span>
        </button>
      </span>
    </div>`;
  }

  #ago(time: string): string {
    return `${age(Date.parse(time), this.now)} ago`;
  }

  #revoke(token: TokenRow): void {
    this.dispatchEvent(new CustomEvent<TokenRow>('revoke-wish', { detail: token }));
  }
}

customElements.define('mu-tokens', MuTokens);
