import { html, LitElement } from 'lit';
import { Action } from '../components/action.ts';
import '../components/mu-refusal.ts';
import { setPassword } from '../data/gateway.ts';
import { accountOfToken } from '../data/signInLink.ts';
import { base, form } from '../styles/base.ts';
import { door } from '../styles/door.ts';
import { fieldProblems, focusFirst, signedIn, type FieldProblems } from './doorForm.ts';
import { passwordFields, passwordProblems } from './passwordFields.ts';

const FIELDS = ['password', 'again'] as const;

/** Where the link of an admin leads: a person sets a password and is signed in. Dispatches `signed-in`. */
export class MuSetPassword extends LitElement {
  static override properties = {
    token: { attribute: false },
    password: { state: true },
    again: { state: true },
    problems: { state: true },
  };
  declare token: string;
  declare password: string;
  declare again: string;
  declare problems: FieldProblems;
  readonly #save = new Action(this);

  static override styles = [base, form, door];

  constructor() {
    super();
    this.token = '';
    this.password = '';
    this.again = '';
    this.problems = {};
  }

  override render(): unknown {
    const { problems } = this;
    const { busy, refusal } = this.#save;
    const account = accountOfToken(this.token);
    return html`<main>
      <h1>Set your password</h1>
      <p>Your account is <strong>${account}</strong>. Sign in with it and this password from now on.</p>
      <form novalidate @submit=${this.#submitted}>
        <input type="text" name="account" autocomplete="username" .value=${account} hidden readonly />
        ${passwordFields(this, problems, (name, value) => this.#typed(name, value))}
        <mu-refusal .refusal=${fieldProblems(refusal, FIELDS) === null ? refusal : null}></mu-refusal>
        <div class="actions">
          <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Saving' : 'Set password'}</button>
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
    const account = accountOfToken(this.token);
    this.problems = passwordProblems(this, { personId: account, name: account });
    focusFirst(this.renderRoot, this.problems, FIELDS);
    if (Object.keys(this.problems).length > 0) return;
    if (await this.#save.run(() => setPassword(this.token, this.password))) return signedIn(this);
    this.problems = fieldProblems(this.#save.refusal, FIELDS) ?? {};
    focusFirst(this.renderRoot, this.problems, FIELDS);
  };
}

customElements.define('mu-set-password', MuSetPassword);
