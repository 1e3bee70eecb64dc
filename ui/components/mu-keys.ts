import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { KeyRow } from '../data/gateway.ts';
import { keyEnd } from '../data/keys.ts';
import { base } from '../styles/base.ts';
import { rows } from '../styles/rows.ts';
import { table } from '../styles/table.ts';
import { headRow, issuedCell, lastUsedCell, revokeCell } from './accessCells.ts';
import './mu-state.ts';

/** Access keys of programs, in rows; cards on a narrow screen. Dispatches `revoke-wish` with a key. */
export class MuKeys extends LitElement {
  static override properties = { keys: { attribute: false }, now: { attribute: false } };
  declare keys: readonly KeyRow[];
  /** The server's time, in milliseconds. */
  declare now: number;

  static override styles = [
    base,
    table,
    rows,
    css`
      .table {
        --columns: minmax(10rem, 1.6fr) 5.5rem minmax(10rem, 1.1fr) minmax(8rem, 1.1fr) minmax(7rem, 0.9fr)
          minmax(7rem, 0.9fr) max-content;
      }
      .fingerprint {
        font: var(--text-s) / 1.6 var(--font-mono);
      }
      .over .name {
        color: var(--muted);
      }
    `,
  ];

  constructor() {
    super();
    this.keys = [];
    this.now = 0;
  }

  override render(): unknown {
    return html`<div role="table" aria-label="Access keys" class="table">
      ${headRow(['Key', 'Role', 'Fingerprint', 'End', 'Last used', 'Issued'])}
      ${repeat(
        this.keys,
        ({ keyId }) => keyId,
        (key) => this.#row(key),
      )}
    </div>`;
  }

  #row(key: KeyRow): unknown {
    const { tone, text, date } = keyEnd(key, this.now);
    return html`<div role="row" class="row ${tone === 'danger' ? 'over' : ''}">
      <span role="cell" data-label="Key" class="first"
        ><span><span class="name">${key.name}</span> <span class="id">${key.keyId}</span></span></span
      >
      <span role="cell" data-label="Role">${key.role}</span>
      <span role="cell" data-label="Fingerprint"><span class="fingerprint">${key.fingerprint}</span></span>
      <span role="cell" data-label="End"
        ><span
          ><mu-state tone=${tone} text=${text}></mu-state
          >${date === null ? nothing : html`<span class="second">${date}</span>`}</span
        ></span
      >
      ${lastUsedCell(key.lastUsedAt, this.now)} ${issuedCell(key.issuedAt, this.now)}
      ${revokeCell(key.name, () => this.#revoke(key))}
    </div>`;
  }

  #revoke(key: KeyRow): void {
    this.dispatchEvent(new CustomEvent<KeyRow>('revoke-wish', { detail: key }));
  }
}

customElements.define('mu-keys', MuKeys);
