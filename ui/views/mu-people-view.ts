import { html, LitElement, nothing } from 'lit';
import { Asked } from '../components/asked.ts';
import '../components/mu-empty.ts';
import '../components/mu-people.ts';
import type { PersonWish } from '../components/mu-people.ts';
import { counted } from '../data/amounts.ts';
import { endSessionsOf, listPeople, removePerson, type PersonRow } from '../data/gateway.ts';
import { removalConsequences, signOutConsequences } from '../data/people.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { notify } from './events.ts';
import { focusIfLost } from './focus.ts';
import { listed } from './listed.ts';
import './mu-confirm-dialog.ts';
import type { Question } from './mu-confirm-dialog.ts';
import './mu-link-dialog.ts';
import './mu-person-dialog.ts';
import './mu-role-dialog.ts';

type Open =
  | { readonly dialog: 'add' }
  | { readonly dialog: 'role'; readonly person: PersonRow }
  | { readonly dialog: 'link'; readonly person: PersonRow; readonly isNew: boolean }
  | { readonly dialog: 'question'; readonly question: Question };

/**
 * People who may sign in: add one, change a role, make a link, sign somebody out, remove them. Dispatches `signed-out` and
 * `me-changed` when it was done to who is signed in.
 */
export class MuPeopleView extends LitElement {
  static override properties = { now: { attribute: false }, self: { attribute: false }, open: { state: true } };
  /** The server's time, in milliseconds. */
  declare now: number;
  /** The account of who is signed in. */
  declare self: string;
  declare open: Open | null;
  readonly #people = new Asked(this, async () => (await listPeople()).people);
  /** Who was just added, and gets a link next. */
  #added: PersonRow | null = null;

  static override styles = [base, section];

  constructor() {
    super();
    this.now = 0;
    this.self = '';
    this.open = null;
  }

  override render(): unknown {
    const { value: people } = this.#people;
    const add = html`<button
      class="primary"
      type="button"
      @click=${() => {
        this.open = { dialog: 'add' };
      }}
    >
      Add a person
    </button>`;
    return html`<section aria-labelledby="people">
        <div class="top">
          <h2 id="people" tabindex="-1">
            People${people === null ? nothing : html`<span class="count">${people.length}</span>`}
          </h2>
          ${people === null || people.length === 0 ? nothing : add}
        </div>
        ${listed(this.#people, {
          empty: () =>
            html`<mu-empty heading="Nobody has an account yet">
              <p>
                People sign in with an account and a password of their own, so the log says who did what. You name the
                account and its role; a link that works once lets them set the password, which nobody else ever sees.
              </p>
              ${add}
            </mu-empty>`,
          rows: (rows) =>
            html`<mu-people
              .people=${rows}
              .now=${this.now}
              .self=${this.self}
              @person-wish=${this.#wished}
            ></mu-people>`,
        })}
      </section>
      ${this.#dialog()}`;
  }

  #dialog(): unknown {
    const { open } = this;
    if (open === null) return nothing;
    switch (open.dialog) {
      case 'add':
        return html`<mu-person-dialog
          @person-added=${this.#personAdded}
          @dialog-closed=${this.#closed}
        ></mu-person-dialog>`;
      case 'role':
        return html`<mu-role-dialog
          .person=${open.person}
          .isSelf=${open.person.personId === this.self}
          @changed=${() => this.#roleChanged(open.person)}
          @dialog-closed=${this.#closed}
        ></mu-role-dialog>`;
      case 'link':
        return html`<mu-link-dialog
          .person=${open.person}
          .isNew=${open.isNew}
          .now=${this.now}
          @changed=${this.#people.again}
          @dialog-closed=${this.#closed}
        ></mu-link-dialog>`;
      case 'question':
        return html`<mu-confirm-dialog .question=${open.question} @dialog-closed=${this.#closed}></mu-confirm-dialog>`;
    }
  }

  readonly #wished = ({ detail: { wish, person } }: CustomEvent<PersonWish>): void => {
    switch (wish) {
      case 'role':
        this.open = { dialog: 'role', person };
        return;
      case 'link':
        this.open = { dialog: 'link', person, isNew: false };
        return;
      case 'sign-out':
        this.open = { dialog: 'question', question: this.#signOutQuestion(person) };
        return;
      case 'remove':
        this.open = { dialog: 'question', question: this.#removalQuestion(person) };
    }
  };

  #signOutQuestion(person: PersonRow): Question {
    const { personId, name } = person;
    return {
      heading: `Sign ${name} out everywhere?`,
      consequences: signOutConsequences(person, personId === this.self),
      reason: 'none',
      no: 'Leave signed in',
      yes: 'Sign out everywhere',
      doing: 'Signing out',
      work: async () => {
        const { ended } = await endSessionsOf(personId);
        await this.#gone(personId, `${name} is signed out of ${counted(ended, 'browser', 'browsers')}.`);
      },
    };
  }

  #removalQuestion(person: PersonRow): Question {
    const { personId, name } = person;
    return {
      heading: `Remove ${name}?`,
      consequences: removalConsequences(person, personId === this.self),
      reason: 'optional',
      no: 'Keep',
      yes: 'Remove person',
      doing: 'Removing',
      work: async (reason) => {
        await removePerson(personId, reason);
        await this.#gone(personId, `${name} is removed, and signed out everywhere.`);
      },
    };
  }

  /** Who did it to themselves is at the door now; everybody else sees the rows as they are after it. */
  async #gone(personId: string, sentence: string): Promise<void> {
    if (personId === this.self) {
      this.dispatchEvent(new CustomEvent('signed-out', { bubbles: true, composed: true }));
      return;
    }
    notify(this, sentence);
    await this.#people.again();
  }

  #roleChanged({ personId }: PersonRow): void {
    if (personId === this.self) this.dispatchEvent(new CustomEvent('me-changed', { bubbles: true, composed: true }));
    void this.#people.again();
  }

  readonly #personAdded = (event: CustomEvent<PersonRow>): void => {
    this.#added = event.detail;
    void this.#people.again();
  };

  readonly #closed = async (): Promise<void> => {
    this.open = this.#added === null ? null : { dialog: 'link', person: this.#added, isNew: true };
    this.#added = null;
    await this.updateComplete;
    if (this.open === null) focusIfLost(this.renderRoot, '#people');
  };
}

customElements.define('mu-people-view', MuPeopleView);
