import { html, LitElement } from 'lit';
import { ACCOUNT_PATTERN, LOCAL_ADMIN } from '../../domain/people/account.ts';
import { Action } from '../components/action.ts';
import { formField } from '../components/formField.ts';
import '../components/mu-refusal.ts';
import { makeFirstAccount } from '../data/gateway.ts';
import { base, form } from '../styles/base.ts';
import { door } from '../styles/door.ts';
import { fieldProblems, focusFirst, signedIn, type FieldProblems } from './doorForm.ts';
import { passwordFields, passwordProblems } from './passwordFields.ts';

const FIELDS = ['personId', 'name', 'password', 'again'] as const;

/**
 * What the first visitor, who came by the link of the machine, is asked for: an account of their own. Dispatches `signed-in`,
 * or `later` when they would rather look around first.
 */
export class MuFirstAccount extends LitElement {
  static override properties = {
    personId: { state: true },
    name: { state: true },
    password: { state: true },
    again: { state: true },
    problems: { state: true },
  };
  declare personId: string;
  declare name: string;
  declare password: string;
  declare again: string;
  declare problems: FieldProblems;
  readonly #save = new Action(this);

  static override styles = [base, form, door];

  constructor() {
    super();
    this.personId = '';
    this.name = '';
    this.password = '';
    this.again = '';
    this.problems = {};
  }

  override render(): unknown {
    const { problems } = this;
    const { busy, refusal } = this.#save;
    return html`<main>
      <h1>Make the first account</h1>
      <p>
        You came by the link of the machine, which everybody with access to it can print. With an account of your own
        the log says who did what. It is an admin; you can let others in later.
      </p>
      <form novalidate @submit=${this.#submitted}>
        ${formField({
          id: 'personId',
          label: 'Account',
          value: this.personId,
          autocomplete: 'username',
          help: 'Small letters, digits, “-” and “_”: what you sign in with.',
          problem: problems['personId'] ?? null,
          onInput: (value) => this.#typed('personId', value),
        })}
        ${formField({
          id: 'name',
          label: 'Your name',
          value: this.name,
          autocomplete: 'name',
          help: 'Kept in the log for ever; no e-mail address.',
          problem: problems['name'] ?? null,
          onInput: (value) => this.#typed('name', value),
        })}
        ${passwordFields(this, problems, (name, value) => this.#typed(name, value))}
        <mu-refusal .refusal=${fieldProblems(refusal, FIELDS) === null ? refusal : null}></mu-refusal>
        <div class="actions">
          <button class="quiet" type="button" @click=${this.#later}>Not now</button>
          <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Saving' : 'Make account'}</button>
        </div>
      </form>
    </main>`;
  }

  #typed(name: (typeof FIELDS)[number], value: string): void {
    this[name] = value;
    this.problems = {};
    this.#save.forget();
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const personId = this.personId.trim();
    const name = this.name.trim();
    this.problems = {
      ...(ACCOUNT_PATTERN.test(personId) ? {} : { personId: 'An account is small letters, digits, “-” and “_”.' }),
      ...(personId === LOCAL_ADMIN ? { personId: 'This one belongs to the machine; take your own name.' } : {}),
      ...(name === '' ? { name: 'Give your name.' } : {}),
      ...passwordProblems(this, { personId, name }),
    };
    focusFirst(this.renderRoot, this.problems, FIELDS);
    if (Object.keys(this.problems).length > 0) return;
    if (await this.#save.run(() => makeFirstAccount({ personId, name, password: this.password }))) {
      signedIn(this);
      return;
    }
    this.problems = fieldProblems(this.#save.refusal, FIELDS) ?? {};
    focusFirst(this.renderRoot, this.problems, FIELDS);
  };

  readonly #later = (): void => {
    this.dispatchEvent(new CustomEvent('later', { bubbles: true, composed: true }));
  };
}

customElements.define('mu-first-account', MuFirstAccount);
