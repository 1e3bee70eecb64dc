import { css, html, LitElement, nothing } from 'lit';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import type { AgentView } from '../../projections/views.ts';
import { counted, whole } from '../data/amounts.ts';
import {
  bulkDone,
  bulkPreview,
  changeOne,
  runBulk,
  type BulkChange,
  type BulkLine,
  type BulkResult,
} from '../data/bulk.ts';
import { asSentence } from '../data/explain.ts';
import { base, form } from '../styles/base.ts';
import { agentChanged } from './events.ts';

/** Lines that are drawn before somebody asks for all of them. */
const AT_FIRST = 100;

const WORDS = {
  enable: { heading: 'Enable', yes: 'Enable', doing: 'Enabling' },
  disable: { heading: 'Disable', yes: 'Disable', doing: 'Disabling' },
  override: { heading: 'Override capacity of', yes: 'Save for', doing: 'Saving' },
} as const;

interface Run {
  /** Those that something is done to. */
  readonly agents: readonly AgentView[];
  readonly skipped: number;
  readonly results: readonly BulkResult[];
  readonly over: boolean;
  readonly stop: AbortController;
}

/**
 * Changes many agents at once: first what would happen to each and which are skipped for what reason, then what became of
 * each. What is refused for one stops none of the others.
 */
export class MuBulkDialog extends LitElement {
  static override properties = {
    kind: { attribute: false },
    agents: { attribute: false },
    cores: { state: true },
    memory: { state: true },
    confirmed: { state: true },
    reason: { state: true },
    whole: { state: true },
    running: { state: true },
  };
  declare kind: BulkChange['kind'];
  /** As they are now. */
  declare agents: readonly AgentView[];
  /** Null: not touched, so it stays as it is. */
  declare cores: string | null;
  declare memory: string | null;
  declare confirmed: boolean;
  declare reason: string;
  /** Whether every line is drawn. */
  declare whole: boolean;
  declare running: Run | null;

  static override styles = [
    base,
    form,
    css`
      .content {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--space-4);
      }
      .lines {
        max-height: 40vh;
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: var(--radius);
      }
      .lines:focus-visible {
        outline-offset: 0;
      }
      li {
        display: grid;
        grid-template-columns: minmax(6rem, 12rem) minmax(0, 1fr);
        gap: var(--space-1) var(--space-3);
        padding: var(--space-2) var(--space-3);
        content-visibility: auto;
        contain-intrinsic-size: auto 2.25rem;
        overflow-wrap: anywhere;
      }
      li + li {
        border-top: 1px solid var(--line);
      }
      h3 {
        font-size: var(--text-m);
        font-weight: 600;
        margin-bottom: var(--space-2);
      }
      progress {
        width: 100%;
        height: 0.5rem;
        accent-color: var(--accent);
      }
      @media (max-width: 45rem) {
        li {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.kind = 'enable';
    this.agents = [];
    this.cores = null;
    this.memory = null;
    this.confirmed = false;
    this.reason = '';
    this.whole = false;
    this.running = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.running?.stop.abort();
  }

  override render(): unknown {
    const of = counted(this.agents.length, 'agent', 'agents');
    return html`<mu-dialog wide heading="${WORDS[this.kind].heading} ${of}">
      <div class="content">${this.running === null ? this.#preview() : this.#progress(this.running)}</div>
    </mu-dialog>`;
  }

  #preview(): unknown {
    const { kind } = this;
    const lines = bulkPreview(this.agents, this.#change());
    const does = lines.filter((line) => line.does);
    const skipped = lines.filter((line) => !line.does);
    const unusual = lines.filter((line) => line.unusual);
    return html`<form novalidate @submit=${this.#submitted}>
      ${kind === 'override' ? this.#fields() : nothing}
      ${
        unusual.length === 0
          ? nothing
          : html`<label class="choice">
              <input
                type="checkbox"
                .checked=${this.confirmed}
                @change=${(event: Event) => {
                  this.confirmed = event.target instanceof HTMLInputElement && event.target.checked;
                }}
              />
              <span class="warn"
                >For ${counted(unusual.length, 'agent', 'agents')} this is outside 0.1 to 10 times what is physically
                there: save it all the same</span
              >
            </label>`
      }
      ${this.#group(`What happens to ${counted(does.length, 'agent', 'agents')}`, does)}
      ${this.#group(`Skipped: ${counted(skipped.length, 'agent', 'agents')}`, skipped)}
      ${reasonField(this.reason, (event) => {
        if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
      })}
      <div class="actions">
        <button type="button" @click=${this.#close}>Leave as it is</button>
        <button class=${kind === 'disable' ? 'danger' : 'primary'} type="submit" ?disabled=${does.length === 0}>
          ${WORDS[kind].yes} ${counted(does.length, 'agent', 'agents')}
        </button>
      </div>
    </form>`;
  }

  #fields(): unknown {
    return html`<p class="muted">
        Placement counts with an override instead of what is physically there. A field that is not touched stays as it
        is on each agent; 0 takes the override away.
      </p>
      <div class="pair">
        ${this.#field('cores', 'CPU cores', '12, 0.5 or 500m')}
        ${this.#field('memory', 'Memory', '12GiB, 12GB or bytes')}
      </div>`;
  }

  #field(name: 'cores' | 'memory', label: string, example: string): unknown {
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input
        id=${name}
        autocomplete="off"
        .value=${this[name] ?? ''}
        aria-describedby="${name}-help"
        @input=${(event: InputEvent) => {
          const { target } = event;
          if (target instanceof HTMLInputElement) this[name] = target.value.trim() === '' ? null : target.value;
          this.confirmed = false;
        }}
      />
      <span class="help" id="${name}-help">${example}; 0: no override.</span>
    </div>`;
  }

  #group(heading: string, lines: readonly BulkLine[]): unknown {
    if (lines.length === 0) return nothing;
    return html`<div>
      <h3>${heading}</h3>
      <ul class="lines" tabindex="0" aria-label=${heading}>
        ${(this.whole ? lines : lines.slice(0, AT_FIRST)).map(
          ({ agent, sentence }) => html`<li><strong>${agent.hostname}</strong> <span>${sentence}</span></li>`,
        )}
      </ul>
      ${this.#more(lines.length)}
    </div>`;
  }

  #more(count: number): unknown {
    if (this.whole || count <= AT_FIRST) return nothing;
    return html`<button
      class="quiet"
      type="button"
      @click=${() => {
        this.whole = true;
      }}
    >
      Show all ${whole(count)}
    </button>`;
  }

  #progress({ agents, results, skipped, over }: Run): unknown {
    const refused = results.filter(({ refusal }) => refusal !== null);
    const done = results.length - refused.length;
    const left = agents.length - results.length;
    return html`<div role="status">
        ${
          over
            ? html`<p>
                ${bulkDone(this.kind, done)}${refused.length === 0 ? '' : `, ${whole(refused.length)} refused`}${skipped === 0 ? '' : `, ${whole(skipped)} skipped`}${left === 0 ? '' : `, ${whole(left)} not begun`}.
              </p>`
            : html`<p>${WORDS[this.kind].doing}</p>`
        }
      </div>
      ${
        over
          ? nothing
          : html`<progress aria-label="Progress" max=${agents.length} .value=${results.length}></progress>
              <p class="muted">${whole(results.length)} of ${whole(agents.length)}</p>`
      }
      ${refused.length === 0 ? nothing : this.#results('Refused', refused)}
      ${
        done === 0
          ? nothing
          : this.#results(
              'Done',
              results.filter(({ refusal }) => refusal === null),
            )
      }
      <div class="actions">
        ${
          over
            ? html`${
                  refused.length + left === 0
                    ? nothing
                    : html`<button type="button" @click=${this.#again}>
                        Try ${counted(refused.length + left, 'agent', 'agents')} again
                      </button>`
                }<button class="primary" type="button" @click=${this.#close}>Done</button>`
            : html`<button type="button" @click=${() => this.running?.stop.abort()}>Stop here</button>`
        }
      </div>`;
  }

  #results(heading: string, results: readonly BulkResult[]): unknown {
    return html`<div>
      <h3>${heading}: ${counted(results.length, 'agent', 'agents')}</h3>
      <ul class="lines" tabindex="0" aria-label=${heading}>
        ${(this.whole ? results : results.slice(0, AT_FIRST)).map(
          ({ agent, refusal }) =>
            html`<li>
              <strong>${agent.hostname}</strong>
              ${
                refusal === null
                  ? html`<span>Done.</span>`
                  : html`<span>${asSentence(refusal.message)} <code>${refusal.code}</code></span>`
              }
            </li>`,
        )}
      </ul>
      ${this.#more(results.length)}
    </div>`;
  }

  #change(): BulkChange {
    const { kind, cores, memory, confirmed } = this;
    return kind === 'override' ? { kind, cores, memory, confirm: confirmed } : { kind };
  }

  readonly #submitted = (event: SubmitEvent): void => {
    event.preventDefault();
    const lines = bulkPreview(this.agents, this.#change());
    const agents = lines.filter(({ does }) => does).map(({ agent }) => agent);
    if (agents.length > 0) void this.#run(agents, lines.length - agents.length);
  };

  readonly #again = (): void => {
    if (this.running === null) return;
    const done = new Set(this.running.results.filter(({ refusal }) => refusal === null).map(({ agent }) => agent));
    void this.#run(
      this.running.agents.filter((agent) => !done.has(agent)),
      this.running.skipped,
    );
  };

  async #run(agents: readonly AgentView[], skipped: number): Promise<void> {
    const stop = new AbortController();
    const [change, reason] = [this.#change(), this.reason.trim()];
    const run = (results: readonly BulkResult[], over: boolean): Run => ({ agents, skipped, results, over, stop });
    const results: BulkResult[] = [];
    this.running = run([], false);
    const work = async (agent: AgentView): Promise<void> => {
      agentChanged(this, await changeOne(agent, change, reason));
    };
    await runBulk(
      agents,
      work,
      (result) => {
        results.push(result);
        this.running = run([...results], false);
      },
      stop.signal,
    );
    this.running = run(results, true);
  }

  readonly #close = (): void => {
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (dialog instanceof MuDialog) dialog.close();
  };
}

customElements.define('mu-bulk-dialog', MuBulkDialog);
