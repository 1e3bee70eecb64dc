import { html, LitElement } from 'lit';
import { ACCOUNT_PATTERN, LOCAL_ADMIN, looksLikeAddress } from '../../domain/people/account.ts';
import type { Role } from '../../domain/people/role.ts';
import { Action } from '../components/action.ts';
import { formField } from '../components/formField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { addPerson, type PersonBody, type PersonRow } from '../data/gateway.ts';
import { Problem } from '../data/problem.ts';
import { Repeatable } from '../data/repeatable.ts';
import { base, form } from '../styles/base.ts';
import { fieldProblems, focusFirst, type FieldProblems } from './doorForm.ts';
import { roleField } from './roleField.ts';

const FIELDS = ['name', 'personId'] as const;

/** Adds somebody who may sign in. Dispatches `person-added`, and closes. */
export class MuPersonDialog extends LitElement {
  static override properties = {
    name: { state: true },
    personId: { state: true },
    role: { state: true },
    problems: { state: true },
  };
  declare name: string;
  declare personId: string;
  declare role: Role;
  declare problems: FieldProblems;
  readonly #add = new Action(this);
  readonly #repeatable = new Repeatable<PersonBody>();

  static override styles = [base, form];

  constructor() {
    super();
    this.name = '';
    this.personId = '';
    this.role = 'viewer';
    this.problems = {};
  }

  override render(): unknown {
    const { problems } = this;
    const { busy, refusal } = this.#add;
    return html`<mu-dialog heading="Add a person">
      <form novalidate @submit=${this.#submitted}>
        ${formField({
          id: 'name',
          label: 'Name',
          value: this.name,
          autocomplete: 'off',
          help: 'As colleagues know them. Kept in the log for ever; no e-mail address.',
          problem: problems['name'] ?? null,
          onInput: (value) => this.#typed('name', value),
        })}
        ${formField({
          id: 'personId',
          label: 'Account',
          value: this.personId,
          autocomplete: 'off',
          help: 'What they sign in with: small letters, digits, “-” and “_”. It stays as it is.',
          problem: problems['personId'] ?? null,
          onInput: (value) => this.#typed('personId', value),
        })}
        ${roleField(this.role, (role) => {
          this.role = role;
        })}
        <mu-refusal .refusal=${fieldProblems(refusal, FIELDS) === null ? refusal : null}></mu-refusal>
        <div class="actions">
          <span class="help">Next you get a link with which they set a password.</span>
          <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Adding' : 'Add person'}</button>
        </div>
      </form>
    </mu-dialog>`;
  }

  #typed(name: (typeof FIELDS)[number], value: string): void {
    this[name] = value;
    this.problems = {};
    this.#add.forget();
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const wanted = { personId: this.personId.trim(), name: this.name.trim(), role: this.role };
    this.problems = personProblems(wanted);
    focusFirst(this.renderRoot, this.problems, FIELDS);
    if (Object.keys(this.problems).length > 0) return;
    const { body, key } = this.#repeatable.ask(JSON.stringify(wanted), () => wanted);
    const added = await this.#add.run(async () => {
      const detail = await addPerson(body, key);
      this.dispatchEvent(new CustomEvent<PersonRow>('person-added', { detail }));
    });
    const { refusal } = this.#add;
    if (added || refusal instanceof Problem) this.#repeatable.answered();
    this.problems = fieldProblems(refusal, FIELDS) ?? {};
    focusFirst(this.renderRoot, this.problems, FIELDS);
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (added && dialog instanceof MuDialog) dialog.close();
  };
}

/** What the gateway would refuse, told before it is asked. */
function personProblems({ personId, name }: PersonBody): FieldProblems {
  return {
    ...(name === '' ? { name: 'Give a name.' } : {}),
    ...(looksLikeAddress(name)
      ? { name: 'This looks like an e-mail address; it would be recorded for ever, so give a name.' }
      : {}),
    ...(ACCOUNT_PATTERN.test(personId)
      ? {}
      : { personId: 'An account is small letters, digits, “-” and “_”, and begins with a letter or digit.' }),
    ...(personId === LOCAL_ADMIN ? { personId: 'This one belongs to the machine; take another.' } : {}),
  };
}

customElements.define('mu-person-dialog', MuPersonDialog);
