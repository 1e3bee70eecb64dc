import { css, html, LitElement, nothing } from 'lit';
import { PRUNE_MODE_NAMES, PRUNE_MODES } from '../../domain/pruneMode.ts';
import type { AgentView } from '../../projections/views.ts';
import { Action } from '../components/action.ts';
import '../components/mu-conflict.ts';
import '../components/mu-refusal.ts';
import { reasonField } from '../components/reasonField.ts';
import {
  changedSettings,
  differ,
  isSameSettings,
  labelsProblem,
  rebasedSettings,
  refusedLabels,
  settingChange,
  settingsOf,
  type SettingFields,
} from '../data/agentSettings.ts';
import { changeSettings } from '../data/gateway.ts';
import { overrideLines } from '../data/overrides.ts';
import { base, form } from '../styles/base.ts';
import { section } from '../styles/section.ts';
import { agentChanged, notify } from './events.ts';
import { NearFocus } from '../components/nearFocus.ts';

/** What is done about a setting in a dialog of its own. */
export type SettingWish = 'override' | 'prune';

/**
 * Everything that is set on an agent. What somebody else sets meanwhile is shown, and never overwritten unseen. Dispatches
 * `setting-wish`.
 */
export class MuAgentSettings extends LitElement {
  static override properties = {
    agent: { attribute: false },
    locked: { attribute: false },
    based: { state: true },
    fields: { state: true },
    problem: { state: true },
    reason: { state: true },
  };
  declare agent: AgentView | null;
  /** Why nothing may be changed here, as a sentence; null: it may. */
  declare locked: string | null;
  /** The agent as it was when the fields were read from it. */
  declare based: AgentView | null;
  /** Null while nothing was typed. */
  declare fields: SettingFields | null;
  /** What is wrong with the labels. */
  declare problem: string | null;
  declare reason: string;
  readonly #save = new Action(this);

  static override styles = [
    base,
    section,
    form,
    css`
      .capacity {
        display: grid;
        gap: var(--space-2);
        justify-items: start;
        padding: var(--space-3) var(--space-4);
        border-bottom: 1px solid var(--line);
      }
      form {
        padding: var(--space-3) var(--space-4) var(--space-4);
      }
      .all {
        gap: var(--space-4);
      }
      h4 {
        margin: 0;
        font-size: var(--text-m);
        font-weight: 550;
      }
      .choice .mode {
        font-weight: 550;
      }
      .now {
        margin-top: var(--space-1);
      }
      textarea {
        font-family: var(--font-mono);
        font-size: var(--text-s);
      }
    `,
  ];

  constructor() {
    super();
    this.addController(new NearFocus(this));
    this.agent = null;
    this.locked = null;
    this.based = null;
    this.fields = null;
    this.problem = null;
    this.reason = '';
  }

  /** What was set elsewhere is taken over at once, but for what somebody types just now and would have otherwise. */
  protected override willUpdate(): void {
    const { agent, based, fields } = this;
    if (agent === null || (based !== null && this.#isAt(based, agent))) return;
    if (based?.agentId !== agent.agentId || fields === null) {
      this.#readFrom(agent);
      return;
    }
    const [before, theirs] = [settingsOf(based), settingsOf(agent)];
    if (!differ(before, fields, theirs)) {
      this.fields = rebasedSettings(before, fields, theirs);
      this.based = agent;
    }
  }

  #isAt(based: AgentView, agent: AgentView): boolean {
    return based.agentId === agent.agentId && based.settingsVersion === agent.settingsVersion;
  }

  override render(): unknown {
    const { agent, based, locked } = this;
    if (agent === null || based === null) return nothing;
    const fields = this.#current(based);
    return html`<section aria-labelledby="settings">
      <div class="top"><h3 id="settings">Settings</h3></div>
      <div class="panel">
        ${this.#capacity(agent)}
        <form novalidate @submit=${this.#submitted} aria-label="Settings of ${agent.hostname}">
          ${locked === null ? nothing : html`<p class="muted">${locked}</p>`}
          <fieldset class="all" ?disabled=${locked !== null}>
            ${this.#enabled(fields)} ${this.#pruning(fields)} ${this.#labels(fields)}
            ${this.#conflict(agent, based, fields)} ${this.#end(based, fields)}
          </fieldset>
        </form>
      </div>
    </section>`;
  }

  #capacity({ coresOverride, memoryOverride, physical }: AgentView): unknown {
    const lines = overrideLines(coresOverride, memoryOverride, physical);
    return html`<div class="capacity">
      <h4>Capacity</h4>
      ${lines.map((line) => html`<p>${line}</p>`)}
      ${lines.length === 0 ? html`<p>No override: placement counts with what is physically there.</p>` : nothing}
      <button
        type="button"
        ?disabled=${this.locked !== null}
        title=${this.locked ?? nothing}
        @click=${() => this.#wish('override')}
      >
        Override capacity
      </button>
    </div>`;
  }

  #enabled({ enabled }: SettingFields): unknown {
    return html`<fieldset>
      <legend>New sessions</legend>
      ${this.#choice('enabled', { name: 'Enabled', text: 'It takes new sessions.', checked: enabled, set: { enabled: true } })}
      ${this.#choice('enabled', { name: 'Disabled', text: 'It takes nothing new; its sessions stay untouched.', checked: !enabled, set: { enabled: false } })}
    </fieldset>`;
  }

  #pruning({ pruneMode }: SettingFields): unknown {
    return html`<fieldset>
      <legend>Image pruning</legend>
      ${PRUNE_MODE_NAMES.map((mode) =>
        this.#choice('prune-mode', {
          name: `${mode.charAt(0).toUpperCase()}${mode.slice(1)}`,
          text: PRUNE_MODES[mode],
          checked: mode === pruneMode,
          set: { pruneMode: mode },
        }),
      )}
      <div class="now"><button type="button" @click=${() => this.#wish('prune')}>Prune now</button></div>
    </fieldset>`;
  }

  #choice(
    group: string,
    choice: {
      readonly name: string;
      readonly text: string;
      readonly checked: boolean;
      readonly set: Partial<SettingFields>;
    },
  ): unknown {
    return html`<label class="choice">
      <input type="radio" name=${group} .checked=${choice.checked} @change=${() => this.#set(choice.set)} />
      <span><span class="mode">${choice.name}:</span> ${choice.text}</span>
    </label>`;
  }

  #labels({ labels }: SettingFields): unknown {
    const problem = this.problem ?? refusedLabels(this.#save.refusal);
    const typed = ({ target }: InputEvent): void => {
      if (target instanceof HTMLTextAreaElement) this.#set({ labels: target.value });
    };
    return html`<div class="field">
      <label for="labels">Labels</label>
      <textarea
        id="labels"
        rows=${Math.min(8, Math.max(2, labels.split('\n').length))}
        spellcheck="false"
        autocapitalize="none"
        placeholder="gpu=l40"
        .value=${labels}
        aria-invalid=${problem !== null}
        aria-describedby="labels-help ${problem === null ? '' : 'labels-error'}"
        @input=${typed}
        @change=${this.#checkLabels}
      ></textarea>
      ${problem === null ? nothing : html`<span class="error" id="labels-error" role="alert">${problem}</span>`}
      <span class="help" id="labels-help"
        >One key=value, or key alone, per line. Images may ask for them or keep off.</span
      >
    </div>`;
  }

  #conflict(agent: AgentView, based: AgentView, fields: SettingFields): unknown {
    if (this.#isAt(based, agent) || this.#save.busy) return nothing;
    const [before, theirs] = [settingsOf(based), settingsOf(agent)];
    const keep = (): void => {
      this.fields = rebasedSettings(before, fields, theirs);
      this.based = agent;
      this.#save.forget();
    };
    return html`<mu-conflict
      heading="Somebody has changed these settings meanwhile."
      .changes=${changedSettings(before, theirs)}
      @keep-mine=${keep}
      @take-theirs=${() => this.#readFrom(agent)}
    ></mu-conflict>`;
  }

  /** Why, what was refused, and the button; while nothing is typed there is nothing to save. */
  #end(based: AgentView, fields: SettingFields): unknown {
    const { refusal, busy } = this.#save;
    const typed = this.#isTyped(based, fields);
    return html`${typed ? reasonField(this.reason, this.#reasonTyped) : nothing}
      <mu-refusal .refusal=${refusedLabels(refusal) === null ? refusal : null}></mu-refusal>
      ${
        typed
          ? html`<div class="actions">
              <button type="button" @click=${() => this.#readFrom(based)}>Undo changes</button>
              <button class="primary" type="submit" aria-disabled=${busy}>${busy ? 'Saving' : 'Save settings'}</button>
            </div>`
          : nothing
      }`;
  }

  #isTyped(based: AgentView, fields: SettingFields): boolean {
    return this.problem !== null || !isSameSettings(settingsOf(based), fields);
  }

  #current(based: AgentView): SettingFields {
    return this.fields ?? settingsOf(based);
  }

  #readFrom(agent: AgentView): void {
    this.based = agent;
    this.fields = null;
    this.problem = null;
    this.reason = '';
    this.#save.forget();
  }

  #set(change: Partial<SettingFields>): void {
    if (this.based === null) return;
    this.fields = { ...this.#current(this.based), ...change };
    if (this.problem !== null) this.problem = labelsProblem(this.fields.labels);
    if (this.#save.refusal !== null) this.#save.forget();
  }

  readonly #checkLabels = (): void => {
    this.problem = this.fields === null ? null : labelsProblem(this.fields.labels);
  };

  readonly #reasonTyped = ({ target }: InputEvent): void => {
    if (target instanceof HTMLInputElement) this.reason = target.value;
  };

  #wish(detail: SettingWish): void {
    this.dispatchEvent(new CustomEvent<SettingWish>('setting-wish', { detail }));
  }

  readonly #submitted = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { based, fields } = this;
    if (based === null || fields === null) return;
    this.#checkLabels();
    if (this.problem !== null) return this.#focusLabels();
    const change = { ...settingChange(settingsOf(based), fields), reason: this.reason.trim() };
    const saved = await this.#save.run(async () => {
      const { agent, echoes } = await changeSettings(based.agentId, change, based.settingsVersion);
      this.#readFrom(agent);
      agentChanged(this, agent);
      notify(this, [`${agent.hostname} is saved`, ...echoes].join('; '));
    });
    if (!saved && refusedLabels(this.#save.refusal) !== null) await this.#focusLabels();
  };

  async #focusLabels(): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('#labels')?.focus();
  }
}

customElements.define('mu-agent-settings', MuAgentSettings);
