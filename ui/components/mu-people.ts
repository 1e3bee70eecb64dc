import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { PersonRow } from '../data/gateway.ts';
import { personState, seenText } from '../data/people.ts';
import { base } from '../styles/base.ts';
import { rows } from '../styles/rows.ts';
import { table } from '../styles/table.ts';
import { headRow } from './accessCells.ts';
import { dash } from './dash.ts';
import './mu-state.ts';

export type PersonWish = { readonly wish: 'role' | 'link' | 'sign-out' | 'remove'; readonly person: PersonRow };

/** People who may sign in, in rows; cards on a narrow screen. Dispatches `person-wish`. */
export class MuPeople extends LitElement {
  static override properties = { people: { attribute: false }, now: { attribute: false }, self: { attribute: false } };
  declare people: readonly PersonRow[];
  /** The server's time, in milliseconds. */
  declare now: number;
  /** The account of who is signed in. */
  declare self: string;

  static override styles = [
    base,
    table,
    rows,
    css`
      .table {
        --columns: minmax(10rem, 1.4fr) 5.5rem minmax(14rem, 2fr) minmax(10rem, 1.2fr) max-content;
      }
    `,
  ];

  constructor() {
    super();
    this.people = [];
    this.now = 0;
    this.self = '';
  }

  override render(): unknown {
    return html`<div role="table" aria-label="People" class="table">
      ${headRow(['Person', 'Role', 'State', 'Last seen'])}
      ${repeat(
        this.people,
        ({ personId }) => personId,
        (person) => this.#row(person),
      )}
    </div>`;
  }

  #row(person: PersonRow): unknown {
    const { tone, text } = personState(person, this.now);
    const seen = seenText(person, this.now);
    return html`<div role="row" class="row">
      <span role="cell" data-label="Person" class="first"
        ><span
          ><span class="name">${person.name}</span>
          ${person.personId === this.self ? html`<span class="tag">you</span>` : nothing}
          <span class="id">${person.personId}</span></span
        ></span
      >
      <span role="cell" data-label="Role">${person.role}</span>
      <span role="cell" data-label="State"><mu-state tone=${tone} text=${text}></mu-state></span>
      <span role="cell" data-label="Last seen" ?data-empty=${seen === null}>${seen ?? dash('signed in nowhere')}</span>
      <span role="cell" data-label="" class="do">
        ${this.#button('role', 'Role', 'of', person)} ${this.#button('link', 'New link', 'for', person)}
        ${seen === null ? nothing : this.#button('sign-out', 'Sign out', '', person)}
        ${this.#button('remove', 'Remove', '', person)}
      </span>
    </div>`;
  }

  #button(wish: PersonWish['wish'], text: string, joint: string, person: PersonRow): unknown {
    const detail: PersonWish = { wish, person };
    return html`<button
      class="quiet"
      type="button"
      @click=${() => this.dispatchEvent(new CustomEvent<PersonWish>('person-wish', { detail }))}
    >
      ${text}<span class="visually-hidden"> ${joint} ${person.name}</span>
    </button>`;
  }
}

customElements.define('mu-people', MuPeople);
