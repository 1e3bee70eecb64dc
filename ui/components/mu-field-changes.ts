import { css, html, LitElement } from 'lit';
import type { ChangedField } from '../data/fieldChanges.ts';
import { base } from '../styles/base.ts';

/** Fields that differ, each with what stood there and what stands there now. */
export class MuFieldChanges extends LitElement {
  static override properties = { changes: { attribute: false } };
  declare changes: readonly ChangedField[];

  static override styles = [
    base,
    css`
      li {
        overflow-wrap: anywhere;
      }
      del {
        color: var(--muted);
      }
      ins {
        text-decoration: none;
        font-weight: 550;
      }
      del,
      ins {
        white-space: pre-line;
      }
    `,
  ];

  constructor() {
    super();
    this.changes = [];
  }

  override render(): unknown {
    return html`<ul>
      ${this.changes.map(
        ({ label, before, after }) =>
          html`<li>
            ${label}: <del>${before === '' ? 'nothing' : before}</del> <span aria-hidden="true">→</span>
            <span class="visually-hidden">is now</span> <ins>${after === '' ? 'nothing' : after}</ins>
          </li>`,
      )}
    </ul>`;
  }
}

customElements.define('mu-field-changes', MuFieldChanges);
