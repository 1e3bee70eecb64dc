import { html, LitElement, nothing, type PropertyDeclarations, type TemplateResult } from 'lit';
import type { Asked } from '../components/asked.ts';
import '../components/mu-empty.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { focusIfLost } from './focus.ts';
import { listed } from './listed.ts';
import './mu-confirm-dialog.ts';
import type { Question } from './mu-confirm-dialog.ts';

/** How a kind of credential is spoken of. */
interface Words {
  /** Of its heading, which the focus falls back to. */
  readonly id: string;
  readonly heading: string;
  readonly issue: string;
  /** What stands there while none is issued, and what one is for. */
  readonly none: string;
  readonly purpose: string;
}

/** Credentials that admins issue and revoke: those there are, the dialog that issues one, the question before one is revoked. */
export abstract class IssuedView<Row> extends LitElement {
  static override properties: PropertyDeclarations = { now: { attribute: false }, open: { state: true } };
  /** The server's time, in milliseconds. */
  declare now: number;
  declare open: 'issue' | Question | null;

  static override styles = [base, section];

  protected abstract readonly words: Words;
  protected abstract readonly issued: Asked<readonly Row[]>;

  constructor() {
    super();
    this.now = 0;
    this.open = null;
  }

  protected abstract table(rows: readonly Row[]): TemplateResult;
  protected abstract issueDialog(): TemplateResult;
  protected abstract question(row: Row): Question;

  override render(): unknown {
    const { id, heading, issue, none, purpose } = this.words;
    const { value } = this.issued;
    const button = html`<button class=${value?.length === 0 ? 'primary' : ''} type="button" @click=${this.#issue}>
      ${issue}
    </button>`;
    return html`<section aria-labelledby=${id}>
        <div class="top">
          <h2 id=${id} tabindex="-1">
            ${heading}${value === null ? nothing : html`<span class="count">${value.length}</span>`}
          </h2>
          ${value === null || value.length === 0 ? nothing : button}
        </div>
        ${listed(this.issued, {
          empty: () =>
            html`<mu-empty heading=${none}>
              <p>${purpose}</p>
              ${button}
            </mu-empty>`,
          rows: (rows) => this.table(rows),
        })}
      </section>
      ${this.#dialog()}`;
  }

  #dialog(): unknown {
    const { open } = this;
    if (open === null) return nothing;
    return open === 'issue'
      ? this.issueDialog()
      : html`<mu-confirm-dialog .question=${open} @dialog-closed=${this.closed}></mu-confirm-dialog>`;
  }

  readonly #issue = (): void => {
    this.open = 'issue';
  };

  protected readonly revokeWished = ({ detail }: CustomEvent<Row>): void => {
    this.open = this.question(detail);
  };

  protected readonly closed = async (): Promise<void> => {
    this.open = null;
    await this.updateComplete;
    focusIfLost(this.renderRoot, `#${this.words.id}`);
  };
}
