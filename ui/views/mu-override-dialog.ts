import { css, html, LitElement, nothing } from 'lit';
import type { AgentView, OverrideView } from '../../projections/views.ts';
import { formatBytes, formatCores } from '../../domain/units.ts';
import { Action } from '../components/action.ts';
import { reasonField } from '../components/reasonField.ts';
import '../components/mu-dialog.ts';
import { MuDialog } from '../components/mu-dialog.ts';
import '../components/mu-refusal.ts';
import '../components/mu-room.ts';
import { changeOverrides } from '../data/gateway.ts';
import { coresEcho, memoryEcho, setWhenText, type OverrideEcho } from '../data/overrides.ts';
import { roomLines, type RoomFleet } from '../data/room.ts';
import { hasCode } from '../data/problem.ts';
import { base, form } from '../styles/base.ts';
import { agentChanged, notify } from './events.ts';

/** Edits the overrides of one agent: what was understood is echoed while typing. */
export class MuOverrideDialog extends LitElement {
  static override properties = {
    agent: { attribute: false },
    fleet: { attribute: false },
    cores: { state: true },
    memory: { state: true },
    reason: { state: true },
  };
  declare agent: AgentView | null;
  /** Whose images there is more room for, or less. */
  declare fleet: RoomFleet | null;
  declare cores: string | null;
  declare memory: string | null;
  declare reason: string;
  readonly #save = new Action(this);

  static override styles = [
    base,
    form,
    css`
      .intro {
        margin-bottom: var(--space-4);
        color: var(--muted);
      }
      .echo {
        min-height: 2.9em;
      }
    `,
  ];

  constructor() {
    super();
    this.agent = null;
    this.fleet = null;
    this.cores = null;
    this.memory = null;
    this.reason = '';
  }

  override render(): unknown {
    const { agent } = this;
    if (agent === null) return nothing;
    const { cores, memory } = this.#fields(agent);
    const coresSaid = coresEcho(cores, agent.physical);
    const memorySaid = memoryEcho(memory, agent);
    const room = this.fleet === null ? null : roomLines(agent, { cores: this.cores, memory: this.memory }, this.fleet);
    const confirm = hasCode(this.#save.refusal, 'CONFIRM_NEEDED');
    return html`<mu-dialog heading="Override capacity of ${agent.hostname}">
      <p class="intro">
        Placement counts with an override instead of what is physically there. It changes admission only, never what a
        running container may consume.
      </p>
      <form novalidate @submit=${this.#submitted}>
        <div class="pair">
          ${this.#field('cores', 'CPU cores', cores, coresSaid, setWhen(agent.coresOverride, agent.physical?.millicores, formatCores))}
          ${this.#field('memory', 'Memory', memory, memorySaid, setWhen(agent.memoryOverride, agent.physical?.memoryBytes, formatBytes))}
        </div>
        ${memorySaid.risk === null ? nothing : html`<p class="warn ${memorySaid.risk.level}" id="risk"><strong>Memory risk:</strong> ${memorySaid.risk.sentence}</p>`}
        ${room === null ? nothing : html`<mu-room .room=${room}></mu-room>`}
        ${reasonField(this.reason, this.#reasonTyped)}
        <mu-refusal .refusal=${this.#save.refusal}></mu-refusal>
        <div class="actions">
          <button class=${confirm ? 'danger' : 'primary'} type="submit" aria-disabled=${this.#save.busy}>
            ${this.#save.busy ? 'Saving' : confirm ? 'Save all the same' : 'Save'}
          </button>
        </div>
      </form>
    </mu-dialog>`;
  }

  #field(
    name: 'cores' | 'memory',
    label: string,
    value: string,
    said: OverrideEcho,
    setWhenSaid: string | null,
  ): unknown {
    const example = name === 'cores' ? '12, 0.5 or 500m' : '12GiB, 12GB or bytes';
    return html`<div class="field">
      <label for=${name}>${label}</label>
      <input
        id=${name}
        autocomplete="off"
        .value=${value}
        aria-invalid=${said.kind === 'invalid'}
        aria-describedby="${name}-echo ${name}-help"
        @input=${(event: InputEvent) => this.#typed(name, event)}
      />
      <p class="help echo" id="${name}-echo" aria-live="polite">
        <span class=${said.kind === 'invalid' ? 'error' : nothing}>${said.text}</span
        >${setWhenSaid === null ? nothing : html`<br />${setWhenSaid}`}
      </p>
      <span class="help" id="${name}-help">${example}. 0 or empty: no override.</span>
    </div>`;
  }

  #fields(agent: AgentView): { readonly cores: string; readonly memory: string } {
    const memoryNow = agent.memoryOverride === null ? '' : formatBytes(agent.memoryOverride.value).replace(' ', '');
    return {
      cores: this.cores ?? (agent.coresOverride === null ? '' : formatCores(agent.coresOverride.value)),
      memory: this.memory ?? memoryNow,
    };
  }

  #typed(name: 'cores' | 'memory', event: InputEvent): void {
    if (event.target instanceof HTMLInputElement) this[name] = event.target.value;
    // What was asked to be confirmed is no longer what stands there.
    this.#save.forget();
  }

  readonly #reasonTyped = (event: InputEvent): void => {
    if (event.target instanceof HTMLInputElement) this.reason = event.target.value;
  };

  /** Sends only what was touched, so that an untouched override keeps the physical value it was set at. */
  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { agent } = this;
    if (agent === null) return;
    const { cores, memory } = this.#fields(agent);
    const wrong = [coresEcho(cores, null), memoryEcho(memory, { physical: null, swapBytes: null })].findIndex(
      (said) => said.kind === 'invalid',
    );
    if (wrong !== -1) {
      this.renderRoot.querySelector<HTMLInputElement>(wrong === 0 ? '#cores' : '#memory')?.focus();
      return;
    }
    const confirm = hasCode(this.#save.refusal, 'CONFIRM_NEEDED');
    const saved = await this.#save.run(async () => {
      const { agent: changed, echoes } = await changeOverrides(agent.agentId, {
        ...(this.cores === null ? {} : { coresOverride: cores.trim() === '' ? null : cores.trim() }),
        ...(this.memory === null ? {} : { memoryOverride: memory.trim() === '' ? null : memory.trim() }),
        ...(confirm ? { confirm } : {}),
        ...(this.reason.trim() === '' ? {} : { reason: this.reason.trim() }),
      });
      agentChanged(this, changed);
      notify(this, echoes.length === 0 ? `${agent.hostname} is saved.` : `${agent.hostname}: ${echoes.join('; ')}.`);
    });
    const dialog = this.renderRoot.querySelector('mu-dialog');
    if (saved && dialog instanceof MuDialog) dialog.close();
  };
}

function setWhen(
  override: OverrideView | null,
  now: number | undefined,
  format: (value: number) => string,
): string | null {
  return setWhenText(override, now ?? null, format);
}

customElements.define('mu-override-dialog', MuOverrideDialog);
