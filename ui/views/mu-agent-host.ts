import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { formatBytes } from '../../domain/units.ts';
import type { AgentHostView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-facts.ts';
import '../components/mu-refusal.ts';
import { hostFacts, imageName } from '../data/agentPage.ts';
import { counted } from '../data/amounts.ts';
import { hostOf } from '../data/gateway.ts';
import { base } from '../styles/base.ts';
import { section } from '../styles/section.ts';

/** So many images are listed at once; the others are behind a button. */
const FEW = 8;

/** The host of one agent and the images on it, as the newest check-in tells. Asked for anew when `mark` is another. */
export class MuAgentHost extends LitElement {
  static override properties = {
    agentId: { attribute: false },
    now: { attribute: false },
    mark: { attribute: false },
    sessionAddresses: { attribute: false },
    host: { state: true },
    all: { state: true },
  };
  declare agentId: string;
  /** The server's time, in milliseconds. */
  declare now: number;
  declare mark: string;
  declare sessionAddresses: readonly string[];
  declare host: AgentHostView | null;
  /** Whether all images are listed. */
  declare all: boolean;
  readonly #load = new Action(this);

  static override styles = [
    base,
    section,
    css`
      :host {
        display: grid;
        gap: var(--space-5);
      }
      .panel {
        padding: var(--space-3) var(--space-4);
      }
      li {
        display: flex;
        gap: var(--space-4);
        justify-content: space-between;
        align-items: baseline;
        padding: var(--space-1) 0;
      }
      li span:first-child {
        overflow-wrap: anywhere;
        min-width: 0;
        font: var(--text-s) / 1.5 var(--font-mono);
      }
      li span:last-child {
        white-space: nowrap;
      }
      .note {
        margin-top: var(--space-2);
      }
    `,
  ];

  constructor() {
    super();
    this.agentId = '';
    this.now = 0;
    this.mark = '';
    this.sessionAddresses = [];
    this.host = null;
    this.all = false;
  }

  override render(): unknown {
    return html`<section aria-labelledby="host">
        <div class="top"><h3 id="host">Host</h3></div>
        <mu-refusal .refusal=${this.#load.refusal}></mu-refusal>
        <div class="panel">
          ${this.host === null ? html`<p class="muted">${this.#load.refusal === null ? 'Loading' : 'Not known.'}</p>` : this.#facts(this.host)}
        </div>
      </section>
      ${this.host === null ? nothing : this.#images(this.host)}`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has('agentId') && changed.get('agentId') !== undefined) this.host = null;
    if (changed.has('agentId') || changed.has('mark')) void this.#ask();
  }

  async #ask(): Promise<void> {
    await this.#load.run(async () => {
      const { agentId } = this;
      const host = await hostOf(agentId);
      if (agentId === this.agentId) this.host = host;
    });
  }

  #facts(host: AgentHostView): unknown {
    const addresses =
      this.sessionAddresses.length === 0 ? 'told once a session runs' : this.sessionAddresses.join(', ');
    return html`<mu-facts .facts=${[...hostFacts(host, this.now), ['Session address', addresses]]}></mu-facts>
      ${host.truncated ? html`<p class="small muted note">There was more to tell than a check-in may hold, so something is left out.</p>` : nothing}`;
  }

  #images({ images }: AgentHostView): unknown {
    const shown = this.all ? (images ?? []) : (images ?? []).slice(0, FEW);
    return html`<section aria-labelledby="images">
      <div class="top">
        <h3 id="images">Images on it<span class="count">${images === null ? nothing : images.length}</span></h3>
      </div>
      ${
        images === null
          ? html`<p class="muted">Not told yet.</p>`
          : images.length === 0
            ? html`<p class="muted">None: the first session of an image pulls it.</p>`
            : html`<div class="panel">
                <ul aria-label="Images on it">
                  ${shown.map((image) => html`<li><span>${imageName(image)}</span><span>${formatBytes(image.sizeBytes)}</span></li>`)}
                </ul>
                ${
                  shown.length === images.length
                    ? nothing
                    : html`<button class="quiet" type="button" @click=${this.#showAll}>
                        ${counted(images.length - shown.length, 'more image', 'more images')}
                      </button>`
                }
              </div>`
      }
    </section>`;
  }

  readonly #showAll = (): void => {
    this.all = true;
  };
}

customElements.define('mu-agent-host', MuAgentHost);
