import { html, LitElement } from 'lit';
import { looksLikeAddress } from '../../domain/people/account.ts';
import type { Role } from '../../domain/people/role.ts';
import { Action } from '../components/action.ts';
import { formField } from '../components/formField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { MuSecret } from '../components/mu-secret.ts';
import { issueKey, type IssuedKey, type KeyBody } from '../data/gateway.ts';
import { expiryAfter, keyUses, LIFETIMES, lifetimeText, USUAL_DAYS } from '../data/keys.ts';
import { Problem } from '../data/problem.ts';
import { Repeatable } from '../data/repeatable.ts';
import { base, form } from '../styles/base.ts';
import { once } from '../styles/once.ts';
import { fieldProblems, focusFirst, type FieldProblems } from './doorForm.ts';
import { roleField } from './roleField.ts';

const FIELDS = ['name'] as const;

/** Issues an access key and shows it once, with how a program uses it. Dispatches `changed` when there is one. */
export class MuKeyDialog extends LitElement {
  static override properties = {
    now: { attribute: false },
    name: { state: true },
    role: { state: true },
    days: { state: true },
    problems: { state: true },
    issued: { state: true },
  };
  /** The server's time, in milliseconds. */
  declare now: number;
  declare name: string;
  declare role: Role;
  /** How long it works, in days; null: until it is revoked. */
  declare days: number | null;
  declare problems: FieldProblems;
  declare issued: IssuedKey | null;
  readonly #issue = new Action(this);
  readonly #repeatable = new Repeatable<KeyBody>();

  static override styles = [base, form, once];

  constructor() {
    super();
    this.now = 0;
    this.name = '';
    this.role = 'viewer';
    this.days = USUAL_DAYS;
    this.problems = {};
    this.issued = null;
  }

  override render(): unknown {
    const { issued } = this;
    return html`<mu-dialog heading=${issued === null ? 'Issue an access key' : `Key “${issued.key.name}” is issued`}>
      ${issued === null ? this.#form() : this.#shown(issued)}
    </mu-dialog>`;
  }

  #form(): unknown {
    const { problems } = this;
    const { busy, refusal } = this.#issue;
    return html`<form novalidate @submit=${this.#submitted}>
      ${formField({
        id: 'name',
        label: 'Name',
        value: this.name,
        autocomplete: 'off',
        help: 'What it is for, such as “nightly jobs”. One key for each program, so that each can be revoked alone.',
        problem: problems['name'] ?? null,
        onInput: (value) => {
          this.name = value;
          this.problems = {};
          this.#issue.forget();
        },
      })}
      ${roleField(this.role, (role) => {
        this.role = role;
      })}
      <div class="field">
        <label for="days">Works for</label>
        <select id="days" aria-describedby="days-said" @change=${this.#chosen}>
          ${LIFETIMES.map(({ days, text }) => html`<option value=${String(days)} ?selected=${days === this.days}>${text}</option>`)}
        </select>
        <span class=${this.days === null ? 'warn' : 'help'} id="days-said">${lifetimeText(this.days, this.now)}</span>
      </div>
      <mu-refusal .refusal=${fieldProblems(refusal, FIELDS) === null ? refusal : null}></mu-refusal>
      <div class="actions">
        <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Issuing' : 'Issue key'}</button>
      </div>
    </form>`;
  }

  #shown({ key, secret }: IssuedKey): unknown {
    return html`<div class="done">
      ${
        secret === null
          ? html`<p class="once" role="alert">
              The key was issued, but the answer with its text was lost on the way. Nobody can see it any more: revoke
              this one, and issue another.
            </p>`
          : html`<p class="once">This is the only time it is shown. Store it now where the program finds it.</p>
              <mu-secret label="Access key" text=${secret}></mu-secret>
              ${keyUses(key.keyId, globalThis.location.origin).map(
                ({ title, command }) =>
                  html`<div>
                    <h3>${title}</h3>
                    <pre>${command}</pre>
                  </div>`,
              )}
              <p class="muted">
                <code>MUSTER_KEY</code> holds the key, <code>NATS_URL</code> says where the bus is. On the bus the id is
                the user, and what follows it in the key is the password.
                <a href="/docs" target="_blank" rel="noopener noreferrer">All operations</a>
              </p>`
      }
      <div class="actions"><button type="button" @click=${this.#close}>Done</button></div>
    </div>`;
  }

  readonly #chosen = (event: Event): void => {
    if (!(event.target instanceof HTMLSelectElement)) return;
    const { value } = event.target;
    this.days = LIFETIMES.find(({ days }) => String(days) === value)?.days ?? null;
    this.#issue.forget();
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { role, days, now } = this;
    const name = this.name.trim();
    this.problems = nameProblems(name);
    focusFirst(this.renderRoot, this.problems, FIELDS);
    if (Object.keys(this.problems).length > 0) return;
    const question = JSON.stringify([name, role, days]);
    const { body, key } = this.#repeatable.ask(question, () => ({ name, role, expiresAt: expiryAfter(days, now) }));
    const issued = await this.#issue.run(async () => {
      this.issued = await issueKey(body, key);
    });
    const { refusal } = this.#issue;
    if (issued || refusal instanceof Problem) this.#repeatable.answered();
    this.problems = fieldProblems(refusal, FIELDS) ?? {};
    focusFirst(this.renderRoot, this.problems, FIELDS);
    if (!issued) return;
    this.dispatchEvent(new CustomEvent('changed'));
    await this.updateComplete;
    const secret = this.renderRoot.querySelector('mu-secret');
    if (secret instanceof MuSecret) secret.focus();
  };

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

function nameProblems(name: string): FieldProblems {
  if (name === '') return { name: 'Say what the key is for.' };
  if (looksLikeAddress(name)) {
    return { name: 'This looks like an e-mail address; it would be recorded for ever, so give a name.' };
  }
  return {};
}

customElements.define('mu-key-dialog', MuKeyDialog);
