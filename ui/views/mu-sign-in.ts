import { html, LitElement, nothing } from 'lit';
import { Action } from '../components/action.ts';
import { formField } from '../components/formField.ts';
import '../components/mu-refusal.ts';
import { age } from '../data/amounts.ts';
import { asSentence } from '../data/explain.ts';
import { signInByPassword } from '../data/gateway.ts';
import { hasCode, type Problem } from '../data/problem.ts';
import { base, form } from '../styles/base.ts';
import { door } from '../styles/door.ts';
import { focusFirst, signedIn, type FieldProblems } from './doorForm.ts';

const FIELDS = ['account', 'password'] as const;

/** What a visitor without a sign-in sees: account and password, and how to get a link. Dispatches `signed-in`. */
export class MuSignIn extends LitElement {
  static override properties = {
    problem: {},
    account: { state: true },
    password: { state: true },
    problems: { state: true },
    lockedUntil: { state: true },
    now: { state: true },
  };
  /** Why a link was not accepted, or a session ended; null when there is nothing to say. */
  declare problem: string | null;
  declare account: string;
  declare password: string;
  declare problems: FieldProblems;
  /** Until when no further try is taken, ms since 1970. */
  declare lockedUntil: number;
  declare now: number;
  readonly #signIn = new Action(this);
  #ticking: ReturnType<typeof setInterval> | undefined;

  static override styles = [base, form, door];

  constructor() {
    super();
    this.problem = null;
    this.account = '';
    this.password = '';
    this.problems = {};
    this.lockedUntil = 0;
    this.now = Date.now();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#ticking);
  }

  override render(): unknown {
    const { problem, problems } = this;
    const locked = Math.max(0, Math.ceil((this.lockedUntil - this.now) / 1000));
    const { refusal, busy } = this.#signIn;
    const inField = hasCode(refusal, 'SIGN_IN_WRONG') || hasCode(refusal, 'LOCKED_OUT');
    return html`<main>
      <h1>Sign in to Muster</h1>
      ${problem === null ? nothing : html`<p class="problem" role="alert">${asSentence(problem)}</p>`}
      <form novalidate @submit=${this.#submitted}>
        ${formField({
          id: 'account',
          label: 'Account',
          value: this.account,
          autocomplete: 'username',
          problem: problems['account'] ?? null,
          onInput: (value) => this.#typed('account', value),
        })}
        ${formField({
          id: 'password',
          label: 'Password',
          type: 'password',
          value: this.password,
          autocomplete: 'current-password',
          problem: problems['password'] ?? null,
          onInput: (value) => this.#typed('password', value),
        })}
        ${
          locked === 0
            ? nothing
            : html`<p class="error">
                <span role="alert">Too many wrong passwords; a link works at once.</span>
                <span>Try again in ${age(0, locked * 1000)}.</span>
              </p>`
        }
        <mu-refusal .refusal=${inField ? null : refusal}></mu-refusal>
        <div class="actions">
          <button class="primary" type="submit" aria-disabled=${busy || locked > 0}>
            ${busy ? 'Signing in' : 'Sign in'}
          </button>
        </div>
      </form>
      <section class="apart" aria-labelledby="link">
        <h2 id="link">No account yet, or locked out?</h2>
        <p>
          An admin makes you a link with which you set a password. On the machine where Muster runs, this prints one
          that signs in as its administrator:
        </p>
        <pre tabindex="0" aria-label="Command">npx muster sign-in</pre>
        <p class="muted">That link works once, for 15 minutes.</p>
      </section>
    </main>`;
  }

  #typed(name: (typeof FIELDS)[number], value: string): void {
    this[name] = value;
    this.problems = {};
    this.#signIn.forget();
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (this.lockedUntil > Date.now()) return;
    if (
      this.#refuse({
        ...(this.account.trim() === '' ? { account: 'Type your account.' } : {}),
        ...(this.password === '' ? { password: 'Type your password.' } : {}),
      })
    )
      return;
    const done = await this.#signIn.run(() => signInByPassword(this.account, this.password));
    if (done) return signedIn(this);
    const { refusal } = this.#signIn;
    if (hasCode(refusal, 'LOCKED_OUT')) this.#lock(refusal);
    if (hasCode(refusal, 'SIGN_IN_WRONG')) this.#refuse({ password: asSentence(refusal.message) });
  };

  /** Shows what is wrong, and whether anything is. */
  #refuse(problems: FieldProblems): boolean {
    this.problems = problems;
    focusFirst(this.renderRoot, problems, FIELDS);
    return Object.keys(problems).length > 0;
  }

  /** Counts the seconds down that the gateway asks for. */
  #lock({ details }: Problem): void {
    const numbers = details['numbers'] as { readonly retryAfterSeconds?: number } | undefined;
    this.now = Date.now();
    this.lockedUntil = this.now + (numbers?.retryAfterSeconds ?? 30) * 1000;
    clearInterval(this.#ticking);
    this.#ticking = setInterval(() => {
      this.now = Date.now();
      if (this.now >= this.lockedUntil) clearInterval(this.#ticking);
    }, 1000);
  }
}

customElements.define('mu-sign-in', MuSignIn);
