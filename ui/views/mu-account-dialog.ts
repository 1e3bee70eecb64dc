import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { Action } from '../components/action.ts';
import { formField } from '../components/formField.ts';
import '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import { age } from '../data/amounts.ts';
import {
  changePassword,
  endMySession,
  endMySessions,
  mySessions,
  type BrowserSession,
  type Me,
} from '../data/gateway.ts';
import { base, form } from '../styles/base.ts';
import { fieldProblems, focusFirst, type FieldProblems } from './doorForm.ts';
import { notify } from './events.ts';
import { passwordFields, passwordProblems } from './passwordFields.ts';

const FIELDS = ['current', 'password', 'again'] as const;

/** One's own password, and the browsers one is signed in with. Dispatches `signed-out` when this one is no longer. */
export class MuAccountDialog extends LitElement {
  static override properties = {
    me: { attribute: false },
    now: { attribute: false },
    sessions: { state: true },
    current: { state: true },
    password: { state: true },
    again: { state: true },
    problems: { state: true },
  };
  declare me: Me | null;
  /** The server's time, in milliseconds. */
  declare now: number;
  /** Null until they are known. */
  declare sessions: readonly BrowserSession[] | null;
  declare current: string;
  declare password: string;
  declare again: string;
  declare problems: FieldProblems;
  readonly #save = new Action(this);
  readonly #browsers = new Action(this);

  static override styles = [
    base,
    form,
    css`
      .parts {
        display: grid;
        gap: var(--space-5);
      }
      section {
        display: grid;
        gap: var(--space-3);
      }
      h3 {
        font-size: var(--text-m);
        font-weight: 600;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-3);
        align-items: center;
        min-height: 2.25rem;
        border-top: 1px solid var(--line);
      }
      li > :first-child {
        flex: 1;
        min-width: 10rem;
      }
    `,
  ];

  constructor() {
    super();
    this.me = null;
    this.now = 0;
    this.sessions = null;
    this.current = '';
    this.password = '';
    this.again = '';
    this.problems = {};
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override render(): unknown {
    const { me } = this;
    if (me === null) return nothing;
    return html`<mu-dialog heading="Your account">
      <div class="parts">${me.hasPassword ? this.#passwordForm(me) : nothing}${this.#browserList()}</div>
    </mu-dialog>`;
  }

  #passwordForm({ actor }: Me): unknown {
    const { problems } = this;
    const { busy, refusal } = this.#save;
    return html`<section aria-labelledby="password-heading">
      <h3 id="password-heading">Change your password</h3>
      <form novalidate @submit=${this.#submitted}>
        <input type="text" name="account" autocomplete="username" .value=${actor.id} hidden readonly />
        ${formField({
          id: 'current',
          label: 'Password so far',
          type: 'password',
          value: this.current,
          autocomplete: 'current-password',
          problem: problems['current'] ?? null,
          onInput: (value) => this.#typed('current', value),
        })}
        ${passwordFields(this, problems, (name, value) => this.#typed(name, value), 'New password')}
        <mu-refusal .refusal=${fieldProblems(refusal, FIELDS) === null ? refusal : null}></mu-refusal>
        <div class="actions">
          <span class="help">Your other browsers are signed out by it.</span>
          <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Saving' : 'Change password'}</button>
        </div>
      </form>
    </section>`;
  }

  #browserList(): unknown {
    const { sessions } = this;
    const { busy, refusal } = this.#browsers;
    return html`<section aria-labelledby="browsers">
      <h3 id="browsers">Browsers you are signed in with</h3>
      ${
        sessions === null
          ? html`<p class="muted" role="status">Loading</p>`
          : html`<ul aria-labelledby="browsers">
              ${repeat(
                sessions,
                ({ sessionId }) => sessionId,
                (session) => this.#browser(session),
              )}
            </ul>`
      }
      <mu-refusal .refusal=${refusal}></mu-refusal>
      <div class="actions">
        <button type="button" aria-disabled=${busy} @click=${this.#endAll}>Sign out everywhere</button>
      </div>
    </section>`;
  }

  #browser({ sessionId, browser, madeAt, seenAt, current }: BrowserSession): unknown {
    return html`<li>
      <span
        >${browser}
        <span class="small muted"
          >for ${age(Date.parse(madeAt), this.now)}, seen ${age(Date.parse(seenAt), this.now)} ago</span
        ></span
      >
      ${
        current
          ? html`<span class="tag">this one</span>`
          : html`<button class="quiet" type="button" @click=${() => this.#end(sessionId)}>
              Sign out<span class="visually-hidden"> of ${browser}</span>
            </button>`
      }
    </li>`;
  }

  #typed(name: (typeof FIELDS)[number], value: string): void {
    this[name] = value;
    this.problems = {};
    this.#save.forget();
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { me } = this;
    if (me === null) return;
    this.problems = {
      ...(this.current === '' ? { current: 'Type your password so far.' } : {}),
      ...passwordProblems(this, { personId: me.actor.id, name: me.name }),
    };
    focusFirst(this.renderRoot, this.problems, FIELDS);
    if (Object.keys(this.problems).length > 0) return;
    if (await this.#save.run(() => changePassword(this.current, this.password))) {
      notify(this, 'Your password is changed; your other browsers are signed out.');
      [this.current, this.password, this.again] = ['', '', ''];
      await this.#load();
      return;
    }
    this.problems = fieldProblems(this.#save.refusal, FIELDS) ?? {};
    focusFirst(this.renderRoot, this.problems, FIELDS);
  };

  async #load(): Promise<void> {
    await this.#browsers.run(async () => {
      this.sessions = (await mySessions()).sessions;
    });
  }

  async #end(sessionId: string): Promise<void> {
    const ended = await this.#browsers.run(() => endMySession(sessionId));
    if (ended) await this.#load();
  }

  readonly #endAll = async (): Promise<void> => {
    const ended = await this.#browsers.run(() => endMySessions());
    if (ended) this.dispatchEvent(new CustomEvent('signed-out', { bubbles: true, composed: true }));
  };
}

customElements.define('mu-account-dialog', MuAccountDialog);
