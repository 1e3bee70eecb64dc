import { css, html, LitElement } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { TokenRow } from '../data/gateway.ts';
import { base } from '../styles/base.ts';
import { rows } from '../styles/rows.ts';
import { table } from '../styles/table.ts';
import { headRow, issuedCell, lastUsedCell, revokeCell } from './accessCells.ts';

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
      ${headRow(['Token', 'Fingerprint', 'Last used', 'Issued'])}
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
      ${lastUsedCell(lastUsedAt, this.now)} ${issuedCell(issuedAt, this.now)}
      ${revokeCell(`manager token ${tokenId}`, () => this.#revoke(token))}
    </div>`;
  }

  #revoke(token: TokenRow): void {
    this.dispatchEvent(new CustomEvent<TokenRow>('revoke-wish', { detail: token }));
  }
}

customElements.define('mu-tokens', MuTokens);
