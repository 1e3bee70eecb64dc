import { css, html, LitElement, nothing } from 'lit';
import type { SessionView } from '../../projections/views.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import { counted } from '../data/amounts.ts';
import { asSentence } from '../data/explain.ts';
import { stopSession } from '../data/gateway.ts';
import { isRefusal } from '../data/problem.ts';
import { isStoppable } from '../data/sessions.ts';
import { base, form } from '../styles/base.ts';
import { notify } from './events.ts';

/** Asked at the same time: enough to be quick, and no flood. */
const AT_ONCE = 4;
/** Named one by one; more are counted. */
const NAMED = 8;

/** Asks before many sessions are stopped, says what that does, stops them, and says of each that was refused why. */
export class MuStopManyDialog extends LitElement {
  static override properties = {
    sessions: { attribute: false },
    reason: { state: true },
    done: { state: true },
    refused: { state: true },
    busy: { state: true },
  };
  /** Those that were selected when it was opened. */
  declare sessions: readonly SessionView[];
  declare reason: string;
  declare done: number;
  declare refused: readonly { readonly sessionId: string; readonly why: string }[];
  declare busy: boolean;
  #left = false;

  static override styles = [
    base,
    form,
    css`
      li {
        margin-top: var(--space-1);
        overflow-wrap: anywhere;
      }
      .refused {
        padding: var(--space-2) var(--space-3);
        border-left: 3px solid var(--danger);
        background: var(--danger-soft);
        border-radius: var(--radius);
      }
      progress {
        width: 100%;
        accent-color: var(--accent);
      }
    `,
  ];

  constructor() {
    super();
    this.sessions = [];
    this.reason = '';
    this.done = 0;
    this.refused = [];
    this.busy = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#left = true;
  }

  override render(): unknown {
    const stoppable = this.sessions.filter(isStoppable);
    const over = this.done > 0 && !this.busy;
    return html`<mu-dialog heading=${`Stop ${counted(stoppable.length, 'session', 'sessions')}?`}>
      <form @submit=${this.#submitted}>
        ${over ? nothing : this.#consequences(stoppable)}
        ${
          this.busy
            ? html`<p role="status">Stopping ${this.done} of ${stoppable.length}</p>
                <progress aria-label="Stopping" max=${stoppable.length} value=${this.done}></progress>`
            : nothing
        }
        ${this.#result(over)}
        <div class="actions">
          <button type="button" @click=${this.#close}>
            ${over ? 'Done' : this.busy ? 'Stop no more of them' : 'Keep them'}
          </button>
          ${
            over
              ? nothing
              : html`<button
                  class="danger"
                  type="submit"
                  ?disabled=${stoppable.length === 0}
                  aria-disabled=${this.busy}
                >
                  ${this.busy ? 'Stopping' : `Stop ${counted(stoppable.length, 'session', 'sessions')}`}
                </button>`
          }
        </div>
      </form>
    </mu-dialog>`;
  }

  #consequences(stoppable: readonly SessionView[]): unknown {
    const waiting = stoppable.filter(({ phase }) => phase === 'waiting').length;
    const skipped = this.sessions.length - stoppable.length;
    const holding = stoppable.length - waiting;
    const names = stoppable.slice(0, NAMED).map(({ sessionId }) => sessionId);
    const more = stoppable.length - names.length;
    return html`<ul aria-label="What this does">
        ${
          holding === 0
            ? nothing
            : html`<li>
                ${counted(holding, 'container is', 'containers are')} stopped, and what was not saved elsewhere is lost.
                Each claim is released once its agent shows that the container is gone.
              </li>`
        }
        ${waiting === 0 ? nothing : html`<li>${counted(waiting, 'leaves', 'leave')} the line.</li>`}
        ${
          skipped === 0
            ? nothing
            : html`<li>
                ${counted(skipped, 'is left out: it is', 'are left out: they are')} over or stopping already.
              </li>`
        }
        <li class="muted">${names.join(', ')}${more === 0 ? '' : ` and ${more} more`}</li>
      </ul>
      ${reasonField(this.reason, this.#typed)}`;
  }

  #result(over: boolean): unknown {
    const { refused, done } = this;
    return html`${
      over
        ? html`<p role="status">${counted(done - refused.length, 'session stops', 'sessions stop')} now.</p>`
        : nothing
    }
    ${
      refused.length === 0
        ? nothing
        : html`<div class="refused" role="alert">
            ${counted(refused.length, 'was refused', 'were refused')}:
            <ul>
              ${refused.map(({ sessionId, why }) => html`<li>${sessionId}: ${why}</li>`)}
            </ul>
          </div>`
    }`;
  }

  readonly #typed = (event: InputEvent): void => {
    if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
  };

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (this.busy) return;
    this.busy = true;
    const waiting = this.sessions.filter(isStoppable);
    const reason = this.reason.trim();
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work(waiting, reason)));
    this.busy = false;
    if (this.refused.length === 0) {
      notify(this, `${counted(this.done, 'session stops', 'sessions stop')} now`);
      this.#close();
    }
  };

  async #work(waiting: SessionView[], reason: string): Promise<void> {
    for (let session = waiting.shift(); session !== undefined && !this.#left; session = waiting.shift()) {
      try {
        const changed = await stopSession(session.sessionId, reason);
        this.dispatchEvent(
          new CustomEvent<SessionView>('session-changed', { detail: changed, bubbles: true, composed: true }),
        );
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.refused = [...this.refused, { sessionId: session.sessionId, why: asSentence(error.message) }];
      }
      this.done += 1;
    }
  }

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-stop-many-dialog', MuStopManyDialog);
