import { html, LitElement, nothing } from 'lit';
import type { Role } from '../../domain/people/role.ts';
import { Action } from '../components/action.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { changeRole, type PersonRow } from '../data/gateway.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';
import { roleField } from './roleField.ts';

/** Gives a person another role. Dispatches `changed`. */
export class MuRoleDialog extends LitElement {
  static override properties = {
    person: { attribute: false },
    isSelf: { attribute: false },
    role: { state: true },
    reason: { state: true },
  };
  declare person: PersonRow | null;
  /** Whether it is who is signed in. */
  declare isSelf: boolean;
  /** Null: as it is. */
  declare role: Role | null;
  declare reason: string;
  readonly #save = new Action(this);

  static override styles = [base, form];

  constructor() {
    super();
    this.person = null;
    this.isSelf = false;
    this.role = null;
    this.reason = '';
  }

  override render(): unknown {
    const { person } = this;
    if (person === null) return nothing;
    const { busy, refusal } = this.#save;
    return html`<mu-dialog heading="Role of ${person.name}">
      <form @submit=${this.#submitted}>
        ${roleField(this.role ?? person.role, (role) => {
          this.role = role;
          this.#save.forget();
        })}
        ${reasonField(this.reason, this.#typed)}
        <mu-refusal .refusal=${refusal}></mu-refusal>
        <div class="actions">
          <span class="help"
            >${this.isSelf ? 'This is you: another role holds at once, here too.' : 'It holds at once, also where they are signed in.'}</span
          >
          <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Saving' : 'Save role'}</button>
        </div>
      </form>
    </mu-dialog>`;
  }

  readonly #typed = (event: InputEvent): void => {
    if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { person } = this;
    if (person === null) return;
    const role = this.role ?? person.role;
    const saved = await this.#save.run(async () => {
      if (role === person.role) return;
      await changeRole(person.personId, role, this.reason.trim());
      notify(this, `${person.name} has the role ${role}.`);
      this.dispatchEvent(new CustomEvent('changed'));
    });
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (saved && dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-role-dialog', MuRoleDialog);
