import { css, html, LitElement, nothing } from 'lit';
import { Action } from '../components/action.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { MuSecret } from '../components/mu-secret.ts';
import { timeLeft } from '../data/amounts.ts';
import { makePasswordLink, type PasswordLink, type PersonRow } from '../data/gateway.ts';
import { linkConsequences } from '../data/people.ts';
import { base, form } from '../styles/base.ts';
import { once } from '../styles/once.ts';

/**
 * Makes a link with which a person sets a password, and shows it once. Of somebody who was just added (`isNew`) nobody has
 * to be asked first. Dispatches `changed` when there is one.
 */
export class MuLinkDialog extends LitElement {
  static override properties = {
    person: { attribute: false },
    isNew: { attribute: false },
    now: { attribute: false },
    link: { state: true },
  };
  declare person: PersonRow | null;
  declare isNew: boolean;
  /** The server's time, in milliseconds. */
  declare now: number;
  declare link: PasswordLink | null;
  readonly #make = new Action(this);

  static override styles = [
    base,
    form,
    once,
    css`
      li {
        margin-top: var(--space-1);
      }
    `,
  ];

  constructor() {
    super();
    this.person = null;
    this.isNew = false;
    this.now = 0;
    this.link = null;
  }

  protected override firstUpdated(): void {
    if (this.isNew) void this.#made();
  }

  override render(): unknown {
    const { person, link } = this;
    if (person === null) return nothing;
    const heading = this.isNew ? `${person.name} is added` : `New sign-in link for ${person.name}`;
    return html`<mu-dialog heading=${heading}>
      ${link === null ? this.#question(person) : this.#shown(person, link)}
    </mu-dialog>`;
  }

  #question(person: PersonRow): unknown {
    const { busy, refusal } = this.#make;
    return html`<form @submit=${this.#submitted}>
      <ul aria-label="What this does">
        ${linkConsequences(person).map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
      <mu-refusal .refusal=${refusal}></mu-refusal>
      <div class="actions">
        <button type="button" @click=${this.#close}>${this.isNew ? 'Later' : 'Leave it'}</button>
        <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Making it' : 'Make link'}</button>
      </div>
    </form>`;
  }

  #shown(person: PersonRow, { url, expiresAt }: PasswordLink): unknown {
    return html`<div class="done">
      <p>
        Give it to ${person.name} by a way that nobody else reads: whoever opens it first sets the password of
        <code>${person.personId}</code>.
      </p>
      <mu-secret label="Sign-in link" text=${url}></mu-secret>
      <p class="muted">
        It works once and ends ${timeLeft(Date.parse(expiresAt), this.now)}. It is not shown again, but you can make a
        new one at any time.
      </p>
      <div class="actions"><button type="button" @click=${this.#close}>Done</button></div>
    </div>`;
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    await this.#made();
  };

  async #made(): Promise<void> {
    const { person } = this;
    if (person === null) return;
    const made = await this.#make.run(async () => {
      this.link = await makePasswordLink(person.personId);
    });
    if (!made) return;
    this.dispatchEvent(new CustomEvent('changed'));
    await this.updateComplete;
    const secret = this.renderRoot.querySelector('mu-secret');
    if (secret instanceof MuSecret) secret.focus();
  }

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-link-dialog', MuLinkDialog);
