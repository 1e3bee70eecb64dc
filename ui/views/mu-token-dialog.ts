import { html, LitElement } from 'lit';
import { Action } from '../components/action.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { MuSecret } from '../components/mu-secret.ts';
import { issueToken, type IssuedToken } from '../data/gateway.ts';
import { Problem } from '../data/problem.ts';
import { Repeatable } from '../data/repeatable.ts';
import { JOIN_COMMAND } from '../data/tokens.ts';
import { base, form } from '../styles/base.ts';
import { once } from '../styles/once.ts';

/** Issues a manager token and shows it once, with how a host joins by it. Dispatches `changed` when there is one. */
export class MuTokenDialog extends LitElement {
  static override properties = { reason: { state: true }, issued: { state: true } };
  declare reason: string;
  declare issued: IssuedToken | null;
  readonly #issue = new Action(this);
  readonly #repeatable = new Repeatable<string>();

  static override styles = [base, form, once];

  constructor() {
    super();
    this.reason = '';
    this.issued = null;
  }

  override render(): unknown {
    const { issued } = this;
    return html`<mu-dialog heading=${issued === null ? 'Issue a manager token' : 'The manager token is issued'}>
      ${issued === null ? this.#form() : this.#shown(issued)}
    </mu-dialog>`;
  }

  #form(): unknown {
    const { busy, refusal } = this.#issue;
    return html`<form @submit=${this.#submitted}>
      <p>
        One token serves any number of hosts. An agent that shows it is admitted to the bus and waits there for
        approval; the tokens that there are go on working.
      </p>
      ${reasonField(this.reason, (event) => {
        if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
      })}
      <mu-refusal .refusal=${refusal}></mu-refusal>
      <div class="actions">
        <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Issuing' : 'Issue token'}</button>
      </div>
    </form>`;
  }

  #shown({ text }: IssuedToken): unknown {
    return html`<div class="done">
      ${
        text === null
          ? html`<p class="once" role="alert">
              The token was issued, but the answer with its text was lost on the way. Revoke it, and issue another.
            </p>`
          : html`<p class="once">This is the only time it is shown. Write it into a file that only its owner reads.</p>
              <mu-secret label="Manager token" text=${text}></mu-secret>
              <div>
                <h3>On a host</h3>
                <pre>${JOIN_COMMAND}</pre>
              </div>
              <p class="muted">
                Then the agent waits on the page Agents: compare the fingerprint with what it printed, and approve it.
              </p>`
      }
      <div class="actions"><button type="button" @click=${this.#close}>Done</button></div>
    </div>`;
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const reason = this.reason.trim();
    const { body, key } = this.#repeatable.ask(reason, () => reason);
    const issued = await this.#issue.run(async () => {
      this.issued = await issueToken(body, key);
    });
    if (issued || this.#issue.refusal instanceof Problem) this.#repeatable.answered();
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

customElements.define('mu-token-dialog', MuTokenDialog);
